"""Read-only inspection of a queue: its numbers, the state of one message, the oldest messages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from heapq import nsmallest
from itertools import islice
from typing import Literal

import msgspec

from hub.message import Message
from hub.queue.ack_state import AckState
from hub.queue.backlog import Backlog
from hub.queue.delivery import Delivery, Entry
from hub.queue.work import Shared
from hub.stats.counters import QueueStats
from hub.store import Range, Run
from hub.store.values import index_in

MOST_RANGES = 10_000
"""Most ranges of positions that are added up under the queue's lock, which takes a millisecond."""

PEEK_BYTES = 4 << 20
"""Bytes of bodies that one ``peek`` reads from the store."""
MOST_REASONS = 1000
LONGEST_REASON = 300
"""Most characters of a reason."""

StateName = Literal["waiting", "delayed", "in flight", "retry", "settled"]


class MessageState(msgspec.Struct, frozen=True):
    """The state of the message at one position.

    :ivar before: number of earlier messages that are not settled; ``None``: it is settled, or they are too scattered to
        be counted quickly.
    :ivar attempts: number of earlier deliveries.
    :ivar due: monotonic seconds before which it is not delivered.
    :ivar delivery: the delivery that it is in. :ivar at: its index there.
    """

    kind: StateName
    before: int | None = None
    attempts: int = 0
    due: float | None = None
    delivery: Delivery | None = None
    at: int = 0


SETTLED = MessageState("settled")
Peeked = tuple[int, str, Message, int]
"""Position, state (``in flight``, ``retry``, ``delayed`` or ``waiting``), message, and attempts so far."""
Piece = tuple[Sequence[int], Sequence[Message | None]]
"""Positions, and the messages at them."""


class Inspector:
    """Inspector of one queue, for any thread. It holds the lock for bounded time, and not while it reads the store.

    :param reasons: why attempts failed, by position; the queue keeps them.
    """

    def __init__(self, queue: Shared, reasons: dict[int, str]) -> None:
        self._queue = queue
        self._reasons = reasons

    def peek(self, count: int) -> list[Peeked]:
        """The oldest messages that are not settled, at most ``count``."""
        queue, backlog = self._queue, self._queue.backlog
        with queue.lock:
            now = queue.clock()
            found = peek_in_flight(queue.in_flight, count) + peek_ready(backlog, count, now)
            found += peek_entries(backlog, now)
            start, stop = max(backlog.first_unread, queue.acks.floor), backlog.ready.next_position
        found = oldest(found, count)
        # Messages recovered for a retry are among the unread ones.
        if start < stop and (len(found) < count or found[-1][0] > start):
            found += self._peek_unread(start, stop, count, {row[0] for row in found})
        return oldest(found, count)

    def _peek_unread(self, start: int, stop: int, count: int, known: Collection[int]) -> list[Peeked]:
        queue = self._queue
        found: list[Peeked] = []
        for run in queue.store.read(queue.name, start, min(count, stop - start), PEEK_BYTES):
            with queue.lock:
                ranges = list(queue.acks.unsettled(run.start, min(run.start + run.count, stop)))
                found += peek_unread(queue.backlog, run, ranges, known, queue.clock())
        return found

    def state_of(self, position: int) -> MessageState:
        """The state of the message at that position."""
        queue = self._queue
        with queue.lock:
            return state_of(position, queue.acks, queue.backlog, queue.in_flight, queue.clock())

    def in_memory(self) -> list[Piece]:
        """All messages in memory."""
        with self._queue.lock:
            return in_memory(self._queue.backlog, self._queue.in_flight)

    def waiting_bytes(self) -> int:
        """Bytes of the bodies that wait in memory."""
        with self._queue.lock:
            return self._queue.backlog.size

    def total_bytes(self) -> int:
        """Bytes of all bodies that wait, in memory or in the store: an estimate."""
        with self._queue.lock:
            return self._queue.backlog.total_size

    def unsettled(self, start: int, stop: int) -> int:
        """Number of positions from ``start`` up to ``stop`` that are not settled. A lower bound if they are too
        scattered to be counted quickly."""
        queue = self._queue
        with queue.lock:
            ranges = queue.acks.unsettled(max(0, start), min(stop, queue.next_position))
            return sum([after - first for first, after in islice(ranges, MOST_RANGES)])

    def why(self, position: int) -> str:
        """The reason why the last attempt at a message failed; empty if it is no longer known."""
        with self._queue.lock:
            return self._reasons.get(position, "")

    def note(self, position: int, why: str) -> None:
        """Keep the reason of a failed attempt, up to ``MOST_REASONS`` of them. Under the lock."""
        self._reasons.pop(position, None)  # it becomes the newest
        self._reasons[position] = why[:LONGEST_REASON]
        if len(self._reasons) > MOST_REASONS:
            del self._reasons[next(iter(self._reasons))]


def state_of(
    position: int, acks: AckState, backlog: Backlog, in_flight: Iterable[Delivery], now: float
) -> MessageState:
    """The state of the message at that position, in bounded time. :param now: monotonic seconds."""
    if not list(acks.unsettled(position, position + 1)):
        return SETTLED
    before = _before(position, acks)
    for delivery in in_flight:
        at = index_in(delivery.positions, position)
        if at >= delivery.done:
            if at < delivery.at:  # finished, not reported yet
                return SETTLED
            return MessageState("in flight", before, delivery.attempts, delivery=delivery, at=at)
    if (aside := backlog.aside.get(position)) is not None:
        return MessageState("waiting", before, aside.attempts)
    entry = backlog.schedule.get(position)
    if entry is None:
        return MessageState("waiting", before)
    kind = _waits_as(backlog, entry, now)
    if kind == "waiting" or entry.due <= now:
        return MessageState("waiting", before, entry.attempts)
    return MessageState(kind, before, entry.attempts, entry.due)


