"""What a worker has in hand. Pure: no lock."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from hub.message import Message
from hub.queue.schedule import Entry


@dataclass(slots=True, eq=False)
class Taken:
    """What a worker has in hand: messages of ascending positions, of which the first ``done`` are settled.

    ``at`` is the one that is being consumed now. Those between ``done`` and ``at`` are finished, but not reported yet;
    readers of the queue's numbers count them as finished.
    """

    messages: Sequence[Message]
    positions: Sequence[int]
    attempts: int = 0
    """How often they were given to the consumer before."""
    failures: int = 0
    """How many of these attempts count towards ``max_attempts``."""
    kills: int = 0
    """How often the hub was killed while a consumer had it in hand."""
    lane: tuple[Hashable] | None = None
    done: int = 0
    at: int = 0
    over: bool = False
    """Set when one that was on trial is in hand no more."""
    since: float | None = None
    """When the first one was received, epoch seconds, while it is being read from the store."""

    @property
    def unreported(self) -> int:
        """How many are finished and not reported."""
        return max(0, self.at - self.done)

    @property
    def current(self) -> Message:
        """The one that is being consumed now, or the last one."""
        return self.messages[min(self.at, len(self.messages) - 1)]

    @property
    def left(self) -> int:
        """How many are not settled."""
        return len(self.messages) - self.done

    def split(self, first: int) -> Taken:
        """Keep those before the index ``first``. Returns the others, as something that was taken by itself."""
        rest = replace(self, messages=self.messages[first:], positions=self.positions[first:], done=0, at=0)
        self.messages, self.positions = self.messages[:first], self.positions[:first]
        return rest

    def rest(self, count: int) -> list[Entry]:
        """The next ``count`` of those that are not settled."""
        tries = (self.attempts, self.failures, self.kills)
        return [
            Entry(self.positions[at], self.messages[at], *tries, received_at=self.since)
            for at in range(self.done, self.done + count)
        ]
