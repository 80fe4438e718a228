"""The settled positions of a queue: its ack window, its counters, and the journal for the store. Pure: no lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from hub.deadletter import DeadLetter
from hub.queue.tied import Tied
from hub.store import CommittedState, Journal, Outgoing, Range, Tie, Try
from hub.store.window import AckWindow


class AckState:
    """Settled positions and counters of a queue, with the journal for the store.

    :param state: state of the queue at the last commit.
    :param durable: whether settled positions go into the journal.
    :ivar journal: changes since the last ``take_journal``.
    :ivar noted: ranges settled since the last ``take_noted``; ``None``: they are not noted.
    :ivar noted_ties: those among them that are committed with dead letters or outgoing messages.
    """

    def __init__(self, state: CommittedState, durable: bool) -> None:
        self.counters = state.counters
        self.journal = Journal()
        self.noted: list[Range] | None = None
        self.noted_ties: list[Range] = []
        self._tied: dict[int, Tied] = {}
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

    def settle(self, start: int, stop: int, tie: tuple[int, int] | None = None, tied: Tied | None = None) -> None:
        """Settle the positions from ``start`` up to ``stop``. Adjacent ranges are merged in the journal.

        :param tie: numbers of dead letters and of outgoing messages that must be committed together with them.
        :param tied: the positions are added to it, and noted when it has ended.
        """
        self._window.finish(start, stop)
        if self._durable and tie is not None:
            self.journal.ties.append(Tie(start, stop, *tie))
        elif self._durable:
            _append(self.journal.settled, start, stop)
        if tied is not None:
            tied.ranges.append((start, stop))
            self._tied.update(dict.fromkeys(range(start, stop), tied))
        elif self.noted is not None:
            _append(self.noted_ties if self._durable and tie is not None else self.noted, start, stop)

    def tie(self, outbox: Sequence[Outgoing], ended: Callable[[Tied], object]) -> Tied | None:
        """What ties positions to outgoing messages that no store keeps. :param ended: as of :class:`Tied`."""
        return None if self._durable else Tied(outbox, ended)

    def untie(self, tied: Tied) -> None:
        """Note its positions, unless a message was lost: the bus gives them again."""
        for start, stop in tied.ranges:
            for position in range(start, stop):
                del self._tied[position]
        if tied.safe and self.noted is not None:
            self.noted += tied.ranges

    def waiting(self, start: int, stop: int) -> Iterator[Range]:
        """The ranges of ``start`` up to ``stop`` of which a watcher is still to be told: unsettled and tied ones."""
        yield from self.unsettled(start, stop)
        if self._tied:
            yield from ((at, at + 1) for at in range(start, stop) if at in self._tied)

    def note(self, wanted: bool) -> None:
        """Begin or end to note settled ranges."""
        self.noted = (self.noted or []) if wanted else None
        self.noted_ties = self.noted_ties if wanted else []

    def take_noted(self) -> tuple[list[Range], list[Range]]:
        """Return the ranges settled since the last call: those without ties, and those with."""
        noted, self.noted = self.noted or [], None if self.noted is None else []
        ties, self.noted_ties = self.noted_ties, []
        return noted, ties

    def settle_all(self, ranges: Iterable[Range]) -> int:
        """Settle several ranges. Returns their number of positions."""
        count = 0
        for start, stop in list(ranges):
            self.settle(start, stop)
            count += stop - start
        return count

    def bury(self, letter: DeadLetter) -> None:
        """Add a dead letter to the counters and the journal. The caller settles its position."""
        self.counters.dead += 1
        self.journal.letters.append(letter)

    def tried(self, position: int, one: Try) -> None:
        """Add a message that waits for a retry to the journal."""
        if self._durable:
            self.journal.tries[position] = one

    def take_journal(self, unread_bytes: int, admitted: int) -> Journal:
        """Return the changes since the last call, with the current numbers.

        :param unread_bytes: bytes of all messages that are not in flight.
        :param admitted: the position of the next message that is admitted.
        """
        journal, self.journal = self.journal, Journal()
        journal.counters = replace(self.counters)
        journal.unread_bytes, journal.admitted = unread_bytes, admitted
        return journal


def _append(ranges: list[Range], start: int, stop: int) -> None:
    """Append a range; it is merged into the last one if they are adjacent."""
    if ranges and ranges[-1][1] == start:
        ranges[-1] = (ranges[-1][0], stop)
    else:
        ranges.append((start, stop))