def _before(position: int, acks: AckState) -> int | None:
    ranges = list(islice(acks.unsettled(acks.floor, position), MOST_RANGES + 1))
    return sum([stop - start for start, stop in ranges]) if len(ranges) <= MOST_RANGES else None


# -- messages in memory


def in_memory(backlog: Backlog, in_flight: Iterable[Delivery]) -> list[Piece]:
    """All messages of a queue in memory. Only lists are copied, no messages."""
    pieces: list[Piece] = [(delivery.positions, delivery.messages) for delivery in in_flight]
    entries = backlog.schedule.entries()
    pieces.append(([entry.position for entry in entries], [entry.message for entry in entries]))
    for waiting in backlog.waiting:
        pieces += waiting.batches.all()
    pieces += [(one.positions, one.messages) for one in backlog.aside]
    return pieces


def positions_of(id_: str, pieces: Iterable[Piece], step: int) -> Iterator[list[tuple[int, Message]]]:
    """Find the messages with an id, and their positions. Yields after each ``step`` messages."""
    found: list[tuple[int, Message]] = []
    count = 0
    for positions, messages in pieces:
        for at, message in enumerate(messages):
            if message is not None and message.id == id_:
                found.append((positions[at], message))
            count += 1
            if count % step == 0:
                yield found
                found = []
    yield found


# -- numbers


def numbers(
    acks: AckState, backlog: Backlog, in_flight: Iterable[Delivery], last: QueueStats | None = None
) -> QueueStats:
    """The numbers of a queue. Messages that are finished and not reported yet count as finished.

    :param last: earlier numbers, which are returned if they still hold.
    """
    deliveries = list(in_flight)
    idle = last is not None and not deliveries and not last.in_flight
    if last is not None and idle and last.delayed == backlog.delayed and last.counters == acks.counters:
        return last
    unreported = sum(delivery.unreported for delivery in deliveries)
    counters = replace(acks.counters, finished=acks.counters.finished + unreported)
    held = sum(delivery.left for delivery in deliveries) - unreported
    return QueueStats(counters, held, backlog.delayed, _oldest_received_at(acks, backlog, deliveries))


def _oldest_received_at(acks: AckState, backlog: Backlog, deliveries: list[Delivery]) -> float | None:
    """Time of receipt of the oldest message. Positions rise with arrival, so it is the one at the floor."""
    since = backlog.received_at(acks.floor)
    for delivery in deliveries:
        if delivery.left and delivery.positions[delivery.done] == acks.floor:
            message: Message | None = delivery.messages[max(delivery.done, delivery.at)]
            since = delivery.since if message is None else message.received_at
    if since is None and acks.counters.backlog:
        return backlog.oldest_unread()
    return since


# -- the oldest messages


def oldest(found: Iterable[Peeked], count: int) -> list[Peeked]:
    """The oldest ``count`` of these rows."""
    return nsmallest(count, found, key=lambda one: one[0])


def peek_in_flight(in_flight: Iterable[Delivery], count: int) -> list[Peeked]:
    """Messages in flight, at most ``count`` of each delivery. Messages still being loaded are omitted."""
    found: list[Peeked] = []
    for delivery in in_flight:
        first = max(delivery.done, delivery.at)
        for at in range(first, min(len(delivery.messages), first + count)):
            if (message := delivery.messages[at]) is not None:
                found.append((delivery.positions[at], "in flight", message, delivery.attempts))
    return found


def peek_ready(backlog: Backlog, count: int, now: float) -> list[Peeked]:
    """The oldest messages of the ready window and of the levels, at most ``count`` of each, and all set aside."""
    found: list[Peeked] = []
    for waiting in backlog.waiting:
        pairs = zip(*waiting.batches.first(count), strict=True)
        found += [_peeked(backlog, position, message, now) for position, message in pairs]
    for one in backlog.aside:
        found.append((one.position, "retry" if one.attempts else "waiting", one.current, one.attempts))
    return found


def peek_entries(backlog: Backlog, now: float) -> Iterator[Peeked]:
    """Messages in key order or delayed, if they are in memory."""
    for entry in backlog.schedule.entries():
        if entry.message is not None:
            yield entry.position, _waits_as(backlog, entry, now), entry.message, entry.attempts


def peek_unread(
    backlog: Backlog, run: Run, ranges: Iterable[Range], known: Collection[int], now: float
) -> Iterator[Peeked]:
    """Messages of a run from the store, in the given ranges. :param known: positions to leave out."""
    for first, after in ranges if not run.damaged else ():
        for position in range(first, after):
            if position not in known:
                yield _peeked(backlog, position, run.messages[position - run.start], now)


def _peeked(backlog: Backlog, position: int, message: Message, now: float) -> Peeked:
    entry = backlog.schedule.get(position)
    if entry is None:
        return position, "waiting", message, 0
    return position, _waits_as(backlog, entry, now), message, entry.attempts


def _waits_as(backlog: Backlog, entry: Entry, now: float) -> StateName:
    if entry.attempts:
        return "retry"
    behind_its_key = len(backlog.keys) > 0
    return "delayed" if entry.due > now and not behind_its_key else "waiting"
