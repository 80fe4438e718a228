"""Worker of the simulation: one machine that works one message at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Worker:
    """Worker, and what it has done.

    :ivar seconds: time that one message takes it.
    :ivar messages: how many it was given.
    :ivar busy_until: when it has finished all of them.
    """

    seconds: float
    messages: int = 0
    busy_until: float = 0.0

    def give(self, now: float) -> float:
        """Give it a message, which it works after those that it has. :returns: when it starts that message."""
        started = max(now, self.busy_until)
        self.messages += 1
        self.busy_until = started + self.seconds
        return started
