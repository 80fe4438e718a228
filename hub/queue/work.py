"""Pieces of work that a worker does for its queue before it gets a message, without the lock: read, sort, drop.

``needed`` of each class, called under the queue's lock, returns the piece of work if there is one. ``run`` does it, and
returns a delivery if one is ready then.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Hashable
from contextlib import AbstractContextManager
from itertools import takewhile
from typing import Protocol

from hub.headers import overdue
from hub.interfaces import Clock
from hub.message import Message
from hub.queue.ack_state import AckState
from hub.queue.ages import AgeLimit, Ages
from hub.queue.backlog import SORT_AHEAD, Backlog
from hub.queue.delivery import Delivery, Entry
from hub.queue.in_flight import InFlight
from hub.queue.key_order import Item
from hub.queue.ordering import safe_key
from hub.queue.overflow import Overflow
from hub.queue.poison import Trial
from hub.queue.readback import READ_BACK_BYTES, read_back, read_one
from hub.queue.schedule import AT_FRONT
from hub.queue.waiters import Waiters
from hub.store import Store

READ_AT_ONCE = 2048
"""Most messages that are read from the store at a time."""
LOOK_AGAIN = 0.05
"""Seconds until a queue tries again to deliver a message that is suspected of a kill."""


class Shared(Protocol):
    """The parts of a queue that the modules of this package share.

    :ivar lock: guards all others. :ivar loading: whether a thread reads the next messages from the store.
    :ivar next_position: position of the next message that is admitted.
    """

    name: str
    store: Store
    clock: Clock
    wall: Clock
    lock: threading.Lock
    acks: AckState
    backlog: Backlog
    overflow: Overflow
    in_flight: InFlight
    waiters: Waiters
    ages: Ages
    trial: Trial
    loading: bool
    next_position: int

    def announce(self, room: bool, journal: bool) -> None:
        """Notify the buses, the store and the listener of a change. Not under the lock."""

    def changing(self, journal: bool = False, wake: bool = True) -> AbstractContextManager[None]:
        """Context of a change under the lock, which is announced afterwards."""


class Work(Protocol):
    """A piece of work. :ivar reads: whether it reads the store, which may take long."""

    reads: bool

    def run(self) -> Delivery | None:
        """Do the work. Not under the lock. Returns a delivery if one is ready."""


def loaded(queue: Shared) -> None:
    """End the reading of messages, successful or not."""
    with queue.changing(journal=True):
        queue.loading = False


class Load:
    """Work: read the next unread messages into the ready window. One thread at a time does it."""

    reads = True

    def __init__(self, queue: Shared, count: int, size: int) -> None:
        ready = queue.backlog.ready
        self._queue = queue
        self._start, self._stop, self._count, self._size = ready.loaded, ready.next_position, count, size

    @classmethod
    def needed(cls, queue: Shared, most: int = sys.maxsize) -> Load | None:
        """Return the work if half of the window is empty. :param most: bytes after which it ends with its page."""
        if not (wanted := queue.backlog.ready.wanted()):
            return None
        queue.loading = True
        return cls(queue, min(wanted, READ_AT_ONCE), min(queue.backlog.ready.room(), most))

    def run(self) -> None:
        """Read the messages."""
        queue = self._queue
        try:
            runs = queue.store.read(queue.name, self._start, self._count, self._size)
            with queue.lock:
                queue.backlog.ready.fill(self._start, self._stop, runs)
        finally:
            loaded(queue)


class LoadExempted:
    """Work: read recovered messages whose neighbours were dropped."""

    reads = True

    def __init__(self, queue: Shared, entries: list[Entry]) -> None:
        self._queue, self._entries = queue, entries

    @classmethod
    def needed(cls, queue: Shared) -> LoadExempted | None:
        """Return the work if there are such messages."""
        if not (entries := queue.backlog.schedule.recovered.exempted[:SORT_AHEAD]):
            return None
        queue.loading = True
        return cls(queue, entries)

    def run(self) -> None:
        """Read the messages one by one."""
        queue = self._queue
        try:
            for entry in self._entries:
                message = read_one(queue.store, queue.name, entry.position)
                with queue.lock:
                    queue.backlog.ready.restore(entry, message)
        finally:
            loaded(queue)


class LoadKey:
    """Work: read unloaded messages of one key whose turn has come."""

    reads = True

    def __init__(self, queue: Shared, key: Hashable, items: list[Item]) -> None:
        self._queue, self._key, self._items = queue, key, items

    @classmethod
    def needed(cls, queue: Shared) -> LoadKey | None:
        """Return the work if there is such a key."""
        unread = queue.backlog.keys.unread()
        return None if unread is None else cls(queue, *unread)

    def run(self) -> None:
        """Read the messages. The key is freed even if that fails."""
        queue, items = self._queue, self._items
        positions = [item if isinstance(item, int) else item.position for item in items]
        messages: dict[int, Message] = {}
        looked = 0
        try:
            messages, looked = read_back(queue.store, queue.name, positions, READ_BACK_BYTES)
        finally:
            with queue.changing(journal=True):
                queue.backlog.load_key(self._key, items[:looked], messages)


class SortByKey:
    """Work: sort messages by key. Their bodies may have to be decoded."""

    reads = False

    def __init__(self, queue: Shared, entries: list[Entry]) -> None:
        self._queue, self._entries = queue, entries

    @classmethod
    def needed(cls, queue: Shared) -> SortByKey | None:
        """Return the work if messages have keys, and too few are sorted."""
        entries = queue.backlog.unsorted() if queue.overflow.policy.key_of else []
        return cls(queue, entries) if entries else None

    def run(self) -> None:
        """Compute the keys, and sort the messages."""
        queue = self._queue
        key_of = queue.overflow.policy.key_of
        keys = [safe_key(key_of, entry.message) for entry in self._entries]
        with queue.lock:
            queue.backlog.sort(self._entries, keys)
            queue.waiters.wake_all()
        queue.announce(False, False)


class TryAlone:
    """Work: deliver a suspect, unless another one is in flight in any queue.

    In that case the whole queue waits: the next messages may be suspects too.
    """

    reads = False

    def __init__(self, queue: Shared, delivery: Delivery) -> None:
        self._queue, self._delivery = queue, delivery

    def run(self) -> Delivery | None:
        """Return the delivery, or ``None`` while another suspect is in flight."""
        queue, delivery = self._queue, self._delivery
        if queue.trial.begin(delivery):
            return delivery
        with queue.lock:
            queue.in_flight.put_back(delivery, delivery.rest(delivery.left), AT_FRONT)
            queue.in_flight.halted_until = queue.clock() + LOOK_AGAIN
        return None


class LoadDelivery:
    """Work: read the messages of a delivery that are not in memory. A part that is too large is returned to the
    front.

    :ivar delivery: the delivery.
    """

    reads = True

    def __init__(self, queue: Shared, delivery: Delivery) -> None:
        self._queue, self.delivery = queue, delivery

    def run(self) -> Delivery | None:
        """Return the delivery, or ``None`` if no message of it can be read."""
        queue, delivery = self._queue, self.delivery
        positions = list(delivery.positions)
        try:
            found, looked = read_back(queue.store, queue.name, positions, READ_BACK_BYTES)
        except BaseException:
            with queue.lock:
                queue.in_flight.put_back(delivery, delivery.rest(delivery.left), AT_FRONT)
            raise
        missing = [position for position in positions[:looked] if position not in found]
        with queue.changing(journal=True, wake=False):
            queue.in_flight.put_back_from(delivery, looked, AT_FRONT)
            delivery.positions = missing + list(found)
            queue.acks.counters.dropped_damaged += len(missing)
            if missing:
                queue.in_flight.settle(delivery, len(missing))
            delivery.messages, delivery.positions, delivery.done = list(found.values()), list(found), 0
        if not found:
            return None
        if delivery.kills:
            return TryAlone(queue, delivery).run()
        return _without_overdue(queue, delivery)


class DropExpired:
    """Work: drop the messages of a delivery that are too old."""

    reads = False

    def __init__(self, queue: Shared, delivery: Delivery, limit: AgeLimit) -> None:
        self._queue, self._delivery, self._limit = queue, delivery, limit

    @classmethod
    def needed(cls, queue: Shared, delivery: Delivery, max_age: float) -> DropExpired | None:
        """Return the work if the first message is too old. A message that was tried or delayed never is."""
        if delivery.attempts or delivery.scheduled:
            return None
        limit = queue.ages.limit(max_age)
        old = limit.exceeded(delivery.positions[0], delivery.messages[0].received_at)
        return cls(queue, delivery, limit) if old else None

    def run(self) -> Delivery | None:
        """Return the delivery with the other messages, or ``None`` if all were dropped."""
        queue, delivery, limit = self._queue, self._delivery, self._limit
        ages = zip(delivery.positions, delivery.messages, strict=True)
        count = sum(1 for _ in takewhile(lambda one: limit.exceeded(one[0], one[1].received_at), ages))
        with queue.changing(journal=True, wake=False):
            queue.acks.counters.dropped_expired += count
            queue.in_flight.settle(delivery, count)
            if delivery.left:
                delivery.messages, delivery.positions = delivery.messages[count:], delivery.positions[count:]
                delivery.done = 0
        return _without_overdue(queue, delivery) if delivery.left else None


class DropOverdue:
    """Work: drop the messages of a delivery whose time is over; see :data:`hub.headers.EXPIRES`."""

    reads = False

    def __init__(self, queue: Shared, delivery: Delivery, now: float) -> None:
        self._queue, self._delivery, self._now = queue, delivery, now

    @classmethod
    def needed(cls, queue: Shared, delivery: Delivery) -> DropOverdue | None:
        """Return the work if a message is overdue, and the queue looks for that."""
        now = queue.wall()
        for message in delivery.messages if queue.overflow.policy.expires else ():
            if overdue(message, now):
                return cls(queue, delivery, now)
        return None

    def run(self) -> Delivery | None:
        """Return the delivery with the other messages, or ``None`` if all were dropped."""
        queue, delivery, now = self._queue, self._delivery, self._now
        with queue.changing(journal=True, wake=False):
            return queue.in_flight.leave_out(delivery, [overdue(message, now) for message in delivery.messages])


def _without_overdue(queue: Shared, delivery: Delivery) -> Delivery | None:
    """Return a delivery without the messages whose time is over; ``None``: all were dropped."""
    dropping = DropOverdue.needed(queue, delivery)
    return delivery if dropping is None else dropping.run()


def prepare(queue: Shared, delivery: Delivery) -> Work | None:
    """Return the work that a delivery needs before a worker gets it. Under the lock."""
    if delivery.unread:
        return LoadDelivery(queue, delivery)
    if delivery.kills:
        return TryAlone(queue, delivery)
    max_age = queue.overflow.policy.max_age
    old = None if max_age is None else DropExpired.needed(queue, delivery, max_age)
    return old or DropOverdue.needed(queue, delivery)
