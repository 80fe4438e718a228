"""PostgreSQL's snapshots as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatabaseSnapshot:
    """Which transactions a statement sees: those below ``upper`` that are not among ``running``.

    :ivar lower: all below it have ended.
    """

    lower: int
    upper: int
    running: tuple[int, ...] = ()

    @classmethod
    def parse(cls, text: str) -> DatabaseSnapshot:
        """Read PostgreSQL's form: ``10:20:10,14,15``."""
        lower, upper, running = text.split(":")
        return cls(int(lower), int(upper), tuple(int(xid) for xid in running.split(",") if xid))

    def without(self, xid: int) -> DatabaseSnapshot:
        """The same, in which that transaction still runs. PostgreSQL leaves one's own transaction out of ``running``:
        rows that it writes after the snapshot would count as seen."""
        if xid >= self.upper or xid in self.running:
            return self
        return DatabaseSnapshot(min(self.lower, xid), self.upper, tuple(sorted((*self.running, xid))))

    def sees(self, xid: int) -> bool:
        """True if that transaction had ended."""
        return xid < self.upper and xid not in self.running

    def __str__(self) -> str:
        return f"{self.lower}:{self.upper}:{','.join(map(str, self.running))}"
