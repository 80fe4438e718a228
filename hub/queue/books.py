"""What a queue writes down: its counters, its ack window, and what the store has to be told. Pure: no lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from hub.store import Journal, QueueState, Range, Tie, Try
from hub.store.window import AckWindow


class Books:
    """Kept by the queue, under its lock.

    :param state: as the last commit left it.
    :param durable: whether the store wants to know which positions are settled.
    :ivar journal: what has changed since the store fetched it last.
    """

    def __init__(self, state: QueueState, durable: bool) -> None:
        self.counters = state.counters
        self.journal = Journal()
        self._window = AckWindow(state.floor)
        self._window.restore(state.ranges)
        self._durable = durable

    @property
    def floor(self) -> int:
        """The first position that is not settled."""
        return self._window.floor

    def unsettled(self, start: int, stop: int) -> Iterator[Range]:
        """The ranges of ``start`` up to ``stop`` that are not settled."""
        return self._window.open(start, stop)

    def settle(self, start: int, stop: int, tie: tuple[int, int] | None = None) -> None:
        """They need no more work. A worker's runs mostly touch each other, so few ranges come of many.

        :param tie: they are settled only together with so many dead letters, and so many messages that were sent out.
        """
        self._window.finish(start, stop)
        if self._durable and tie is not None:
            self.journal.ties.append(Tie(start, stop, *tie))
        elif self._durable:
            settled = self.journal.settled
            if settled and settled[-1][1] == start:
                settled[-1] = (settled[-1][0], stop)
            else:
                settled.append((start, stop))

    def settle_all(self, ranges: Iterable[Range]) -> int:
        """All of them. Returns how many positions there were."""
        count = 0
        for start, stop in list(ranges):
            self.settle(start, stop)
            count += stop - start
        return count

    def tried(self, position: int, one: Try) -> None:
        """It waits for a retry."""
        if self._durable:
            self.journal.tries[position] = one

    def take_journal(self, waiting_bytes: int, admitted: int) -> Journal:
        """What has changed since the last call."""
        journal, self.journal = self.journal, Journal()
        journal.counters = replace(self.counters)
        journal.unread_bytes, journal.admitted = waiting_bytes, admitted
        return journal
