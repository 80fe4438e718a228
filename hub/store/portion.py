"""What one commit takes of all that waits: a bounded piece of what needs room on the disk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from hub.store.ledger import Burden, Ledger
from hub.store.pending import Item
from hub.store.tables import Tables

TRY_SIZE = 64
"""Bytes of a row for a message that waits for a retry, at the most."""
PER_MESSAGE = 64
"""Bytes for each message that waits, which its end may cost before it makes room: a row of the settled ranges."""
MOST_STANDING = 256 << 20


@dataclass(frozen=True)
class Portion:
    """See the module.

    :ivar batches: the oldest that wait. :ivar burdens: settlements with what has to be written for them.
    :ivar all: whether nothing else waits.
    """

    batches: Sequence[Item]
    burdens: Sequence[tuple[Ledger, Burden]]
    all: bool

    @classmethod
    def of(cls, waiting: Sequence[Item], ledgers: Iterable[Ledger], limit: int) -> Portion:
        """Burdens first, for they settle something. One of either at least, whatever its size.

        :param limit: bytes. No part counts for nothing, so that a lower limit comes to a smaller portion.
        """
        held = [(ledger, burden) for ledger in ledgers for burden in ledger.held]
        burdens, left = _within([burden.size for _, burden in held], limit)
        sizes = [batch.size for batch, _ in waiting]
        batches, _ = _within(sizes, left, least=0 if burdens else 1)
        whole = burdens == len(held) and batches == len(waiting)
        return cls(waiting[:batches], held[:burdens], whole)

    def admit(self) -> None:
        """Have its burdens written with the next commit."""
        for ledger, burdens in groupby([ledger for ledger, _ in self.burdens]):
            ledger.admit(len(list(burdens)))

    def retract(self) -> None:
        """That commit failed."""
        for ledger in {id(ledger): ledger for ledger, _ in self.burdens}.values():
            ledger.retract()

    @property
    def parts(self) -> int:
        """What it can be divided into."""
        return len(self.batches) + len(self.burdens)

    def half(self) -> int:
        """A limit that makes a smaller one."""
        sizes = [batch.size for batch, _ in self.batches] + [burden.size for _, burden in self.burdens]
        return sum(sizes) // 2

    def reserve(self, tables: Tables, ledgers: Collection[Ledger]) -> None:
        """:raises OSError: the disk has no room for it, and for what will make room later."""
        tries = TRY_SIZE * sum([len(ledger.tries) for ledger in ledgers])
        size = sum([batch.size for batch, _ in self.batches]) + sum([one.size for _, one in self.burdens]) + tries
        if size:
            waiting = sum([max(0, ledger.counters.backlog) for ledger in ledgers])
            tables.reserve(size, min(MOST_STANDING, PER_MESSAGE * waiting), not self.batches)


def _within(sizes: Sequence[int], limit: int, least: int = 1) -> tuple[int, int]:
    """How many of them fit, and what is left of the limit."""
    left = limit
    for count, size in enumerate(sizes):
        if size > left and count >= least:
            return count, left
        left = max(0, left - size)
    return len(sizes), left
