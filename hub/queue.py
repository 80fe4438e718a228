"""A consumer's queue: all that the reactor and the workers share, and the only lock between them.

Each message that is routed here gets the queue's next *position*. It is *waiting*, *in flight* (a worker has it), or
*settled* (finished, buried or dropped). At any moment::

    received == finished + dead + dropped + backlog

The lock is held for constant time and never while calling out. Positions and the ack window, not the messages, say what
is left; the *journal* holds what has changed since the store fetched it last.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from hub.books import Books
from hub.counters import QueueStats
from hub.deadletter import DeadLetter
from hub.interfaces import Clock
from hub.linger import Linger
from hub.message import Message
from hub.overflow import Overflow, QueuePolicy
from hub.partlog import part_log
from hub.refill import drop_ready, drop_unread, take_in
from hub.schedule import Entry
from hub.store import Journal, Outgoing, Store, Try
from hub.waiting import LaneOf, Taken, Waiting

READ_AT_ONCE = 2048
"""Messages: what a worker reads from the store at a time, while it does nothing else."""
EXPIRE_AT_ONCE = 256


class Queue:
    """See the module. ``admit``, ``offer`` and ``refuse`` belong to the reactor, the rest to any thread.

    :param clock: monotonic seconds, for retries. :param wall: epoch seconds, for ages and for what is stored.
    :param on_room: called, without the lock, by the worker that made room in a queue that had said it was full.
    """

    def __init__(
        self,
        name: str,
        policy: QueuePolicy,
        store: Store,
        clock: Clock,
        wall: Clock,
        on_room: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.store = store
        self._clock, self._wall = clock, wall
        self._on_room = on_room
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._sleepers = 0
        self._closed = False
        self._filling = False
        self._in_flight: dict[Taken, None] = {}
        state = store.open(name)
        self._books = Books(state, store.durable)
        self._waiting = Waiting(policy.window if store.durable else None, state.floor, state.next_position)
        self._waiting.unread_size = state.unread_bytes
        self._overflow = Overflow(policy, self._books, self._waiting)
        self._admitted = state.next_position
        self._oldest_unread = state.oldest
        self._resume(state.tries)
        store.attach(name, self.take_journal)

    def _resume(self, tries: Mapping[int, Try]) -> None:
        now, wall, entries = self._clock(), self._wall(), {}
        for position, one in tries.items():
            if one.kills >= self.policy.max_kills:
                self._bury_killer(position, one)
                continue
            due = now + max(0.0, min(one.due - wall, one.delay))
            entries[position] = Entry(position, None, one.attempts, one.failures, one.kills, due)
        self._waiting.resume(entries, self.policy.lane_of is not None)

    @property
    def policy(self) -> QueuePolicy:
        """What it does with its messages; may be replaced."""
        return self._overflow.policy

    @policy.setter
    def policy(self, policy: QueuePolicy) -> None:
        with self._lock:
            self._overflow.policy = policy

    # -- the reactor's side

    def admit(self, messages: Sequence[Message], size: int) -> tuple[int, Sequence[Message], int]:
        """Give positions to a batch, or to what fits of it; it is handed out once it is offered.

        :param size: bytes of its bodies.
        :returns: the first position, the messages that were admitted, their bytes.
        """
        with self._lock:
            kept, kept_size = self._overflow.fitting(messages, size)
            counters = self._books.counters
            counters.received += len(messages)
            counters.received_bytes += size
            counters.dropped_newest += len(messages) - len(kept)
            start = self._admitted
            self._admitted += len(kept)
            return start, kept, kept_size

    def offer(self, start: int, messages: Sequence[Message], size: int) -> bool:
        """Hand out what was admitted and, where the queue is durable, appended; the list must not change afterwards.

        :returns: whether the bus should be held back: the queue is full, and its policy is to block.
        """
        with self._lock:
            if not self._waiting.behind and messages:
                self._oldest_unread = messages[0].received_at
            self._waiting.arrive(start, messages, size)
            self._overflow.arrived()
            if self._sleepers:
                self._changed.notify(min(self._sleepers, len(messages)))
            return self._overflow.full

    def refuse(self, letter: DeadLetter) -> None:
        """Bury a message that can't be used, without queueing it."""
        with self._lock:
            self._books.counters.received += 1
            self._books.counters.dead += 1
            self._books.journal.letters.append(letter)
        self.store.changed(self.name)

    # -- the workers' side

    def take(self, limit: int, timeout: float | None = None, linger: float = 0.0) -> Taken | None:
        """The next messages, waiting for one if need be; each that is taken must be settled or given back.

        :param timeout: seconds to wait at most; ``None``: until there is one.
        :param linger: seconds to wait for more, once there is one and as long as there are fewer than ``limit``.
        :returns: ``None``: nothing came in time, or the queue is closed.
        """
        now = self._clock()
        patience = Linger(now, timeout, linger)
        while True:
            with self._lock:
                if self._closed:
                    return None
                chore = self._filling_up()
                if chore is None:
                    if patience.goes_on(now, len(self._waiting.ready), limit):
                        self._sleep(patience.until - now)
                    elif (taken := self._waiting.take(limit, now, self.policy.lane_of is not None)) is not None:
                        self._in_flight[taken] = None
                        if taken.messages[0] is not None:
                            return taken
                        chore = partial(self._reread, taken)
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
        keys = [_lane(lane_of, entry.message) for entry in entries]
        with self._lock:
            self._waiting.sort(entries, keys)
            self._changed.notify_all()

    def _filling_up(self) -> Callable[[], Taken | None] | None:
        """One thread at a time fills the ready window, while the others go on with what is in it."""
        wanted = 0 if self._filling else self._waiting.wants()
        if not wanted:
            return None
        self._filling = True
        waiting = self._waiting
        return partial(self._fill, waiting.loaded, waiting.next_position, min(wanted, READ_AT_ONCE), waiting.room())

    def _fill(self, start: int, stop: int, count: int, size: int) -> None:
        try:
            runs = self.store.read(self.name, start, count, size)
            with self._lock:
                take_in(self._waiting, self._books, start, stop, runs)
        finally:
            with self._lock:
                self._filling = False
                self._changed.notify_all()

    def _reread(self, taken: Taken) -> Taken | None:
        """The message that ``taken`` stands for, from the store."""
        message = self._read_one(taken.positions[0])
        if message is not None:
            taken.messages = [message]
            return taken
        with self._lock:
            self._books.counters.dropped_damaged += 1
            self._settle(taken, 1)
        return None

    def _read_one(self, position: int) -> Message | None:
        runs = self.store.read(self.name, position, 1, 1)
        return runs[0].messages[0] if runs and runs[0].messages and runs[0].start == position else None

    def expire(self) -> None:
        """Drop what is ready and older than ``max_age``; a bounded number at a time."""
        max_age = self.policy.max_age
        if max_age is None:
            return
        with self._lock:
            oldest = self._wall() - max_age
            ready, books = self._waiting.ready, self._books
            for _ in range(EXPIRE_AT_ONCE):
                if (head := ready.head) is None or head[1].received_at > oldest:
                    break
                books.counters.dropped_expired += drop_ready(self._waiting, books, 1)
        self.store.changed(self.name)

    def finish(self, taken: Taken, upto: int, outbox: Sequence[Outgoing] = ()) -> None:
        """The first ``upto`` of them are done.

        :param outbox: what the consumer sent out while it handled them.
        """
        with self._lock:
            self._books.counters.finished += upto - taken.done
            self._books.journal.outbox.extend(outbox)
            room = self._settle(taken, upto)
        self._tell(room, bool(outbox))

    def bury(self, taken: Taken, failed: bool, letter: DeadLetter) -> None:
        """The next one of them is a dead letter.

        :param failed: whether it was an exception of the kind that counts as a failure.
        """
        with self._lock:
            self._books.counters.dead += 1
            self._books.counters.failed += failed
            self._books.journal.letters.append(letter)
            room = self._settle(taken, taken.done + 1)
        self._tell(room)

    def _bury_killer(self, position: int, one: Try) -> None:
        """Before anything is taken."""
        message = self._read_one(position)
        if message is None:
            return  # the refill meets it again, and counts it
        reason = f"killed the hub: {one.kills} times it was in hand when the hub died"
        log = part_log("consumer", self.name)
        extra = {"action": "bury", "topic": message.topic, "message_id": message.id}
        log.error("message %r of %s is a dead letter: %s", message.id, message.topic, reason, extra=extra)
        self._books.counters.dead += 1
        self._books.journal.letters.append(DeadLetter(message, reason, one.attempts, self._wall()))
        self._books.settle(position, position + 1)

    def _tell(self, room: bool, news: bool = True) -> None:
        """:param news: whether there is something in the journal that a store wants which keeps no messages."""
        if news or self.store.durable:
            self.store.changed(self.name)
        if room:
            self._on_room()

    def retry(self, taken: Taken, delay: float, failed: bool) -> None:
        """The next one of them is to be given again in ``delay`` seconds. In a lane the rest waits behind it, and
        ``taken`` is empty afterwards."""
        with self._lock:
            self._books.counters.retried += 1
            self._books.counters.failed += failed
            entries = taken.rest(taken.left if taken.lane else 1)
            first = entries[0]
            first.attempts += 1
            first.failures += failed
            one = Try(first.attempts, first.failures, self._wall() + delay, delay, first.kills)
            self._books.tried(first.position, one)
            self._put_back(taken, entries, self._clock() + delay)
        self.store.changed(self.name)

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

    # -- both sides

    @property
    def full(self) -> bool:
        """Whether it asked for the bus to be held back, and has made no room since."""
        return self._overflow.full

    def squeeze(self, squeezed: bool) -> None:
        """The store is, or is no longer, larger than it may be."""
        with self._lock:
            self._overflow.squeezed = squeezed
            room = self._overflow.made_room()
        if room:
            self._on_room()

    def purge(self) -> int:
        """Drop all that is not in flight and does not wait for a retry. Returns how many."""
        with self._lock:
            waiting, books, purged = self._waiting, self._books, 0
            while waiting.ready:
                purged += drop_ready(waiting, books, len(waiting.ready))
            if waiting.behind:
                purged += drop_unread(waiting, books, waiting.next_position)
            books.counters.dropped_purged += purged
            room = self._overflow.made_room()
        self._tell(room)
        return purged

    def take_journal(self) -> Journal:
        """What has changed since the last call. For the store."""
        with self._lock:
            return self._books.take_journal(self._waiting.size + self._waiting.unread_size)

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
            counters = replace(self._books.counters, finished=self._books.counters.finished + unreported)
            return QueueStats(counters, in_flight, self._waiting.delayed, self._oldest())

    def _oldest(self) -> float | None:
        """Positions rise with arrival, so the first one that is not settled, the floor, is the oldest."""
        floor = self._books.floor
        message = self._waiting.at(floor)
        for taken in self._in_flight:
            if taken.left and taken.positions[taken.done] == floor:
                message = taken.messages[max(taken.done, taken.at)]
        if message is not None:
            return message.received_at
        return self._oldest_unread if self._books.counters.backlog else None


def _lane(lane_of: LaneOf | None, message: Message | None) -> Hashable:
    """Messages whose lane can't be told share one: an error here would leave the queue to nobody."""
    try:
        return lane_of(message) if lane_of and message else None
    except Exception:  # noqa: BLE001 - see above
        return None
