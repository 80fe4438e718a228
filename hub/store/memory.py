"""Memory store: for queues that need not outlive the hub, and for tests."""

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
from hub.store import Beginning, CommittedState, Found, Journal, Kept, OutboxPortion, Outgoing, RoutedBatch, Run
from hub.store.letters import LetterLimits, size_of
from hub.store.queue_key import QueueId, QueueKey

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
    """A :class:`~hub.store.interface.Store` in memory. It keeps dead letters; the queues keep the messages."""

    durable = False
    keeps = False
    log_reader = None

    def __init__(self, wall: Clock = time.time) -> None:
        self._wall = wall
        self._created: dict[str, float] = {}
        self._declarations: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._graveyards: dict[str, _Graveyard] = {}
        self._journals: dict[str, Callable[[], Journal]] = {}
        self._numbers = count(1)
        self._on_outgoing: Callable[[int, list[Outgoing]], None] = lambda first, outbox: None

    def open(self, queue: QueueId) -> CommittedState:
        """Open a queue. Its state is always empty."""
        self._created.setdefault(str(QueueKey.of(queue)), self._wall())
        return CommittedState()

    def declare(self, queue: QueueId, declaration: bytes) -> None:
        """Keep the declaration of a queue."""
        self.open(queue)
        self._declarations[str(queue)] = declaration

    def declarations(self) -> Mapping[str, bytes]:
        """Declarations by name."""
        return dict(self._declarations)

    def attach(self, queue: QueueId, journal: Callable[[], Journal]) -> None:
        """Set the function that returns the queue's journal."""
        self._journals[str(queue)] = journal

    def changed(self, queue: QueueId) -> None:
        """Fetch the journal at once, for its dead letters and outgoing messages."""
        fetch = self._journals.get(str(queue))
        if fetch is None:
            return  # a thread of the old crew finishes a message after the queue was deleted
        journal = fetch()
        if journal.letters:
            self._bury(queue, journal.letters)
        if journal.outbox:
            with self._lock:
                first = next(self._numbers)
                for _ in journal.outbox[1:]:
                    next(self._numbers)
            self._on_outgoing(first, journal.outbox)

    def _bury(self, queue: QueueId, letters: Sequence[DeadLetter]) -> None:
        with self._lock:
            graveyard = self._graveyard(queue)
            for letter in letters:
                graveyard.add(next(self._numbers), letter)
            graveyard.trim()

    def append(self, batch: RoutedBatch, stored: Callable[[], None] | None) -> bool:
        """Call ``stored`` at once: a batch gets no safer."""
        if stored is not None:
            stored()
        return False

    def watch_size(self, size: int, call: Callable[[], object]) -> None:
        """Does nothing: nothing that is appended is kept here."""

    def slot(self, queue: QueueId) -> MemoryStore:
        """A slot that records nothing."""
        return self

    def hold(self, start: int, stop: int) -> None:
        """Does nothing: no kill is survived."""

    def drop(self) -> None:
        """Does nothing: no kill is survived."""

    def read(self, queue: QueueId, position: int, count: int, size: int) -> Sequence[Run]:
        """No messages: a queue with this store has all of them in memory."""
        return []

    def dead_letters(self, queue: QueueId, after: int = 0, size: int | None = None) -> Sequence[DeadLetter]:
        """Dead letters, the oldest first."""
        with self._lock:
            letters = [letter for number, letter in self._graveyard(queue).letters.items() if number > after]
        sizes = accumulate(map(size_of, letters))
        return letters if size is None else letters[: 1 + bisect_left(list(sizes), size)]

    def letter(self, queue: QueueId, number: int) -> DeadLetter | None:
        """The dead letter with that number; ``None``: there is none."""
        with self._lock:
            return self._graveyard(queue).letters.get(number)

    def remove_letters(self, queue: QueueId, numbers: Sequence[int], again: bool = False) -> None:
        """Remove dead letters at once."""
        with self._lock:
            for number in numbers:
                self._graveyard(queue).remove(number)

    def kept_dead_letters(self, queue: QueueId) -> int:
        """Number of dead letters."""
        with self._lock:
            return len(self._graveyard(queue).letters)

    def lost_dead_letters(self, queue: QueueId) -> int:
        """Number of evicted dead letters; only grows."""
        with self._lock:
            return self._graveyard(queue).lost

    def limit_dead_letters(self, queue: QueueId, count: int, size: int | None = None, age: float | None = None) -> None:
        """Limit the dead letters. The oldest beyond the limits are evicted now."""
        with self._lock:
            graveyard = self._graveyard(queue)
            graveyard.limits = LetterLimits.of(count, size, age)
            graveyard.trim(float("-inf") if age is None else self._wall() - age)

    def condition(self) -> tuple[str, str]:
        """State and reason: always ``ok``."""
        return "ok", ""

    def watch(self, on_state: Callable[[str, str], None], on_outgoing: Callable[[int, list[Outgoing]], None]) -> None:
        """Set the callback for outgoing messages. The state never changes."""
        self._on_outgoing = on_outgoing

    def outbox(self, backend: str, after: int, count: int) -> OutboxPortion:
        """No messages: outgoing ones are passed on once, and not kept."""
        return OutboxPortion([], after, False)

    def outbox_counts(self) -> tuple[Mapping[str, int], int]:
        """No messages: none are kept."""
        return {}, 0

    def sent(self, number: int) -> None:
        """Does nothing: outgoing messages are not kept."""

    def queues(self) -> Sequence[str]:
        """Names of the attached queues."""
        return list(self._journals)

    def rename(self, old: QueueId, new: QueueId) -> None:
        """Rename a queue at once."""
        before, after = str(old), str(QueueKey.of(new))
        with self._lock:
            self._created[after] = self._created.pop(before)
            if before in self._declarations:
                self._declarations[after] = self._declarations.pop(before)
            self._journals[after] = self._journals.pop(before)
            self._graveyards[after] = self._graveyards.pop(before, _Graveyard())

    def stats(self, queue: QueueId) -> QueueStats:
        """Empty numbers: none are kept."""
        return QueueStats(Counters(), 0, 0, None)

    def shown(self, queue: QueueId) -> None:
        """``None``: current counters may be shown, since they end with the hub."""

    def delete(self, queue: QueueId) -> None:
        """Delete a queue's dead letters."""
        with self._lock:
            self._journals.pop(str(queue), None)
            self._created.pop(str(queue), None)
            self._declarations.pop(str(queue), None)
            self._graveyards.pop(str(queue), None)

    def kept(self, since: float, until: float, queue: QueueId) -> Iterator[Sequence[Kept]]:
        """No messages: there is no history."""
        return iter(())

    def history(self, queue: QueueId, first: int, stop: int) -> Iterator[tuple[int, Sequence[Kept]]]:
        """No messages: there is no history."""
        return iter(())

    def beginning(self, queue: QueueId) -> Beginning | None:
        """``None``: there is no history for a backfill."""
        return None

    def bound(self, size: int | None) -> None:
        """Does nothing: there is no history."""

    def find(self, id_: str, since: float) -> Iterator[tuple[Sequence[Found], float]]:
        """No messages: the queues have them."""
        return iter(())

    def find_letters(self, id_: str) -> Iterator[Sequence[tuple[str, DeadLetter]]]:
        """Dead letters with an id, queue by queue."""
        for queue in list(self._graveyards):
            yield [(queue, letter) for letter in self.dead_letters(queue) if letter.message.id == id_]

    def created_at(self, queue: QueueId) -> float:
        """Epoch seconds at which the queue was opened first."""
        return self._created[str(queue)]

    def settled(self, queue: QueueId, position: int) -> bool:
        """True: messages are not known here."""
        return True

    def pending(self) -> int:
        """0: there is no disk."""
        return 0

    def when_stored(self, call: Callable[[], object], at_once: bool = True) -> None:
        """Call ``call`` at once: nothing gets safer."""
        call()

    def flush(self, timeout: float) -> bool:
        """Return true: nothing gets safer."""
        return True

    def status(self) -> Mapping[str, Any]:
        """State and reason: always ``ok``."""
        return {"state": "ok", "reason": None}

    def close(self) -> bool:
        """Return true: nothing gets safer."""
        return True

    def _graveyard(self, queue: QueueId) -> _Graveyard:
        return self._graveyards.setdefault(str(queue), _Graveyard())
