"""Workload of one queue, for the status: its threads, their times and their failures."""

from __future__ import annotations

from typing import Self

import msgspec

from hub.failure import Failure
from hub.parts.queue_entry import QueueEntry
from hub.stats.histogram import coarse, fine, shares
from hub.status.consumers import FailureRow, Quantiles, WorkerRow, WorkStatus
from hub.workers.supervisor import Supervisor

UNKNOWN: Quantiles = {"p50": None, "p95": None, "p99": None}
_WITHOUT_THREADS: WorkStatus = {
    "consume_time": UNKNOWN,
    "age_at_finish": UNKNOWN,
    "threads_replaced": 0,
    "tick_failures": 0,
    "error": None,
    "tick_error": None,
    "last_error": None,
    "own": None,
    "consume_buckets": [],
    "consume_histogram": None,
}


class Workload(msgspec.Struct, frozen=True):
    """The work of the threads that drain a queue; empty if none do.

    :ivar threads: living threads. :ivar workers: a row for each.
    :ivar hung_for: seconds for which a message far beyond the usual time has been in hand; 0: none.
    """

    threads: int = 0
    workers: list[WorkerRow] = msgspec.field(default_factory=list)
    hung_for: float = 0.0
    row: WorkStatus | None = None

    @classmethod
    def of(cls, entry: QueueEntry, supervisor: Supervisor) -> Self:
        """The current work on a queue; for an orphan the last known, without threads."""
        crew = entry.crew
        if crew is None:
            return cls()
        consume, ages = crew.times()
        bounds, counts = coarse(consume)
        times, failure = shares(consume), crew.last_failure
        row: WorkStatus = {
            "consume_time": times,
            "age_at_finish": shares(ages),
            "threads_replaced": crew.replaced,
            "tick_failures": crew.tick_failures,
            "error": crew.start_error or None,
            "tick_error": crew.tick_error or None,
            "last_error": None if failure is None else _failure(failure),
            "own": None if entry.orphan else crew.own_status(),
            "consume_buckets": fine(consume),
            "consume_histogram": {"bounds": bounds, "counts": counts, "sum": crew.busy(supervisor.now())},
        }
        hung_for = supervisor.hung_for(crew, times["p99"] or 0.0)
        if entry.orphan:
            return cls(hung_for=hung_for, row=row)
        threads = sum(thread.is_alive() for _, thread in crew.workers)
        return cls(threads, supervisor.threads(crew), hung_for, row)

    def status(self) -> WorkStatus:
        """The fields of the work in the row of its queue."""
        if self.row is not None:
            return self.row
        return _WITHOUT_THREADS.copy()


def _failure(failure: Failure) -> FailureRow:
    return {
        "time": failure.time,
        "error": failure.error,
        "text": failure.text,
        "topic": failure.topic,
        "message_id": failure.message_id,
        "attempt": failure.attempt,
    }
