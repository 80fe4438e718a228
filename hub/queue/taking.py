"""How workers get messages out of a queue, waiting for them if need be, and what they do for it on the way."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from functools import partial
from itertools import takewhile

from hub.interfaces import Clock
from hub.queue.ages import AgeLimit, Ages
from hub.queue.books import Books
from hub.queue.killers import read_one
from hub.queue.linger import Linger
from hub.queue.ordering import lane
from hub.queue.overflow import Overflow, QueuePolicy
from hub.queue.refill import bring_back, drop_expired, drop_expired_unread, first_kept, take_in
from hub.queue.schedule import Entry
from hub.queue.waiting import SORT_AHEAD, Taken, Waiting
from hub.store import Store

READ_AT_ONCE = 2048
"""Messages: what a worker reads from the store at a time, while it does nothing else."""
EXPIRE_ROUNDS = 32
"""How often the lock is taken at a time, to drop what is too old."""


class Taking:
    """The part of a :class:`~hub.queue.queue.Queue` that hands out: the lock, the condition, and what they guard.

    A worker that finds a chore (to read from the store, to sort into lanes) does it without the lock, and looks again.
    """

    def __init__(
        self, name: str, policy: QueuePolicy, store: Store, clock: Clock, wall: Clock, on_room: Callable[[], None]
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

    def take(self, limit: int, timeout: float | None = None, linger: float = 0.0) -> Taken | None:
        """The next messages, waiting for one if need be; each that is taken must be settled or given back.

        :param timeout: seconds to wait at most; ``None``: until there is one.
        :param linger: seconds to wait for more, once there is one and as long as there are fewer than ``limit``.
        :returns: ``None``: nothing came in time, or the queue is closed, or ``nudge`` was called.
        """
        now = self._clock()
        patience = Linger(now, timeout, linger)
        nudges = self._nudges
        while True:
            with self._lock:
                if self._closed or nudges != self._nudges:
                    return None
                policy, chore = self._overflow.policy, None if self.paused else self._filling_up()
                if self.paused:
                    if patience.deadline is not None and now >= patience.deadline:
                        return None
                    self._sleep(None if patience.deadline is None else patience.deadline - now)
                elif chore is None:
                    if patience.goes_on(now, len(self._waiting.ready), limit):
                        self._sleep(patience.until - now)
                    elif (taken := self._waiting.take(limit, now, policy.lane_of is not None)) is not None:
                        self._in_flight[taken] = None
                        if taken.messages[0] is None:
                            chore = partial(self._reread, taken)
                        elif policy.max_age is None or (chore := self._expiring(taken, policy.max_age)) is None:
                            return taken
                    elif (chore := self._sorting()) is None:
                        if patience.deadline is not None and now >= patience.deadline:
                            return None
                        self._sleep(self._until_due(now, patience.deadline))
            if chore is not None and (whole := chore()) is not None:
                return whole
            now = self._clock()

    def _until_due(self, now: float, deadline: float | None) -> float | None:
        times = [time for time in (deadline, self._waiting.next_due) if time is not None]
        return max(0.0, min(times) - now) if times else None

    def _sleep(self, seconds: float | None) -> None:
        self._sleepers += 1
        try:
            self._changed.wait(None if seconds is None else min(seconds, threading.TIMEOUT_MAX))
        finally:
            self._sleepers -= 1

    def _sorting(self) -> Callable[[], Taken | None] | None:
        entries = self._waiting.unsorted() if self.policy.lane_of else []
        return partial(self._sort, entries) if entries else None

    def _sort(self, entries: list[Entry]) -> None:
        """Find their lanes without the lock: it may mean to decode their bodies."""
        lane_of = self.policy.lane_of
        keys = [lane(lane_of, entry.message) for entry in entries]
        with self._lock:
            self._waiting.sort(entries, keys)
            self._changed.notify_all()

    def _filling_up(self) -> Callable[[], Taken | None] | None:
        """One thread at a time fills the ready window, while the others go on with what is in it."""
        waiting = self._waiting
        if self._filling:
            return None
        if waiting.resumed.spared:
            self._filling = True
            return partial(self._recover, waiting.resumed.spared[:SORT_AHEAD])
        if not (wanted := waiting.wants()):
            return None
        self._filling = True
        return partial(self._fill, waiting.loaded, waiting.next_position, min(wanted, READ_AT_ONCE), waiting.room())

    def _fill(self, start: int, stop: int, count: int, size: int) -> None:
        try:
            runs = self.store.read(self.name, start, count, size)
            with self._lock:
                take_in(self._waiting, self._books, start, stop, runs)
        finally:
            self._filled()

    def _recover(self, entries: list[Entry]) -> None:
        """What waited for a retry when the others around it were dropped."""
        try:
            for entry in entries:
                message = read_one(self.store, self.name, entry.position)
                with self._lock:
                    bring_back(self._waiting, self._books, entry, message)
        finally:
            self._filled()

    def _filled(self) -> None:
        with self._lock:
            self._filling = False
            self._changed.notify_all()
            room = self._overflow.made_room()
        self._tell(room)

    def _reread(self, taken: Taken) -> Taken | None:
        """The message that ``taken`` stands for, from the store."""
        try:
            message = read_one(self.store, self.name, taken.positions[0])
        except BaseException:
            self.give_back(taken)
            raise
        if message is not None:
            taken.messages = [message]
            return taken
        with self._lock:
            self._books.counters.dropped_damaged += 1
            room = self._settle(taken, 1)
        self._tell(room)
        return None

    # -- what is too old

    def _expiring(self, taken: Taken, max_age: float) -> Callable[[], Taken | None] | None:
        """What was begun never is too old."""
        if taken.attempts:
            return None
        limit = self._ages.limit(max_age)
        old = limit.exceeded(taken.positions[0], taken.messages[0].received_at)
        return partial(self._without_old, taken, limit) if old else None

    def _without_old(self, taken: Taken, limit: AgeLimit) -> Taken | None:
        """What is left of it, once that is dropped."""
        ages = zip(taken.positions, taken.messages, strict=True)
        count = sum(1 for _ in takewhile(lambda one: limit.exceeded(one[0], one[1].received_at), ages))
        with self._lock:
            self._books.counters.dropped_expired += count
            room = self._settle(taken, count)
            if taken.left:
                taken.messages, taken.positions, taken.done = taken.messages[count:], taken.positions[count:], 0
        self._tell(room)
        return taken if taken.left else None

    def expire(self) -> None:
        """Drop what is ready or unread and has waited longer than ``max_age``, in bounded time. What is in a lane is
        dropped when it is its turn."""
        max_age = self.policy.max_age
        if max_age is None:
            return
        with self._lock:
            limit = self._ages.limit(max_age)
        for _ in range(EXPIRE_ROUNDS):
            with self._lock:
                dropped = drop_expired(self._waiting, self._books, limit)
            if not dropped:
                break
        self._expire_unread(limit)
        with self._lock:
            room = self._overflow.made_room()
        self._tell(room)

    def _expire_unread(self, limit: AgeLimit) -> None:
        waiting, oldest = self._waiting, limit.oldest
        with self._lock:
            known = waiting.oldest_unread
            start, stop = waiting.loaded, min(waiting.next_position, limit.upto)
            if waiting.ready or start >= stop or (known is not None and known >= oldest):
                return
        first = first_kept(self._received_at, start, stop, oldest)
        since = min(self._received_at(first), self._wall())
        with self._lock:
            drop_expired_unread(waiting, self._books, first, since)

    def _received_at(self, position: int) -> float:
        """The message there, or the next one that can be read; never, if there is none."""
        runs = self.store.read(self.name, position, READ_AT_ONCE, 1)
        return next((run.messages[0].received_at for run in runs if run.messages), math.inf)

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
                del self._in_flight[taken]
            if self._sleepers:
                self._changed.notify(min(self._sleepers, rest.left))

    def _put_back(self, taken: Taken, entries: list[Entry], due: float) -> None:
        self._waiting.put_back(taken, entries, due)
        taken.done += len(entries)
        if not taken.left:
            del self._in_flight[taken]
        if self._sleepers:
            self._changed.notify(min(self._sleepers, len(entries)))

    def _settle(self, taken: Taken, upto: int) -> bool:
        """:returns: whether that made room in a queue that had said it was full."""
        positions = taken.positions[taken.done : upto]
        if isinstance(positions, range):
            self._books.settle(positions.start, positions.stop)
        else:
            for position in positions:
                self._books.settle(position, position + 1)
        taken.done = upto
        if not taken.left:
            del self._in_flight[taken]
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
