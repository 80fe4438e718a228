"""Counters of the writer, and the sequences of its numbers."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.stats.histogram import Histogram, shares


class WriterCounters(msgspec.Struct):
    """Counters of the writer, which only grow; ``commit_times`` is in seconds."""

    commits: int = 0
    pages: int = 0
    skipped: int = 0
    messages: int = 0
    failures: int = 0
    expired: int = 0
    commit_times: Histogram = msgspec.field(default_factory=Histogram)

    def shown(self) -> dict[str, Any]:
        """The counters as in the status."""
        return {
            "commits": self.commits,
            "commit_seconds": shares(self.commit_times.counts),
            "pages_written": self.pages,
            "pages_spared": self.skipped,
            "messages": self.messages,
            "failures": self.failures,
            "expired": self.expired,
        }


class Sequences(msgspec.Struct, frozen=True):
    """Numbers found at the start: of the next page and outgoing message, and the highest one of a queue."""

    page: int
    outgoing: int
    queue: int
