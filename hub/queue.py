"""A consumer's queue: all that the reactor and the workers share, and the only lock between them.

Each message that is routed here gets the queue's next *position*. It is *waiting*, *in flight* (a worker has it), or
*settled* (finished, buried or dropped). At any moment::

    received == finished + dead + dropped + backlog

The lock is held for constant time and never while calling out. Positions and the ack window, not the messages, say what
is left: that is what a durable store has to keep.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hub.counters import Counters, QueueStats
from hub.interfaces import Clock
from hub.message import Message
from hub.schedule import Entry
from hub.waiting import LaneOf, Taken, Waiting
from hub.window import AckWindow


@dataclass(frozen=True)
class QueuePolicy:
    """What a queue does with its messages; a reload may replace it."""

    max_backlog: int = 100_000
    max_bytes: int = 128 << 20
    overflow: Literal["block", "drop_oldest", "drop_newest"] = "drop_newest"
    lane_of: LaneOf | None = None
    """Messages of one lane are handled one at a time, in order; ``None``: no lanes."""


class Queue:
    """See the module. ``offer`` and ``refuse`` belong to the reactor, the rest to any thread.

    :param clock: monotonic seconds, for retries.
    :param on_room: called, without the lock, by the worker that made room in a queue that had said it was full.
    """

    def __init__(
        self, name: str, policy: QueuePolicy, clock: Clock, on_room: Callable[[], None] = lambda: None
    ) -> None:
        self.name = name
        self.policy = policy
        self._clock = clock
        self._on_room = on_room
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._sleepers = 0
        self._closed = False
        self._full = False
        self._next_position = 0
        self._window = AckWindow()
        self._counters = Counters()
        self._waiting = Waiting()
        self._in_flight: dict[Taken, None] = {}

    # -- the reactor's side

    def offer(self, messages: Sequence[Message], size: int) -> bool:
        """Add a batch; the list must not change afterwards.

        :param size: bytes of its bodies.
        :returns: whether the bus should be held back: the queue is full, and its policy is to block.
        """
        with self._lock:
            start = self._next_position
            self._next_position += len(messages)
            self._counters.received += len(messages)
            self._counters.received_bytes += size
            ready, policy = self._waiting.ready, self.policy
            if self._counters.backlog <= policy.max_backlog and self._waiting.size + size <= policy.max_bytes:
                ready.append(start, messages, size)
            elif policy.overflow == "block":
                ready.append(start, messages, size)
                self._full = True
            elif policy.overflow == "drop_oldest":
                ready.append(start, messages, size)
                self._drop_oldest()
            else:
                self._drop_newest(start, messages)
            if self._sleepers:
                self._changed.notify(min(self._sleepers, len(messages)))
            return self._full

    def _drop_oldest(self) -> None:
        """What a worker has, or waits for a retry, is not dropped: it was begun."""
        waiting, policy = self._waiting, self.policy
        while waiting.ready and (
            (surplus := self._counters.backlog - policy.max_backlog) > 0 or waiting.size > policy.max_bytes
        ):
            positions, _ = waiting.ready.take(max(1, surplus))
            self._window.finish(positions.start, positions.stop)
            self._counters.dropped_oldest += len(positions)

    def _drop_newest(self, start: int, messages: Sequence[Message]) -> None:
        ready, policy = self._waiting.ready, self.policy
        fitting = max(0, len(messages) - max(0, self._counters.backlog - policy.max_backlog))
        room = policy.max_bytes - self._waiting.size
        kept, size = 0, 0
        while kept < fitting and size + len(messages[kept].body) <= room:
            size += len(messages[kept].body)
            kept += 1
        ready.append(start, messages[:kept], size)
        self._window.finish(start + kept, start + len(messages))
        self._counters.dropped_newest += len(messages) - kept

    def refuse(self) -> None:
        """Count a message that can't be used, and was buried without being queued."""
        with self._lock:
            self._window.finish(self._next_position, self._next_position + 1)
            self._next_position += 1
            self._counters.received += 1
            self._counters.dead += 1

    # -- the workers' side

    def take(self, limit: int, timeout: float | None = None, linger: float = 0.0) -> Taken | None:
        """The next messages, waiting for one if need be; each that is taken must be settled or given back.

        :param timeout: seconds to wait at most; ``None``: until there is one.
        :param linger: seconds to wait for more, once there is one and as long as there are fewer than ``limit``.
        :returns: ``None``: nothing came in time, or the queue is closed.
        """
        started = now = self._clock()
        lingers_until: float | None = None
        while True:
            with self._lock:
                if self._closed:
                    return None
                ready = len(self._waiting.ready)
                if linger and 0 < ready < limit:
                    lingers_until = now + linger if lingers_until is None else lingers_until
                if lingers_until is not None and ready < limit and now < lingers_until:
                    self._sleep(lingers_until - now)
                    unsorted: list[Entry] = []
                else:
                    taken = self._waiting.take(limit, now, self.policy.lane_of is not None)
                    if taken is not None:
                        self._in_flight[taken] = None
                        return taken
                    unsorted = self._waiting.unsorted() if self.policy.lane_of else []
                    if not unsorted:
                        if timeout is not None and now >= started + timeout:
                            return None
                        self._sleep(self._until_due(now, None if timeout is None else started + timeout))
            if unsorted:
                self._sort(unsorted)
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

    def _sort(self, entries: list[Entry]) -> None:
        """Find their lanes without the lock: it may mean to decode their bodies."""
        lane_of = self.policy.lane_of
        keys = [_lane(lane_of, entry.message) for entry in entries]
        with self._lock:
            self._waiting.sort(entries, keys)
            self._changed.notify_all()

    def finish(self, taken: Taken, upto: int) -> None:
        """The first ``upto`` of them are done."""
        with self._lock:
            self._counters.finished += upto - taken.done
            room = self._settle(taken, upto)
        if room:
            self._on_room()

    def bury(self, taken: Taken, failed: bool) -> None:
        """The next one of them is a dead letter, which the caller has stored.

        :param failed: whether it was an exception of the kind that counts as a failure.
        """
        with self._lock:
            self._counters.dead += 1
            self._counters.failed += failed
            room = self._settle(taken, taken.done + 1)
        if room:
            self._on_room()

    def retry(self, taken: Taken, delay: float, failed: bool) -> None:
        """The next one of them is to be given again in ``delay`` seconds. In a lane the rest waits behind it, and
        ``taken`` is empty afterwards."""
        with self._lock:
            self._counters.retried += 1
            self._counters.failed += failed
            entries = taken.rest(taken.left if taken.lane else 1)
            entries[0].attempts += 1
            entries[0].failures += failed
            self._put_back(taken, entries, self._clock() + delay)

    def give_back(self, taken: Taken) -> None:
        """What is left of them was not tried: it is due at once, before all others. Nothing left: does nothing."""
        with self._lock:
            if taken.left:
                self._put_back(taken, taken.rest(taken.left), self._clock())

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
            self._window.finish(positions.start, positions.stop)
        else:
            for position in positions:
                self._window.finish(position, position + 1)
        taken.done = upto
        if not taken.left:
            del self._in_flight[taken]
            self._waiting.release(taken)
            if taken.lane and self._sleepers:
                self._changed.notify()
        return self._full and self._has_room()

    def _has_room(self) -> bool:
        """A quarter free: a bus that is held back and let go at every message would do little else."""
        low, low_bytes = self.policy.max_backlog * 3 // 4, self.policy.max_bytes * 3 // 4
        self._full = self._counters.backlog > low or self._waiting.size > low_bytes
        return not self._full

    # -- both sides

    @property
    def full(self) -> bool:
        """Whether it asked for the bus to be held back, and has made no room since."""
        return self._full

    def close(self) -> None:
        """``take`` returns ``None`` from now on, at once; nothing is lost."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()

    def open(self) -> None:
        """Undo ``close``."""
        with self._lock:
            self._closed = False

    def stats(self) -> QueueStats:
        """One consistent reading; changes nothing."""
        with self._lock:
            unreported = sum(taken.unreported for taken in self._in_flight)
            in_flight = sum(taken.left for taken in self._in_flight) - unreported
            counters = replace(self._counters, finished=self._counters.finished + unreported)
            return QueueStats(counters, in_flight, self._waiting.delayed, self._oldest())

    def _oldest(self) -> float | None:
        """Positions rise with arrival, so the first one that is not settled, the floor, is the oldest."""
        floor = self._window.floor
        message = self._waiting.at(floor)
        for taken in self._in_flight:
            if taken.left and taken.positions[taken.done] == floor:
                message = taken.messages[max(taken.done, taken.at)]
        return message.received_at if message is not None else None


def _lane(lane_of: LaneOf | None, message: Message) -> Hashable:
    """Messages whose lane can't be told share one: an error here would leave the queue to nobody."""
    try:
        return lane_of(message) if lane_of else None
    except Exception:  # noqa: BLE001 - see above
        return None
