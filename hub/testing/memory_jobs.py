"""Jobs in memory, for tests: the job queue's own code on SQLite without a file, with a clock that stands still."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from hub.errors import Reject, Retry
from hub.jobs.job import Job
from hub.jobs.jobs import Jobs
from hub.jobs.retries import backoff
from hub.jobs.sqlite import SQLite, SQLiteMemory
from hub.testing.stand_ins import longest

MOST_ROUNDS = 10_000
Handler = Callable[[Job], object]
"""Works a job. It returns if the job is finished, and raises if it failed."""


class MemoryJobs(Jobs):
    """A :class:`hub.jobs.Jobs` in memory. What a program does with its own works here, but for ``connection=``.

    Its clock moves by ``advance()`` alone, and while a claim waits. The delay of a retry is the longest: 15 s, 30 s,
    60 s and so on.

    :param began: epoch seconds on its clock at first; ``None``: the current time.
    :param options: those of :class:`hub.jobs.Jobs`.
    """

    def __init__(self, began: float | None = None, **options: Any) -> None:
        self._began = time.time() if began is None else began
        self._passed = 0.0
        self._memory = SQLiteMemory()
        super().__init__(SQLite(self._memory, self._wall), clock=self._monotonic, **_predictable(options))
        self._waits.sleep = self._pass_time

    def another(self, **options: Any) -> Jobs:
        """Another program's, at the same jobs, by the same clock. :param options: those of :class:`hub.jobs.Jobs`."""
        jobs = Jobs(SQLite(self._memory, self._wall), clock=self._monotonic, **_predictable(options))
        jobs._waits.sleep = self._pass_time
        return jobs

    def run(self, handler: Handler, queues: Sequence[str] | None = None) -> list[Job]:
        """Work jobs, one after the other, until none waits; the clock does not move.

        A job is finished when ``handler`` returns, unless it has ended the job itself. ``Retry`` snoozes it, ``Reject``
        buries it, and any other exception is a failure, as with a consumer.

        :returns: those that were worked, in order. :raises AssertionError: it does not end.
        """
        worked: list[Job] = []
        self.maintain()
        while claimed := self.claim(1, queues):
            if len(worked) == MOST_ROUNDS:
                self.give_back(claimed)
                raise AssertionError(f"jobs still come after {MOST_ROUNDS}: the last is {claimed[0]}")
            self._work(handler, claimed[0])
            worked += claimed
        return worked

    def _work(self, handler: Handler, job: Job) -> None:
        failure: Exception | None = None
        try:
            handler(job)
        except Exception as error:  # noqa: BLE001 - a worker catches all of them
            failure = error
        if (job.claim, job.id) not in {(one.claim, one.id) for one in self.in_hand}:
            return
        if failure is None:
            self.complete(job)
        elif isinstance(failure, Retry):
            self.snooze(job, self._retry_delay(job) if failure.delay is None else failure.delay)
        elif isinstance(failure, Reject):
            self.bury(job, failure.reason)
        else:
            self.retry(job, failure)

    def advance(self, seconds: float) -> None:
        """Advance the clock. Delayed jobs that are due then wait. This program stays alive; others whose lease has
        passed meanwhile lose their jobs."""
        self._dead()  # the others' heartbeats, before and after
        self._passed += seconds
        self._beaten = self._monotonic()  # it was never away
        self.heartbeat()
        self.maintain()

    def run_to_the_end(self, handler: Handler, queues: Sequence[str] | None = None) -> list[Job]:
        """Work jobs, and advance the clock to each next one that is due, until none is left but dead letters.

        :returns: those that were worked, in order; a job is there for each of its attempts.
        :raises AssertionError: it does not end.
        """
        worked: list[Job] = []
        for _ in range(MOST_ROUNDS):
            worked += self.run(handler, queues)
            seconds = self.due_in(queues)
            if seconds is None:
                return worked
            self.advance(seconds)
        raise AssertionError(f"jobs still come after {MOST_ROUNDS} rounds: the last is {worked[-1]}")

    def due_in(self, queues: Sequence[str] | None = None) -> float | None:
        """Seconds until the next delayed job is due; ``None``: there is none. Those of a paused queue do not count."""
        counts = self.counts()
        chosen = [name for name in counts if (queues is None or name in queues) and not counts[name].paused]
        first = [self.find(job.id) for name in chosen for job in self.peek(name, "delayed", 1)]
        due = [status.due for status in first if status is not None and status.due is not None]
        return max(0.0, min(due) - self._wall()) if due else None

    def discard(self) -> None:
        """Let all jobs go. The fixture calls this at the end of a test."""
        self.close()
        self._memory.discard()

    def _pass_time(self, woken: threading.Event, seconds: float) -> None:
        if not woken.is_set():
            self.advance(seconds)

    def _monotonic(self) -> float:
        return self._passed

    def _wall(self) -> float:
        return self._began + self._passed


def _predictable(options: dict[str, Any]) -> dict[str, Any]:
    return {"retry_delay": backoff(longest), **options}
