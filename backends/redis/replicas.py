"""Replicas: whether enough of them have what was published. An old master that does not know of a failover has none."""

from __future__ import annotations

from hub.backends.redis.line import Line
from hub.backends.redis.settings import Config

POLL = 100
"""Milliseconds between two looks at the replicas."""


class Replicas:
    """Waits for the configured number of replicas."""

    def __init__(self, config: Config) -> None:
        self._wanted = config.replicas
        self._patience = int(config.timeout * 500)

    def shortage(self, line: Line, other: bool) -> str | None:
        """Wait until enough replicas have all that was added, for half the time that an answer may take.

        :param other: some of it was added by another connection, of which WAIT knows nothing.
        :returns: why it is not enough; ``None``: it is.
        """
        if not self._wanted:
            return None
        reached = int(line.call("WAIT", self._wanted, self._patience))
        if other and reached >= self._wanted:
            reached = self._reached(line)
        if reached >= self._wanted:
            return None
        return f"{reached} of {self._wanted} replicas have it: it may be lost with this server"

    def _reached(self, line: Line) -> int:
        """Number of replicas that are as far as the master is now. They tell it once a second."""
        wanted = int(line.call("ROLE")[1])
        for _ in range(max(1, self._patience // POLL)):
            role, _, replicas = line.call("ROLE")[:3]
            if role != b"master":
                return 0
            reached = sum(int(offset) >= wanted for _, _, offset in replicas)
            if reached >= self._wanted:
                return reached
            line.call("WAIT", 1 << 20, POLL)  # the server sleeps for us
        return reached
