"""The stores, and a queue as they see it. A new store joins by one more entry in STORES."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from hub.deadletter import DeadLetter
from hub.message import Message
from hub.store import Journal, Outgoing, RoutedBatch, Share, Store
from hub.store.durable import DurableStore
from hub.store.memory import MemoryStore
from tests.unit.doubles import RecordingLog, message, messages

STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda directory: MemoryStore(),
    "durable": lambda directory: DurableStore(directory, RecordingLog()),
}


class Books:
    """A queue, as the store sees it."""

    def __init__(self, store: Store, name: str = "q") -> None:
        self.store, self.name = store, name
        self.journal = Journal()
        self.lock = threading.Lock()
        store.open(name)
        store.attach(name, self.take_journal)

    def take_journal(self) -> Journal:
        with self.lock:
            journal, self.journal = self.journal, Journal()
            return journal

    def bury(self, *numbers: int) -> None:
        with self.lock:
            self.journal.letters += [letter(number) for number in numbers]
        self.store.changed(self.name)

    def post(self, *numbers: int) -> None:
        with self.lock:
            self.journal.outbox += [Outgoing("bus", message(number)) for number in numbers]
        self.store.changed(self.name)

    def ids(self) -> list[str]:
        assert self.store.flush(10)
        return [kept.message.id for kept in self.store.dead_letters(self.name)]

    def lost(self) -> int:
        assert self.store.flush(10)
        return self.store.lost_dead_letters(self.name)


def letter(number: int) -> DeadLetter:
    message = Message(str(number), "a.b", b'{"n": "\xc3\xa9\xff"}', {"header": "value"}, 12.5, "bus")
    return DeadLetter(message, f"reason {number}", number, 99.5, "KeyError", "Traceback ...")


def batch(books: Books, start: int, count: int) -> RoutedBatch:
    mine = messages(count)
    return RoutedBatch(mine, [Share(books.name, start, None, mine)])
