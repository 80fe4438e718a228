"""The ready window: the oldest untried messages are in memory, the others unread in the store. Pure: no lock.

A queue *follows* while arriving messages fit into its ready window; they stay in memory, shared by all queues. When the
window is full, the queue is *behind*: arriving messages are only counted, and read from the store later, until it has
caught up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from hub.message import Message
from hub.queue.ack_state import AckState
from hub.queue.delivery import Entry
from hub.queue.key_order import KeyOrder
from hub.queue.levels import Levels
from hub.queue.loaded_messages import LoadedMessages
from hub.queue.policy import Window
from hub.queue.schedule import Schedule
from hub.store import Range, Run


class ReadyWindow(LoadedMessages):
    """The window of one queue, and the start of its unread messages.

    :param acks: settles dropped messages. :param schedule: has the messages that wait for a retry, never dropped.
    :param keys: messages that are ready in key order take room in the window too.
    :param levels: has the messages of other priorities, which are left out.
    :ivar loaded: positions below it are in memory, delayed or settled; all others are unread.
    :ivar next_position: the position of the next message that arrives.
    """

    def __init__(
        self,
        acks: AckState,
        schedule: Schedule,
        keys: KeyOrder,
        levels: Levels,
        window: Window | None = None,
        loaded: int = 0,
        next_position: int = 0,
    ) -> None:
        super().__init__(acks, window)
        self.loaded = loaded
        self.next_position = next_position
        self._schedule = schedule
        self._keys = keys
        self._levels = levels

    @property
    def behind(self) -> bool:
        """True if some messages are unread."""
        return self.loaded < self.next_position

    @property
    def unread_span(self) -> Range:
        """From the first unread position to the last; the span is empty if there is none."""
        return self.loaded, self.next_position

    @property
    def unread_count(self) -> int:
        """Number of unread positions; some may be settled, or in a level."""
        return self.next_position - self.loaded

    @property
    def _count(self) -> int:
        return len(self.batches) + self._keys.ready

    @property
    def _size(self) -> int:
        """Bytes of ready messages, here and in key order. Messages that wait for a retry must not keep others out."""
        return self.batches.size + self._keys.ready_size

    # -- arrivals

    def arrive(self, start: int, messages: Sequence[Message], size: int) -> None:
        """Add a batch whose first message has the position ``start``. :param size: bytes of its bodies."""
        self.next_position = start + len(messages)
        window = self._window
        if self.loaded < start or (
            window and (len(self.batches) + len(messages) > window.count or self._size + size > window.size)
        ):
            if self.loaded == start and messages:
                self.oldest_unread = messages[0].received_at
            self.unread_size += size
        else:
            self.batches.append(start, messages, size)
            self.loaded = self.next_position

    def skip(self, start: int, count: int) -> None:
        """Leave out messages that arrive delayed: they are in the schedule. :param start: the first position."""
        self.next_position = start + count
        if self.loaded == start:
            self.loaded = self.next_position
        else:
            unread = self._levels.first_unread
            first = self.loaded if unread is None else min(self.loaded, unread)
            self._schedule.recovered.leave_out_later(range(start, start + count), first)

    def skip_level(self, start: int, count: int) -> None:
        """Leave out messages that arrive with another priority: they are in a level. :param start: as in ``skip``."""
        self.next_position = start + count
        if self.loaded == start:
            self.loaded = self.next_position
        else:
            self._levels.positions.add(start, start + count)

    def skip_restored(self) -> None:
        """Leave out the messages of levels that come first, at the start."""
        self._pass(self.loaded, 0)

    def fill(self, position: int, stop: int, runs: Sequence[Run]) -> None:
        """Add messages that were read and are not settled.

        Missing or unreadable messages are counted as dropped_damaged, so that they are not requested again.

        :param position: first position that was requested. :param stop: messages are expected up to here.
        """
        for run in runs:
            if run.start >= self.next_position:
                # Later messages are stored already, but not offered yet.
                self._lose(position, self.next_position)
                self._pass(self.next_position, 0)
                return
            self._lose(position, run.start)
            position = min(run.start + run.count, self.next_position)
            if position <= self.loaded:
                continue
            if run.damaged:
                self._lose(run.start, position)
            else:
                self._learn_ages(run.start, run.messages)
            unsettled = self._acks.unsettled(max(run.start, self.loaded), position)
            for first, after in self._mine(unsettled):
                messages = run.messages[first - run.start : after - run.start]
                size = run.size if len(messages) == run.count else sum([len(message.body) for message in messages])
                self.batches.append(first, messages, size)
            self._pass(position, run.size)
        if not runs:
            self._lose(position, stop)
            self._pass(stop, 0)

    def _pass(self, position: int, size: int) -> None:
        """Mark all messages before ``position`` as read. :param size: their bytes."""
        self.loaded = max(self.loaded, position)
        if self._levels.positions:
            self.loaded = self._levels.positions.after(self.loaded)
            self._levels.positions.drop_below(self.loaded)
        self.unread_size = max(0, self.unread_size - size) if self.behind else 0

    def _learn_ages(self, start: int, messages: Sequence[Message]) -> None:
        """Record the times of receipt of unread messages and of those that wait for a retry."""
        for position in self._schedule.recovered.among(start, start + len(messages)):
            if (entry := self._schedule.get(position)) is not None:
                entry.received_at = messages[position - start].received_at
        self.oldest_unread = messages[-1].received_at

    def restore(self, entry: Entry, message: Message | None) -> None:
        """Return a recovered message that was exempt from a drop. :param message: ``None``: it can't be read."""
        recovered = self._schedule.recovered
        recovered.exempted.remove(entry)
        self._schedule.remove(entry)
        if message is not None:
            recovered.put_back(entry)
            self.batches.put_back(entry.position, [message])
        else:
            self._acks.settle(entry.position, entry.position + 1)
            self._acks.counters.dropped_damaged += 1

    # -- drops

    def _lose(self, start: int, stop: int) -> None:
        self._acks.counters.dropped_damaged += self._drop(start, stop)

    def _drop(self, start: int, stop: int) -> int:
        """Settle the positions that were never tried. Returns their number."""
        self._schedule.exempt(start, stop)
        return self._acks.settle_all(self._mine(self._acks.unsettled(start, stop)))

    def _mine(self, ranges: Iterator[Range]) -> Iterator[Range]:
        """The ranges, without positions that are in the schedule or in a level."""
        found = self._schedule.recovered.leave_out(ranges)
        return self._levels.positions.leave_out(found) if self._levels.positions else found

    def drop_oldest(self, count: int) -> int:
        """Settle about ``count`` of the oldest messages. Returns their number."""
        return self.drop_loaded(count) if self.batches else self.drop_unread(count)

    def drop_unread(self, count: int) -> int:
        """Settle the first ``count`` unread positions. Returns the number of those not settled before."""
        start, stop = self.loaded, min(self.loaded + count, self.next_position)
        size = self.unread_size * (stop - start) // (self.next_position - start)
        dropped = self._drop(start, stop)
        self._pass(stop, size)
        return dropped

    def drop_loaded(self, count: int) -> int:
        """Settle the oldest ``count`` messages in memory, except those that wait for a retry. Returns their number."""
        dropped = 0
        while count > 0 and self.batches:
            positions, _ = self.batches.take(count)
            count -= len(positions)
            if self._schedule.recovered.in_turn:
                dropped += self._drop(positions.start, positions.stop)
            else:
                self._acks.settle(positions.start, positions.stop)
                dropped += len(positions)
        return dropped

    def take_below(self, stop: int) -> list[Range]:
        """Take the messages before a position that were never tried. Returns their positions, to be settled."""
        found = self.batches.take_below(stop)
        if self._schedule.recovered.in_turn:
            for first, after in found:
                self._schedule.exempt(first, after)
            found = list(self._mine(iter(found)))
        start, stop = self.loaded, min(stop, self.next_position)
        if start < stop:
            size = self.unread_size * (stop - start) // (self.next_position - start)
            self._schedule.exempt(start, stop)
            found += self._mine(self._acks.unsettled(start, stop))
            self._pass(stop, size)
        return found

    def drop_expired_unread(self, first: int, since: float) -> None:
        """Settle unread messages before the position ``first``. :param since: its time of receipt, or a lower bound."""
        if self.loaded < first:
            self._acks.counters.dropped_expired += self.drop_unread(first - self.loaded)
        if self.loaded == first:
            self.oldest_unread = since


def first_kept(received_at: Callable[[int], float], start: int, stop: int, oldest: float) -> int:
    """The first of these positions that was received at ``oldest`` or later.

    Positions rise with arrival. An exponential search reads few times, most of them near ``start``.
    """
    step = 1
    while start + step < stop and received_at(start + step) < oldest:
        start, step = start + step, 2 * step
    return bisect_left(range(stop), oldest, start, min(start + step, stop), key=received_at)
