"""Portion: the bounded part of all pending changes that one commit takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

import msgspec

from hub.store.ledger import Burden, Ledger
from hub.store.pending import Item
from hub.store.tables import Tables

TRY_SIZE = 64
"""Most bytes of a row in the table ``tries``."""
PER_MESSAGE = 64
"""Bytes that settling a waiting message may need before it frees space: a row of the settled ranges."""
MOST_STANDING = 256 << 20


class Portion(msgspec.Struct, frozen=True):
    """A portion of the pending changes.

    :ivar batches: the oldest pending batches. :ivar burdens: settlements that need space, with their ledgers.
    :ivar all: whether nothing else is pending.
    """

    batches: Sequence[Item]
    burdens: Sequence[tuple[Ledger, Burden]]
    all: bool

    @classmethod
    def of(cls, waiting: Sequence[Item], ledgers: Iterable[Ledger], limit: int) -> Portion:
        """Make a portion: burdens first, since they settle positions, then batches. It has at least one part.

        :param limit: most bytes. Each part counts, so that a lower limit gives a smaller portion.
        """
        held = [(ledger, burden) for ledger in ledgers for burden in ledger.held]
        burdens, left = _within([burden.size for _, burden in held], limit)
        sizes = [batch.size for batch, _ in waiting]
        batches, _ = _within(sizes, left, least=0 if burdens else 1)
        whole = burdens == len(held) and batches == len(waiting)
        return cls(waiting[:batches], held[:burdens], whole)

    def admit(self) -> None:
        """Admit its burdens to the next commit."""
        for ledger, burdens in groupby([ledger for ledger, _ in self.burdens]):
            ledger.admit(len(list(burdens)))

    def retract(self) -> None:
        """Hold its burdens again, after a failed commit."""
        for ledger in {id(ledger): ledger for ledger, _ in self.burdens}.values():
            ledger.retract()

    @property
    def parts(self) -> int:
        """Number of parts into which it can be divided."""
        return len(self.batches) + len(self.burdens)

    def half(self) -> int:
        """Limit in bytes that gives a smaller portion."""
        sizes = [batch.size for batch, _ in self.batches] + [burden.size for _, burden in self.burdens]
        return sum(sizes) // 2

    def reserve(self, tables: Tables, ledgers: Collection[Ledger]) -> None:
        """Reserve disk space for it, and for later commits that free space. :raises OSError: the disk is full."""
        tries = TRY_SIZE * sum([len(ledger.tries) for ledger in ledgers])
        size = sum([batch.size for batch, _ in self.batches]) + sum([one.size for _, one in self.burdens]) + tries
        if size:
            waiting = sum([max(0, ledger.counters.backlog) for ledger in ledgers])
            tables.reserve(size, min(MOST_STANDING, PER_MESSAGE * waiting), not self.batches)


def _within(sizes: Sequence[int], limit: int, least: int = 1) -> tuple[int, int]:
    """Number of parts that fit, and the rest of the limit. :param least: number that always fits."""
    left = limit
    for count, size in enumerate(sizes):
        if size > left and count >= least:
            return count, left
        left = max(0, left - size)
    return len(sizes), left
