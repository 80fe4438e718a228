"""Priority level: the waiting messages of one priority. Pure: no lock.

It has its first messages in memory, and ranges of positions for the others, which are in the store: 32 bytes for each
change of priority.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from hub.message import Message
from hub.queue.ack_state import AckState
from hub.queue.loaded_messages import LoadedMessages
from hub.queue.policy import Window
from hub.queue.ranges import Ranges
from hub.queue.schedule import Schedule
from hub.store import Range, Run

RANGES_AT_ONCE = 1000
"""Ranges that are settled under the queue's lock, which takes about a millisecond."""


class PriorityLevel(LoadedMessages):
    """Waiting messages of one priority, in the order of their positions.

    :ivar unread: positions of those that are only in the store, which come later; some may be settled.
    """

    def __init__(self, priority: int, acks: AckState, schedule: Schedule, window: Window | None) -> None:
        super().__init__(acks, window)
        self.priority = priority
        self.unread = Ranges()
        self._schedule = schedule

    def __bool__(self) -> bool:
        return bool(self.batches or self.unread)

    def arrive(self, start: int, messages: Sequence[Message], size: int) -> None:
        """Add a batch that arrives. :param size: bytes of its bodies."""
        window, batches = self._window, self.batches
        fits = window is None or (len(batches) + len(messages) <= window.count and batches.size + size <= window.size)
        if fits and not self.unread:
            batches.append(start, messages, size)
            return
        if not self.unread:
            self.oldest_unread = messages[0].received_at
        self.unread.add(start, start + len(messages))
        self.unread_size += size

    # -- reading

    @property
    def unread_count(self) -> int:
        """Number of unread positions; some may be settled."""
        return self.unread.count

    def fill(self, start: int, stop: int, runs: Sequence[Run]) -> int:
        """Add messages that were read. Unreadable ones are counted as dropped_damaged.

        :param start: the first position that was requested, of a range of unread ones that ends at ``stop``.
        :returns: the first position that was not read.
        """
        position, bytes_ = start, 0
        for run in runs:
            if run.start >= stop:
                break
            self._lose(position, run.start)
            position = min(run.start + run.count, stop)
            if run.damaged:
                self._lose(run.start, position)
                continue
            for first, after in self._untried(max(start, run.start), position):
                messages = run.messages[first - run.start : after - run.start]
                size = sum([len(message.body) for message in messages])
                self.batches.append(first, messages, size)
                bytes_ += size
            self.oldest_unread = run.messages[position - run.start - 1].received_at
        if position == start:
            self._lose(start, stop)
            position = stop
        self._pass(position, bytes_)
        return position

    def _pass(self, position: int, size: int) -> None:
        """Remove all positions below ``position`` from the unread ones. :param size: their bytes."""
        self.unread.drop_below(position)
        self.unread_size = max(0, self.unread_size - size) if self.unread else 0

    def _untried(self, start: int, stop: int) -> Iterator[Range]:
        """Positions that are not settled, and not in the schedule."""
        return self._schedule.recovered.leave_out(self._acks.unsettled(start, stop))

    def _lose(self, start: int, stop: int) -> None:
        self._acks.counters.dropped_damaged += self._acks.settle_all(self._untried(start, stop))

    # -- drops

    def drop_oldest(self, count: int) -> int:
        """Settle about ``count`` of the oldest messages. Returns their number."""
        if self.batches:
            return self.drop_loaded(count)
        start, stop = next(iter(self.unread))
        return self._drop_unread(start, min(stop, start + count))

    def _drop_unread(self, start: int, stop: int) -> int:
        """Settle the first unread positions. Returns the number of those not settled before."""
        dropped = self._acks.settle_all(self._untried(start, stop))
        self._pass(stop, self.unread_size * (stop - start) // self.unread.count)
        return dropped

    def drop_loaded(self, count: int) -> int:
        """Settle the oldest ``count`` messages in memory. Returns their number."""
        dropped = 0
        while dropped < count and self.batches:
            positions, _ = self.batches.take(count - dropped)
            self._acks.settle(positions.start, positions.stop)
            dropped += len(positions)
        return dropped

    @property
    def unread_span(self) -> Range:
        """From the first unread position to the last; others are between them."""
        return (self.unread.first, self.unread.stop) if self.unread else (0, 0)

    def drop_expired_unread(self, first: int, since: float) -> None:
        """Settle unread messages before the position ``first``, a bounded number of ranges. :param since: its time of
        receipt, or a lower bound."""
        for start, stop in list(islice(self.unread, RANGES_AT_ONCE)):
            if start >= first:
                break
            self._acks.counters.dropped_expired += self._drop_unread(start, min(stop, first))
        if self.unread and self.unread.first >= first:
            self.oldest_unread = since

    def take_below(self, stop: int) -> list[Range]:
        """Take the messages before a position that were never tried. Returns their positions, to be settled."""
        found = self.batches.take_below(stop)
        if self.unread and self.unread.first < stop:
            before = self.unread.count
            for first, after in self.unread.among(self.unread.first, stop):
                found += self._untried(first, after)
            self.unread.drop_below(stop)
            left = self.unread.count
            self.unread_size = self.unread_size * left // before if left else 0
        return found
