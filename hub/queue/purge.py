"""Purge of a queue, part by part: between two parts the queue's lock is free, whatever waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.queue.ack_state import AckState
from hub.queue.backlog import Backlog
from hub.queue.work import Shared
from hub.store.window import merged

POSITIONS_AT_ONCE = 500
"""Positions that are settled under the queue's lock, which takes one to three milliseconds."""


class Purge:
    """A purge of the messages that wait when it begins. Pure: no lock.

    What is in flight stays. What was tried and waits for another attempt stays too, unless the policy says otherwise:
    in a declared queue it waits for a client, as the others do.

    :param tried: whether what was tried is dropped too; for a queue without keys.
    :ivar dropped: messages that were dropped so far. :ivar over: whether it is over.
    """

    def __init__(self, acks: AckState, backlog: Backlog, tried: bool) -> None:
        self.dropped = 0
        self._acks, self._backlog, self._tried = acks, backlog, tried
        self._out_of_order = self._take_out_of_order()
        self._at, self._end = acks.floor, backlog.ready.next_position

    @property
    def over(self) -> bool:
        """True if there is no further part."""
        return self._at >= self._end

    def _take_out_of_order(self) -> Mapping[int, object]:
        """Take the messages that do not wait in order, nor are set aside. Returns them by position."""
        schedule = self._backlog.schedule
        if self._tried:
            return schedule.clear()
        entries, positions = self._backlog.keys.drop()
        for entry in entries:
            schedule.remove(entry)
        entries += schedule.drop_untried()
        return dict.fromkeys([*positions, *(entry.position for entry in entries)])

    def drop_part(self) -> None:
        """Drop the next messages."""
        acks = self._acks
        start = next(acks.unsettled(self._at, self._end), (self._end, self._end))[0]
        self._at = stop = min(start + POSITIONS_AT_ONCE, self._end)
        gone = [found for one in self._backlog.waiting for found in one.take_below(stop)]
        if self._out_of_order or len(self._backlog.aside):
            for first, after in list(acks.unsettled(start, stop)):
                gone += [(at, at + 1) for at in range(first, after) if self._take(at)]
        dropped = acks.settle_all(merged(gone))
        acks.counters.dropped_purged += dropped
        self.dropped += dropped

    def _take(self, position: int) -> bool:
        """Take the message at a position, if it is set aside, or was out of order when the purge began."""
        one = self._backlog.aside.get(position)
        if one is not None and (self._tried or not one.attempts):
            return self._backlog.aside.remove(one)
        return position in self._out_of_order


def purge_steps(queue: Shared) -> Iterator[int]:
    """Purge a queue. Yields after each part the number of messages that were dropped so far."""
    policy = queue.overflow.policy
    with queue.lock:
        while queue.in_flight.read_ahead:
            queue.in_flight.put_in_front(queue.in_flight.read_ahead.popleft())
        purge = Purge(queue.acks, queue.backlog, policy.purge_tried and policy.key_of is None)
    while not purge.over:
        with queue.changing(journal=True, wake=False):
            purge.drop_part()
        yield purge.dropped
    with queue.changing():
        pass  # what came meanwhile is announced
    yield purge.dropped
