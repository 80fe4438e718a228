"""What the writer counts: how much it has done, and which number comes next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hub.stats.histogram import Histogram, shares


@dataclass
class WriterCounters:
    """Only grow; ``commit_times`` in seconds."""

    commits: int = 0
    pages: int = 0
    skipped: int = 0
    messages: int = 0
    failures: int = 0
    expired: int = 0
    commit_times: Histogram = field(default_factory=Histogram)

    def shown(self) -> dict[str, Any]:
        """As the status has them."""
        return {
            "commits": self.commits,
            "commit_seconds": shares(self.commit_times.counts),
            "pages_written": self.pages,
            "pages_spared": self.skipped,
            "messages": self.messages,
            "failures": self.failures,
            "expired": self.expired,
        }


@dataclass(frozen=True)
class Numbers:
    """What is to be numbered next, as it was found: a page, an outgoing message; and the highest number of a queue."""

    page: int
    outgoing: int
    queue: int
