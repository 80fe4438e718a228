"""Counters of a queue, which only grow, and a consistent reading of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Counters:
    """Counters of one queue, in messages, except ``received_bytes``."""

    received: int = 0
    received_bytes: int = 0
    finished: int = 0
    failed: int = 0
    """Attempts that ended with an exception other than ``Retry`` and ``Reject``."""
    retried: int = 0
    dead: int = 0
    dropped_newest: int = 0
    """Dropped on arrival, because the queue was full."""
    dropped_oldest: int = 0
    """Dropped for newer ones, because the queue was full."""
    dropped_expired: int = 0
    """Not delivered by ``max_age``, or by the time that the sender set (``expires``)."""
    dropped_purged: int = 0
    """Purged by an operator."""
    dropped_damaged: int = 0
    """Missing or damaged on the disk."""
    dropped_drained: int = 0
    """Dropped on arrival, because an operator drains the consumer."""
    rejected: int = 0
    """Dead letters that the consumer asked for with ``Reject``."""
    elsewhere: int = 0
    """Jobs of a database that are settled, and not by this hub: by another process, or they were cancelled."""

    @property
    def dropped(self) -> int:
        """All dropped messages, by any cause."""
        return (
            self.dropped_newest
            + self.dropped_oldest
            + self.dropped_expired
            + self.dropped_purged
            + self.dropped_damaged
            + self.dropped_drained
        )

    @property
    def dropped_on_arrival(self) -> int:
        """Messages dropped on arrival: they never waited."""
        return self.dropped_newest + self.dropped_drained

    @property
    def lost(self) -> int:
        """Messages dropped without an operator's order."""
        return self.dropped - self.dropped_purged - self.dropped_drained

    @property
    def worked(self) -> int:
        """Messages settled by the consumer: finished, or dead letters."""
        return self.finished + self.dead

    @property
    def asked(self) -> int:
        """Attempts that ended with ``Retry``: retried without a failure."""
        return self.retried - (self.failed - (self.dead - self.rejected))

    @property
    def settled(self) -> int:
        """Messages that need no more work."""
        return self.finished + self.dead + self.dropped + self.elsewhere

    @property
    def backlog(self) -> int:
        """Messages received and not settled: waiting or in flight."""
        return self.received - self.settled


@dataclass(frozen=True)
class QueueStats:
    """One consistent reading of a queue."""

    counters: Counters
    in_flight: int
    delayed: int
    oldest_received_at: float | None
    """Epoch seconds of receipt of the oldest message that is not settled."""
