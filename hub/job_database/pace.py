"""How many jobs a source has claimed before its workers ask for them. Pure: the caller passes the time."""

from __future__ import annotations

AHEAD = 0.1
"""Seconds of work that are claimed ahead."""
MOST_AHEAD = 1000
"""Jobs that are claimed ahead at most."""
MOST_BYTES = 16 << 20
"""Bytes of bodies that one claim brings, about, once the size of the queue's bodies is known."""
FIRST_CLAIM = 100
"""Jobs of a claim while that is not known."""
SHORTEST = 0.001
"""Seconds: the shortest time from which a pace is taken."""


class Pace:
    """Pace of a source's workers, and the size of its bodies.

    :param now: monotonic seconds, as in all methods.
    """

    def __init__(self, now: float) -> None:
        self._ahead = 0
        self._delivered = 0
        self._since = now
        self._size: float | None = None

    def deliver(self, count: int) -> None:
        """Note that jobs were handed to a worker."""
        self._delivered += count

    def arrive(self, count: int, size: int, now: float) -> None:
        """Note that a claim has brought jobs. :param size: bytes of all their bodies."""
        self._ahead = min(int(self._delivered / max(now - self._since, SHORTEST) * AHEAD), MOST_AHEAD)
        self._delivered, self._since = 0, now
        mean = size / count
        self._size = mean if self._size is None else max(mean, 0.9 * self._size + 0.1 * mean)

    def wanted(self, asked: int, have: int) -> int:
        """How many jobs to claim.

        :param asked: jobs for which workers wait. :param have: jobs that wait for workers.
        """
        if have >= asked and have >= (self._ahead + 1) // 2:
            return 0
        most = FIRST_CLAIM if self._size is None else max(1, int(MOST_BYTES / max(1.0, self._size)))
        return max(0, min(asked + self._ahead - have, most))
