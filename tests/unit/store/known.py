"""A small store of which all is known: what was put in, and what was settled."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.deadletter import DeadLetter
from hub.message import Message
from hub.partlog import part_log
from hub.stats.counters import Counters
from hub.store import Journal, Outgoing, RoutedBatch, Share, Try
from hub.store.durable import DurableStore
from hub.store.fsck.problem import Problem
from hub.store.fsck.rows import walk
from hub.store.fsck.survey import Survey, check
from hub.store.tables import FILE, Tables

QUEUES = ("alpha", "beta", "gamma")


class Known:
    """:ivar messages: by queue and position, all that there ever were. :ivar open: positions that are not settled."""

    def __init__(self, directory: Path, seed: int = 0, keep: float = 0.0, queues: tuple[str, ...] = QUEUES) -> None:
        self.directory = directory
        self.random = random.Random(seed)
        self.keep = keep
        self.now = 1000.0
        self.messages: dict[str, dict[int, Message]] = {name: {} for name in queues}
        self.open: dict[str, set[int]] = {name: set() for name in queues}
        self.counters = {name: Counters() for name in queues}
        self.journals = {name: Journal() for name in queues}
        self.letters: dict[str, list[str]] = {name: [] for name in queues}
        self.sent_out: list[str] = []
        self._number = 0
        self.store = self._opened()

    def _opened(self) -> DurableStore:
        options: dict[str, Any] = {"threaded": False, "sync": False, "keep": self.keep, "wall": lambda: self.now}
        store = DurableStore(self.directory, part_log("hub", "store"), **options)
        for name in self.messages:
            store.open(name)
            store.attach(name, lambda name=name: self._take(name))  # type: ignore[misc]
        return store

    def _take(self, name: str) -> Journal:
        journal, self.journals[name] = self.journals[name], Journal()
        journal.counters = replace(self.counters[name])
        return journal

    def reopen(self) -> None:
        """As a hub does that is stopped and started."""
        self.close()
        self.store = self._opened()

    def close(self) -> None:
        self.store.close()

    def commit(self) -> None:
        self.now += 1.0
        assert self.store.writer.step()

    def message(self, size: int) -> Message:
        self._number += 1
        text = f"{self._number}".encode()
        body = text + bytes([65 + self._number % 26]) * size
        return Message(f"id-{self._number}", "a.topic", body, {"n": str(self._number)}, self.now, "bus")

    def append(self, count: int, size: int = 100, names: tuple[str, ...] | None = None) -> None:
        """A batch; each queue gets all of it, or every second message."""
        batch = [self.message(size) for _ in range(count)]
        shares = []
        for name in names or tuple(self.messages):
            indexes = None if self.random.random() < 0.6 else list(range(0, count, 2))
            mine = batch if indexes is None else [batch[index] for index in indexes]
            start = len(self.messages[name])
            self.messages[name] |= dict(enumerate(mine, start))
            self.open[name] |= set(range(start, start + len(mine)))
            shares.append(Share(name, start, indexes, mine))
        self.store.append(RoutedBatch(batch, shares), None)

    def settle(self, name: str, positions: list[int], bury: bool = False) -> None:
        for position in positions:
            self.open[name].remove(position)
            self.journals[name].settled.append((position, position + 1))
            if bury:
                message = self.messages[name][position]
                self.letters[name].append(message.id)
                self.journals[name].letters.append(DeadLetter(message, "why", 1, self.now))
        self.counters[name].dead += len(positions) * bury
        self.counters[name].finished += len(positions) * (not bury)

    def settle_some(self, share: float) -> None:
        for name, open_ in self.open.items():
            chosen = [position for position in sorted(open_) if self.random.random() < share]
            self.settle(name, chosen, bury=self.random.random() < 0.2)

    def retry(self, name: str, position: int) -> None:
        self.journals[name].tries[position] = Try(1, 1, self.now + 60.0, 60.0)

    def post(self, name: str, position: int) -> None:
        """That message is finished, and another one sent out for it."""
        self.sent_out.append(f"out-{position}")
        self.journals[name].outbox.append(Outgoing("bus", Message(f"out-{position}", "a.b", b"{}")))
        self.settle(name, [position])

    def some(self, steps: int = 8, size: int = 100) -> None:
        """Of everything."""
        for number in range(steps):
            self.append(1 + number % 3, size if number % 4 else size * 60)
            self.commit()
            self.settle_some(0.12)
            for name, open_ in self.open.items():
                if open_:
                    self.retry(name, max(open_))
            self.commit()
        for name in self.messages:
            self.settle(name, [min(self.open[name])], bury=True)
            self.post(name, min(self.open[name]))
        self.commit()

    @property
    def file(self) -> Path:
        return self.directory / FILE


def given(directory: Path, names: tuple[str, ...] = QUEUES) -> dict[str, dict[int, Message]]:
    """What a hub that starts there would give to its consumers."""
    store = DurableStore(directory, part_log("hub", "store"), threaded=False, sync=False)
    try:
        return {name: _read(store, name) for name in {*names, *store.writer.ledgers}}
    finally:
        store.close()


def _read(store: DurableStore, name: str) -> dict[int, Message]:
    state = store.open(name)
    window = store.writer.ledgers[name].window
    found: dict[int, Message] = {}
    position = state.floor
    while runs := store.read(name, position, 5, 1 << 20):
        for run in runs:
            assert not run.damaged
            found |= dict(enumerate(run.messages, run.start))
            position = run.start + run.count
    return {at: message for at, message in found.items() if not window.is_finished(at)}


def problems(directory: Path) -> list[Problem]:
    return counts(directory).problems


def counts(directory: Path) -> Survey:
    """As ``survey``, in this process."""
    assert list(walk(directory / FILE))
    (found,) = check(directory)
    return found


def edit(directory: Path) -> Tables:
    """To do damage in."""
    return Tables(directory, sync=False)
