"""What a queue's lock guards, and how what was taken is settled or comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hub.interfaces import Clock
from hub.queue.ages import Ages
from hub.queue.books import Books
from hub.queue.overflow import Overflow, QueuePolicy
from hub.queue.schedule import Entry
from hub.queue.taken import Taken
from hub.queue.trial import Trial
from hub.queue.waiting import Waiting
from hub.store import Store


class Locked:
    """The base of a :class:`~hub.queue.queue.Queue`: the lock, the condition, and what they guard."""

    def __init__(
        self,
        name: str,
        policy: QueuePolicy,
        store: Store,
        clock: Clock,
        wall: Clock,
        on_room: Callable[[], None],
        trial: Trial | None = None,
    ) -> None:
        self.name = name
        self.store = store
        self._clock = clock
        self._wall = wall
        self._on_room = on_room
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._sleepers = 0
        self._closed = False
        self._filling = False
        self._nudges = 0
        self._trial = trial or Trial(clock)
        self._halted_until = float("-inf")
        self.paused = False
        self._in_flight: dict[Taken, None] = {}
        state = store.open(name)
        self._books = Books(state, store.durable)
        self._waiting = Waiting(policy.window if store.durable else None, state.floor, state.next_position)
        self._waiting.unread_size = state.unread_bytes
        self._waiting.oldest_unread = state.oldest
        self._overflow = Overflow(policy, self._books, self._waiting)
        self._admitted = state.next_position
        self._tries = state.tries
        self._ages = Ages(clock, wall)

    @property
    def policy(self) -> QueuePolicy:
        """What it does with its messages."""
        return self._overflow.policy

    def adopt(self, policy: QueuePolicy) -> None:
        """From now on do that."""
        with self._lock:
            self._overflow.policy = policy
            room = self._overflow.made_room()
        self._tell(room)

    def _tell(self, room: bool, news: bool = True) -> None:
        """:param news: whether there is something in the journal that a store wants which keeps no messages."""
        if news or self.store.durable:
            self.store.changed(self.name)
        if room:
            self._on_room()

    def give_back(self, taken: Taken) -> None:
        """What is left of them was not tried now: it is due at once, and what never was is ready again. Nothing left:
        does nothing."""
        with self._lock:
            if taken.left:
                self._put_back(taken, taken.rest(taken.left), self._clock())

    def give_back_from(self, taken: Taken, first: int) -> None:
        """The same for those from the index ``first`` on, while the ones before them are still in hand. Nothing is left
        of them, or all of it was given back meanwhile: does nothing."""
        with self._lock:
            if taken not in self._in_flight or first >= len(taken.messages):
                return
            rest = taken.split(first)
            self._waiting.put_back(rest, rest.rest(rest.left), self._clock())
            if not taken.left:
                self._put_down(taken)
            if self._sleepers:
                self._changed.notify(min(self._sleepers, rest.left))

    def _put_back(self, taken: Taken, entries: list[Entry], due: float) -> None:
        self._waiting.put_back(taken, entries, due)
        taken.done += len(entries)
        if not taken.left:
            self._put_down(taken)
        if self._sleepers:
            self._changed.notify(min(self._sleepers, len(entries)))

    def _put_down(self, taken: Taken) -> None:
        """Nothing of it is in hand any more."""
        del self._in_flight[taken]
        if taken.kills:
            self._trial.end(taken)
            self._halted_until = float("-inf")
            self._changed.notify_all()

    def _settle(self, taken: Taken, upto: int, tie: tuple[int, int] | None = None) -> bool:
        """:param tie: see ``Books.settle``. :returns: whether that made room in a queue that had said it was full."""
        positions = taken.positions[taken.done : upto]
        if isinstance(positions, range):
            self._books.settle(positions.start, positions.stop, tie)
        else:
            for position in positions:
                self._books.settle(position, position + 1, tie)
                tie = tie and (0, 0)
        taken.done = upto
        if not taken.left:
            self._put_down(taken)
            self._waiting.release(taken)
            if taken.lane and self._sleepers:
                self._changed.notify()
        return self._overflow.made_room()

    @property
    def closed(self) -> bool:
        """Whether it hands out nothing any more."""
        return self._closed

    def nudge(self) -> None:
        """Whoever waits in ``take`` now comes back without a message."""
        with self._lock:
            self._nudges += 1
            self._changed.notify_all()

    def close(self) -> None:
        """``take`` returns ``None`` from now on, at once; nothing is lost."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    def open(self) -> None:
        """Undo ``close``."""
        with self._lock:
            self._closed = False
