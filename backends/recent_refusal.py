"""A broker's refusal of messages that is recent enough to be told: it makes the hub not ready."""

from __future__ import annotations

from hub.interfaces import Clock

FORGET = 60.0
"""Seconds without another one after which a refusal is of the past. The outbox tries again within 30."""


class RecentRefusal:
    """The last refusal. Each call is safe in any thread. :param clock: monotonic seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: tuple[float, str] | None = None

    def note(self, reason: str) -> None:
        """Note that the broker takes no messages, and why."""
        self._last = self._clock(), reason

    def clear(self) -> None:
        """Note that it takes some, or that the connection is another's."""
        self._last = None

    @property
    def reason(self) -> str:
        """Why the broker takes none; empty: it does, or the last refusal is of the past."""
        last = self._last
        return last[1] if last is not None and self._clock() - last[0] <= FORGET else ""
