"""A store that forgets: for queues that need not outlive the hub, and for tests."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, count
from typing import Any

from hub.deadletter import DeadLetter
from hub.interfaces import Clock
from hub.stats.counters import Counters, QueueStats
from hub.store import Beginning, Found, Journal, Kept, Outgoing, QueueState, RoutedBatch, Run
from hub.store.letters import LetterLimits, size_of

DEFAULT_LIMIT = 10_000


class _Graveyard:
    def __init__(self) -> None:
        self.letters: OrderedDict[int, DeadLetter] = OrderedDict()
        self.limits = LetterLimits(DEFAULT_LIMIT)
        self.size = 0
        self.lost = 0

    def add(self, number: int, letter: DeadLetter) -> None:
        self.letters[number] = replace(letter, number=number)
        self.size += size_of(letter)

    def remove(self, number: int) -> None:
        if (letter := self.letters.pop(number, None)) is not None:
            self.size -= size_of(letter)

    def trim(self, oldest: float = float("-inf")) -> None:
        while self.letters and self._surplus(oldest):
            self.remove(next(iter(self.letters)))
            self.lost += 1

    def _surplus(self, oldest: float) -> bool:
        many, large = len(self.letters) > self.limits.count, self.size > self.limits.size and len(self.letters) > 1
        return many or large or next(iter(self.letters.values())).buried_at < oldest


class MemoryStore:
    """See :class:`hub.store.Store`. The messages themselves are kept by the queues; here are the dead letters."""

    durable = False
    keeps = False
    careful = False

    def __init__(self, wall: Clock = time.time) -> None:
        self._wall = wall
        self._created: dict[str, float] = {}
        self._lock = threading.Lock()
        self._graveyards: dict[str, _Graveyard] = {}
        self._journals: dict[str, Callable[[], Journal]] = {}
        self._numbers = count(1)
        self._on_outgoing: Callable[[int, list[Outgoing]], None] = lambda first, outbox: None

    def open(self, queue: str) -> QueueState:
        """Empty."""
        self._created.setdefault(queue, self._wall())
        return QueueState()

    def attach(self, queue: str, journal: Callable[[], Journal]) -> None:
        """Fetch its dead letters there."""
        self._journals[queue] = journal

    def changed(self, queue: str) -> None:
        """Fetches them at once, if there are any."""
        fetch = self._journals.get(queue)
        if fetch is None:
            return  # a thread of its old crew finishes something after the queue was deleted
        journal = fetch()
        if journal.letters:
            self._bury(queue, journal.letters)
        if journal.outbox:
            with self._lock:
                first = next(self._numbers)
                for _ in journal.outbox[1:]:
                    next(self._numbers)
            self._on_outgoing(first, journal.outbox)

    def _bury(self, queue: str, letters: Sequence[DeadLetter]) -> None:
        with self._lock:
            graveyard = self._graveyard(queue)
            for letter in letters:
                graveyard.add(next(self._numbers), letter)
            graveyard.trim()

    def append(self, batch: RoutedBatch, stored: Callable[[], None] | None) -> None:
        """Safe at once, or as safe as it will ever be."""
        if stored is not None:
            stored()

    def hand(self, queue: str) -> MemoryStore:
        """Nobody will ask what was in it."""
        return self

    def hold(self, start: int, stop: int) -> None:
        """See ``hand``."""

    def drop(self) -> None:
        """See ``hand``."""

    def read(self, queue: str, position: int, count: int, size: int) -> Sequence[Run]:
        """Nothing: a queue with this store has all of its messages in memory."""
        return []

    def dead_letters(self, queue: str, after: int = 0, size: int | None = None) -> Sequence[DeadLetter]:
        """The oldest first."""
        with self._lock:
            letters = [letter for number, letter in self._graveyard(queue).letters.items() if number > after]
        sizes = accumulate(len(letter.message.body) + len(letter.traceback) + 1 for letter in letters)
        return letters if size is None else letters[: 1 + bisect_left(list(sizes), size)]

    def letter(self, queue: str, number: int) -> DeadLetter | None:
        """As it is now."""
        with self._lock:
            return self._graveyard(queue).letters.get(number)

    def remove_letters(self, queue: str, numbers: Sequence[int], again: bool = False) -> None:
        """At once."""
        with self._lock:
            for number in numbers:
                self._graveyard(queue).remove(number)

    def kept_dead_letters(self, queue: str) -> int:
        """Now."""
        with self._lock:
            return len(self._graveyard(queue).letters)

    def lost_dead_letters(self, queue: str) -> int:
        """Only grows."""
        with self._lock:
            return self._graveyard(queue).lost

    def limit_dead_letters(self, queue: str, count: int, size: int | None = None, age: float | None = None) -> None:
        """The oldest beyond it go now."""
        with self._lock:
            graveyard = self._graveyard(queue)
            graveyard.limits = LetterLimits.of(count, size, age)
            graveyard.trim(float("-inf") if age is None else self._wall() - age)

    def condition(self) -> tuple[str, str]:
        """Always the same."""
        return "ok", ""

    def watch(self, on_state: Callable[[str, str], None], on_outgoing: Callable[[int, list[Outgoing]], None]) -> None:
        """There is no other state than ``ok``."""
        self._on_outgoing = on_outgoing

    def outbox(self) -> Sequence[tuple[int, Outgoing]]:
        """Nothing is left of it."""
        return []

    def sent(self, number: int) -> None:
        """Nothing is kept of it."""

    def queues(self) -> Sequence[str]:
        """Those that were attached."""
        return list(self._journals)

    def rename(self, old: str, new: str) -> None:
        """There is nothing to keep under another name."""

    def stats(self, queue: str) -> QueueStats:
        """Nothing is known of it here."""
        return QueueStats(Counters(), 0, 0, None)

    def shown(self, queue: str) -> None:
        """Any: with the next hub all begin at nothing."""

    def delete(self, queue: str) -> None:
        """Its dead letters go."""
        with self._lock:
            self._journals.pop(queue, None)
            self._created.pop(queue, None)
            self._graveyards.pop(queue, None)

    def kept(self, since: float, until: float, queue: str) -> Iterator[Sequence[Kept]]:
        """None."""
        return iter(())

    def history(self, queue: str, first: int, stop: int) -> Iterator[tuple[int, Sequence[Kept]]]:
        """None."""
        return iter(())

    def beginning(self, queue: str) -> Beginning | None:
        """There is nothing that it could begin with."""
        return None

    def bound(self, size: int | None) -> None:
        """There is no history that could go."""

    def find(self, id_: str, since: float) -> Iterator[tuple[Sequence[Found], float]]:
        """None: the queues have them."""
        return iter(())

    def find_letters(self, id_: str) -> Iterator[Sequence[tuple[str, DeadLetter]]]:
        """Queue by queue."""
        for queue in list(self._graveyards):
            yield [(queue, letter) for letter in self.dead_letters(queue) if letter.message.id == id_]

    def created_at(self, queue: str) -> float:
        """When it was opened first."""
        return self._created[queue]

    def settled(self, queue: str, position: int) -> bool:
        """Nothing is known of it here."""
        return True

    def pending(self) -> int:
        """None: there is no disk."""
        return 0

    def when_stored(self, call: Callable[[], object]) -> None:
        """Now: it is as safe as it will ever be."""
        call()

    def flush(self, timeout: float) -> bool:
        """All is as safe as it will ever be."""
        return True

    def status(self) -> Mapping[str, Any]:
        """Always the same."""
        return {"state": "ok", "reason": None}

    def close(self) -> bool:
        """As safe as it will ever be."""
        return True

    def _graveyard(self, queue: str) -> _Graveyard:
        return self._graveyards.setdefault(queue, _Graveyard())
