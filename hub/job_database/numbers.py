"""Numbers of a queue of jobs: what this hub has settled of it, and what a look at the database finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from hub.job_database.result import Result
from hub.stats.counters import Counters, QueueStats

if TYPE_CHECKING:
    from hub.jobs.job import JobCounts


class SettledSoFar(NamedTuple):
    """Number of a queue's jobs that this hub has settled: surely, and how many more the database may have by now."""

    sure: int
    maybe: int


class JobNumbers:
    """Numbers of one queue. Not thread-safe: the source's lock is held.

    The number of jobs that ever came is what a look finds left and what was settled before it. That grows while the
    look is taken, so it lies between two bounds; a job is counted as settled elsewhere only if both say so.

    :ivar counters: since the hub began. :ivar counts: the last look; ``None``: there was none yet.
    :ivar lost: results that the database refused, because the job was somebody else's by then; only grows.
    :ivar unwritten: jobs whose results are not in the database yet, as far as is known.
    """

    def __init__(self) -> None:
        self.counters = Counters()
        self.counts: JobCounts | None = None
        self.lost = self.unwritten = 0
        self._oldest_at: float | None = None

    def follow(self, before: JobNumbers) -> None:
        """Continue the counts of another queue, which the same consumer had before."""
        counters = self.counters = replace(before.counters)
        counters.elsewhere += max(0, counters.backlog)
        counters.received = max(counters.received, counters.settled)
        self.lost = before.lost

    def settled(self, results: Sequence[Result]) -> None:
        """Count results that the database has."""
        counters = self.counters
        for one in results:
            counters.failed += one.failed
            if one.outcome == "finished":
                counters.finished += 1
            elif one.outcome == "dead" or (one.outcome == "retry" and one.job.last_attempt):
                counters.dead += 1
                counters.rejected += one.outcome == "dead" and not one.failed
            elif one.outcome != "given back":
                counters.retried += 1
        self.unwritten -= len(results)

    def refused(self, count: int, lost: int) -> None:
        """Count results that the database refused. :param lost: those of them that were of work."""
        self.lost += lost
        self.unwritten -= count

    @property
    def progress(self) -> SettledSoFar:
        """Progress until now."""
        return SettledSoFar(self.counters.worked, self.unwritten)

    def look(self, counts: JobCounts, before: SettledSoFar, wall: float) -> None:
        """Take a look at the queue in. :param before: the progress when it began. :param wall: epoch seconds."""
        backlog = counts.waiting + counts.delayed + counts.running
        counters, after = self.counters, self.progress
        counters.received = max(counters.received, backlog + before.sure + counters.elsewhere)
        counters.elsewhere = max(counters.elsewhere, counters.received - (backlog + sum(after)))
        self.counts = counts
        self._oldest_at = wall - counts.oldest if counts.waiting else None

    def stats(self, in_flight: int) -> QueueStats:
        """One reading."""
        delayed = 0 if self.counts is None else self.counts.delayed
        return QueueStats(replace(self.counters), in_flight, delayed, self._oldest_at)
