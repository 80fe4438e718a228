"""Heartbeats of all processes as this program sees them, and which of these are dead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MISSED = 2 / 3
"""Share of a lease after which a living process has missed two heartbeats: it is noted as silent."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Last heartbeat of a process.

    :ivar seen: its time by the database's clock. :ivar lease: the process's own, in seconds.
    :ivar given_up: by that clock the lease has passed, and that it was silent was noted long enough ago for a living
        process to have renewed it since.
    """

    seen: float
    lease: float
    given_up: bool = False


class Heartbeats:
    """What this program has seen, by its own monotonic clock. Not thread-safe.

    The database's clock may step. After a step forward all processes look silent, until each renews its lease; after a
    step back none does, however dead. So a process is dead if this program has looked on for its lease, and its
    heartbeat did not change. A program that has just begun need not look on so long for one that others, too, found
    silent.
    """

    def __init__(self) -> None:
        self._unchanged: dict[int, tuple[float, float]] = {}

    def forget(self) -> None:
        """Look on anew: for a while nothing was seen, and nobody could renew a lease."""
        self._unchanged.clear()

    def dead(self, found: Mapping[int, Heartbeat], began: float, ended: float) -> dict[int, float]:
        """Take a look in. :param began: when the look began; ``ended``: when it ended.

        :returns: the processes that are dead, each with the time of its last heartbeat.
        """
        before = self._unchanged
        self._unchanged = {
            process: before[process] if before.get(process, (None,))[0] == one.seen else (one.seen, ended)
            for process, one in found.items()
        }
        return {
            process: one.seen
            for process, one in found.items()
            if one.given_up or began - self._unchanged[process][1] >= one.lease
        }
