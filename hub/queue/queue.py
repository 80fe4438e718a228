"""A consumer's queue: all that the reactor and the workers share, and the only lock between them.

Each message that is routed here gets the queue's next *position*. It is *waiting*, *in flight* (a worker has it), or
*settled* (finished, buried or dropped). At any moment::

    received == finished + dead + dropped + backlog

The lock is held for constant time and never while calling out. Positions and the ack window, not the messages, say what
is left; the *journal* holds what has changed since the store fetched it last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from hub.deadletter import DeadLetter
from hub.interfaces import Clock
from hub.message import Message
from hub.queue.killers import killers, name_suspects
from hub.queue.overflow import QueuePolicy
from hub.queue.place import MOST_RANGES, Piece, Place, in_memory, place_of
from hub.queue.reading import Held, aside, in_hand, oldest, reading, ready, unread
from hub.queue.refill import drop_all
from hub.queue.schedule import Entry
from hub.queue.taken import Taken
from hub.queue.taking import Taking
from hub.queue.trial import Trial
from hub.stats.counters import Counters, QueueStats
from hub.store import Journal, Outgoing, Store, Try

PEEK_BYTES = 4 << 20
"""Of bodies that are read for somebody who wants to look."""
MOST_REASONS = 1000
LONGEST_REASON = 300
"""Characters."""


class Queue(Taking):
    """See the module. ``admit``, ``offer`` and ``refuse`` belong to the reactor, the rest to any thread.

    :param clock: monotonic seconds, for retries. :param wall: epoch seconds, for ages and for what is stored.
    :param on_room: called, without the lock, by the worker that made room in a queue that had said it was full.
    :param trial: of the hub; ``None``: one of its own.
    """

    def __init__(
        self,
        name: str,
        policy: QueuePolicy,
        store: Store,
        clock: Clock,
        wall: Clock,
        on_room: Callable[[], None] = lambda: None,
        trial: Trial | None = None,
    ) -> None:
        super().__init__(name, policy, store, clock, wall, on_room, trial)
        self._reasons: dict[int, str] = {}
        self._resume(self._tries)
        store.attach(name, self.take_journal)
        store.changed(name)

    def _resume(self, tries: Mapping[int, Try]) -> None:
        name_suspects(self.store, self.name, tries, self.policy.max_kills)
        dead = dict(killers(self.store, self.name, tries, self.policy.max_kills, self._wall))
        for position, letter in dead.items():
            self._books.counters.dead += 1
            self._books.journal.letters.append(letter)
            self._books.settle(position, position + 1, (1, 0))
        now, wall, entries = self._clock(), self._wall(), {}
        for position, one in tries.items():
            if position not in dead:
                due = now + max(0.0, min(one.due - wall, one.delay))
                told = (one.attempts, one.failures, one.kills, due)
                entries[position] = Entry(position, None, *told, received_at=self._waiting.oldest_unread)
        self._waiting.resume(entries, self.policy.lane_of is not None)

    # -- the reactor's side

    def admit(
        self, messages: Sequence[Message], size: int, if_room: bool = False
    ) -> tuple[int, Sequence[Message], int]:
        """Give positions to a batch, or to what fits of it; it is handed out once it is offered.

        :param size: bytes of its bodies.
        :param if_room: whoever gives them keeps those that do not fit: only what fits is received, and nothing dropped.
        :returns: the first position, the messages that were admitted, their bytes.
        """
        with self._lock:
            kept, kept_size = self._overflow.fitting(messages, size, if_room)
            if if_room:
                messages, size = kept, kept_size
            counters = self._books.counters
            counters.received += len(messages)
            counters.received_bytes += size
            if self._overflow.draining:
                counters.dropped_drained += len(messages)
            else:
                counters.dropped_newest += len(messages) - len(kept)
            start = self._admitted
            self._admitted += len(kept)
            return start, kept, kept_size

    def offer(self, start: int, messages: Sequence[Message], size: int) -> bool:
        """Hand out what was admitted and, where the queue is durable, appended; the list must not change afterwards.

        :returns: whether the bus should be held back: the queue is full, and its policy is to block.
        """
        with self._lock:
            self._waiting.arrive(start, messages, size)
            self._ages.arrive(start, self.policy.max_age)
            self._overflow.arrived(len(messages))
            if self._sleepers:
                self._changed.notify(min(self._sleepers, len(messages)))
            full = self._overflow.full
        if self.policy.overflow == "drop_oldest":  # it may have dropped some
            self.store.changed(self.name)
        return full

    def refuse(self, letter: DeadLetter) -> None:
        """Bury a message that can't be used, without queueing it."""
        with self._lock:
            self._books.counters.received += 1
            self._books.counters.dead += 1
            self._books.journal.letters.append(letter)
        self.store.changed(self.name)

    # -- the workers' side

    def finish(self, taken: Taken, upto: int, outbox: Sequence[Outgoing] = ()) -> None:
        """The first ``upto`` of them are done.

        :param outbox: what the consumer sent out while it handled them.
        """
        with self._lock:
            self._books.counters.finished += upto - taken.done
            self._books.journal.outbox.extend(outbox)
            room = self._settle(taken, upto, (0, len(outbox)) if outbox else None)
        self._tell(room, bool(outbox))

    def bury(self, taken: Taken, failed: bool, letter: DeadLetter) -> None:
        """The next one of them is a dead letter.

        :param failed: whether it was an exception of the kind that counts as a failure.
        """
        with self._lock:
            self._books.counters.dead += 1
            self._books.counters.failed += failed
            self._books.counters.rejected += not failed
            self._books.journal.letters.append(letter)
            room = self._settle(taken, taken.done + 1, (1, 0))
        self._tell(room)

    def retry(self, taken: Taken, delay: float, failed: bool, why: str = "") -> None:
        """The next one of them is to be given again in ``delay`` seconds. In a lane the rest waits behind it, and
        ``taken`` is empty afterwards.

        :param why: for who asks what became of the message; kept for the last ``MOST_REASONS`` only.
        """
        with self._lock:
            self._books.counters.retried += 1
            self._books.counters.failed += failed
            entries = taken.rest(taken.left if taken.lane else 1)
            first = entries[0]
            first.attempts += 1
            first.failures += failed
            one = Try(first.attempts, first.failures, self._wall() + delay, delay, first.kills)
            self._books.tried(first.position, one)
            self._note(first.position, why)
            self._put_back(taken, entries, self._clock() + delay)
        self.store.changed(self.name)

    # -- both sides

    @property
    def full(self) -> bool:
        """Whether it asked for the bus to be held back, and has made no room since."""
        return self._overflow.full

    def count_on(self, counters: Counters) -> None:
        """Count on from what a queue of this name, which had nothing left, has counted. Before it is used."""
        with self._lock:
            self._books.counters = replace(counters)
        self.store.changed(self.name)

    @property
    def next_position(self) -> int:
        """Of the next message that is admitted."""
        return self._admitted

    def unsettled(self, start: int, stop: int) -> int:
        """How many of these positions were received and need more work; where they lie too scattered to be counted in
        passing, at least so many do."""
        with self._lock:
            ranges = self._books.unsettled(max(0, start), min(stop, self._admitted))
            return sum([after - first for first, after in islice(ranges, MOST_RANGES)])

    def squeeze(self, squeezed: bool) -> None:
        """The store is, or is no longer, larger than it may be."""
        with self._lock:
            self._overflow.squeezed = squeezed
            room = self._overflow.made_room()
        if room:
            self._on_room()

    def pause(self) -> None:
        """Hand out nothing until it is resumed; what is in hand is not affected."""
        with self._lock:
            self.paused = True

    def drain(self) -> None:
        """Take no more messages in; nor is a bus held back for what it would not take."""
        with self._lock:
            self._overflow.draining = True
            room = self._overflow.made_room()
        if room:
            self._on_room()

    def resume(self) -> None:
        """Undo ``pause`` and ``drain``."""
        with self._lock:
            self.paused = self._overflow.draining = False
            self._changed.notify_all()

    @property
    def draining(self) -> bool:
        """Whether it takes no more messages in."""
        return self._overflow.draining

    def peek(self, count: int) -> list[Held]:
        """The oldest that are not settled, at most so many: position, state, message, attempts."""
        with self._lock:
            found = in_hand(self._in_flight, count) + ready(self._waiting, count)
            entries = self._waiting.aside()
            start, stop = max(self._waiting.first_unread, self._books.floor), self._waiting.next_position
        found = oldest([*found, *aside(entries)], count)
        # What was aside when the hub started lies among what is unread.
        if start < stop and (len(found) < count or found[-1][0] > start):
            found += self._peek_unread(start, stop, count, {row[0] for row in found})
        return oldest(found, count)

    def _peek_unread(self, start: int, stop: int, count: int, known: Collection[int]) -> list[Held]:
        found: list[Held] = []
        for run in self.store.read(self.name, start, min(count, stop - start), PEEK_BYTES):
            with self._lock:
                ranges = list(self._books.unsettled(run.start, min(run.start + run.count, stop)))
                found += unread(self._waiting, run, ranges, known)
        return found

    def place(self, position: int) -> Place:
        """What has become of the message at that position."""
        with self._lock:
            return place_of(position, self._books, self._waiting, self._in_flight, self._clock())

    def why(self, position: int) -> str:
        """Why its last attempt failed, as far as that is still known."""
        with self._lock:
            return self._reasons.get(position, "")

    def in_memory(self) -> list[Piece]:
        """What it holds there: all that is not settled, unless the store keeps its messages."""
        with self._lock:
            return in_memory(self._waiting, self._in_flight)

    def _note(self, position: int, why: str) -> None:
        self._reasons.pop(position, None)  # it becomes the last one
        self._reasons[position] = why[:LONGEST_REASON]
        if len(self._reasons) > MOST_REASONS:
            del self._reasons[next(iter(self._reasons))]

    def purge(self) -> int:
        """Drop all that is not in flight and does not wait for a retry; a few may be on their way into a lane. Returns
        how many."""
        with self._lock:
            purged = drop_all(self._waiting, self._books)
            room = self._overflow.made_room()
        self._tell(room)
        return purged

    def take_journal(self) -> Journal:
        """What has changed since the last call. For the store."""
        with self._lock:
            return self._books.take_journal(self._waiting.size + self._waiting.unread_size, self._admitted)

    @property
    def waiting_bytes(self) -> int:
        """Of the bodies that wait in memory."""
        with self._lock:
            return self._waiting.size

    def stats(self) -> QueueStats:
        """One consistent reading; changes nothing."""
        with self._lock:
            return reading(self._books, self._waiting, self._in_flight)
