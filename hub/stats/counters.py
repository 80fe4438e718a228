"""The numbers of a queue that only grow, and one consistent reading of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Counters:
    """In messages, but for ``received_bytes``."""

    received: int = 0
    received_bytes: int = 0
    finished: int = 0
    failed: int = 0
    """Attempts that ended with an exception other than ``Retry`` and ``Reject``."""
    retried: int = 0
    dead: int = 0
    dropped_newest: int = 0
    """Refused, for the queue was full."""
    dropped_oldest: int = 0
    """Given up for newer ones, for the queue was full."""
    dropped_expired: int = 0
    """Older than ``max_age``."""
    dropped_purged: int = 0
    """Thrown away by an operator."""
    dropped_damaged: int = 0
    """The disk did not give back what was written."""
    dropped_drained: int = 0
    """Not given to a consumer that an operator drains."""
    rejected: int = 0
    """Dead letters that the consumer asked for with ``Reject``."""

    @property
    def dropped(self) -> int:
        """Lost, of whatever cause."""
        return (
            self.dropped_newest
            + self.dropped_oldest
            + self.dropped_expired
            + self.dropped_purged
            + self.dropped_damaged
            + self.dropped_drained
        )

    @property
    def refused(self) -> int:
        """Dropped on arrival: they never waited."""
        return self.dropped_newest + self.dropped_drained

    @property
    def lost(self) -> int:
        """Dropped without an operator's order."""
        return self.dropped - self.dropped_purged - self.dropped_drained

    @property
    def worked(self) -> int:
        """Settled by the consumer: finished, or a dead letter."""
        return self.finished + self.dead

    @property
    def asked(self) -> int:
        """Attempts that ended with ``Retry``: those given back without a failure."""
        return self.retried - (self.failed - (self.dead - self.rejected))

    @property
    def settled(self) -> int:
        """All that needs no more work."""
        return self.finished + self.dead + self.dropped

    @property
    def backlog(self) -> int:
        """Received and not settled: waiting or in flight."""
        return self.received - self.settled


@dataclass(frozen=True)
class QueueStats:
    """One consistent reading of a queue."""

    counters: Counters
    in_flight: int
    delayed: int
    oldest_received_at: float | None
    """Epoch seconds; of the oldest message that is not settled."""
