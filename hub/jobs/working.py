"""Jobs that are claimed and ended, behind the fence that refuses a process that was given up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from msgspec.structs import replace

from hub.interfaces import Clock
from hub.jobs import endings
from hub.jobs.checks import LONGEST_DELAY, coalescing, queue_name
from hub.jobs.errors import LOST, Fenced, LostClaims
from hub.jobs.job import Coalescing, Handle, Job, NewJob, Settlement
from hub.jobs.process import BEATS, JobProcess
from hub.jobs.retries import RetryDelay
from hub.jobs.storage import KeepTimes, Storage
from hub.units import parse_duration

GIVEN_UP = "the process was given up, because its lease had passed: others have its jobs"
UNKNOWN = "this process does not have them: they were settled, or given up"
MOST_CLAIMED = 1_000_000
"""Jobs of a claim, whatever limit it has: more would not fit into one statement."""
Several = Job | Iterable[Job]


class Working(JobProcess):
    """Claims and ends jobs. Thread-safe."""

    def __init__(
        self,
        storage: Storage,
        lease: float,
        retry_delay: RetryDelay,
        keep: KeepTimes,
        name: str | None,
        clock: Clock,
        migrate: bool = True,
        longest_poll: float = 1.0,
    ) -> None:
        super().__init__(storage, lease, keep, name, clock, migrate, longest_poll)
        self._retry_delay = retry_delay

    def claim(
        self,
        limit: int = 1,
        queues: Sequence[str] | None = None,
        wait: float | str | None = None,
        *,
        coalesce: str | None = None,
        coalesce_prefix: str | None = None,
    ) -> list[Job]:
        """Claim up to ``limit`` jobs.

        :param queues: in this order; ``None``: all, another first each time. A queue's higher priorities are first.
        :param wait: for how long to sleep if there is none; it ends as soon as there may be one.
        :param coalesce: only jobs with this value. :param coalesce_prefix: only those whose value begins with it.
        :returns: nothing if none waits. :raises Unavailable: the database is away or busy.
        """
        together = coalescing(coalesce, coalesce_prefix)
        if not isinstance(limit, int) or limit < 1:
            raise ValueError(f"expected to claim one job or more, not {limit!r}")
        limit = min(limit, MOST_CLAIMED)
        if isinstance(queues, str):
            raise ValueError(f"queues are a list of names, not {queues!r}")
        queues = None if queues is None else [queue_name(queue) for queue in queues]
        seconds = 0.0 if wait is None else parse_duration(wait)
        self._ready()
        if seconds > 0:
            claim = partial(self._claim, limit, queues, together)
            return self._waits.claim(claim, lambda: self._process, queues, seconds)
        return self._claim(limit, queues, together)

    def _claim(self, limit: int, queues: Sequence[str] | None, together: Coalescing | None) -> list[Job]:
        if self._clock() - self._beaten >= self.lease / BEATS:
            self.heartbeat()
        process = self._ensure_process()
        if self._unanswered.give_back(process):
            self._waits.announce([""])
        with self._unanswered.claiming():
            jobs = self._storage.claim(process, limit, queues, together)
            self._in_hand.add(jobs)
        return jobs

    def complete(self, jobs: Several, status: int = 0, result: object = None) -> None:
        """End jobs as finished.

        :param status: exit status, which is kept for a time. :param result: what JSON can hold, kept as long.
        :raises BadJob: the result can't be encoded, or is too large.
        :raises Fenced: some were refused; the others are finished.
        :raises Unavailable: the database is away or busy; call again. It counts once.
        """
        endings.exit_status(status)  # also of no job
        self.settle(endings.finished(job, status, result) for job in _listed(jobs))

    def retry(self, jobs: Several, error: BaseException | str, delay: float | str | None = None) -> None:
        """Have jobs that failed tried again, or buried after their last attempt. Errors are those of ``complete``.

        :param error: for the log of errors. :param delay: instead of that of ``retry_delay``; ten years at most.
        """
        self.settle(
            endings.failed(job, error, parse_duration(self._retry_delay(job) if delay is None else delay))
            for job in _listed(jobs)
        )

    def bury(self, jobs: Several, error: BaseException | str) -> None:
        """Make jobs dead letters. Errors are those of ``complete``. :param error: the reason."""
        self.settle(endings.buried(job, error) for job in _listed(jobs))

    def give_back(self, jobs: Several) -> None:
        """Let others have jobs at once. This counts no attempt. Errors are those of ``complete``."""
        self.settle(endings.given_back(job) for job in _listed(jobs))

    def snooze(self, jobs: Several, delay: float | str) -> None:
        """Have jobs come again after the delay, ten years at most. This counts no attempt.

        Errors are those of ``complete``.
        """
        seconds = parse_duration(delay)
        self.settle(endings.given_back(job, seconds) for job in _listed(jobs))

    def settle(self, settlements: Iterable[Settlement]) -> None:
        """End jobs, each in its own way, all in one transaction. Errors are those of ``complete``.

        :param settlements: made by the functions of :mod:`hub.jobs.endings`, before anything is written.
        """
        self._end(list(settlements))

    def _end(self, settlements: list[Settlement], new: Sequence[NewJob] = ()) -> list[Handle]:
        """End claims, and insert jobs in the same transaction, for which all are of one process."""
        self._ready()
        # No program and no database need know a moment that is far beyond.
        settlements = [replace(one, delay=LONGEST_DELAY) if one.delay > LONGEST_DELAY else one for one in settlements]
        taken, refused = self._in_hand.take(settlements)
        reason, handles = UNKNOWN, list[Handle]()
        for process in {one.job.process for one in taken}:
            mine = [one for one in taken if one.job.process == process]
            try:
                mine, lost, accepted = self._settle(process, mine, new)
            except BaseException:
                self._in_hand.put_back(one.job for one in taken)
                raise
            if lost:
                refused += lost
                reason = LOST
            if accepted is not None:
                handles = accepted
                self._in_hand.settled(mine)
                self._waits.announce(
                    [
                        *(one.job.queue for one in mine if one.waits or one.job.lock),
                        *(job.queue for job in new if not job.later),
                    ]
                )
            else:
                refused += [one.job for one in mine]
                reason = GIVEN_UP
                self._forget(process)
            taken = [one for one in taken if one.job.process != process]
        if refused:
            with self._lock:
                self.fenced += len(refused)
            raise Fenced(refused, reason)
        return handles

    def _settle(
        self, process: int, settlements: list[Settlement], new: Sequence[NewJob]
    ) -> tuple[list[Settlement], list[Job], list[Handle] | None]:
        """End claims that the database has. :returns: these, jobs whose claims it has lost, and what it answers."""
        try:
            return settlements, [], self._storage.settle(process, settlements, new)
        except LostClaims as error:
            lost = [one for one in settlements if one.job.claim in error.claims]
            left = [one for one in settlements if one.job.claim not in error.claims]
        self._in_hand.settled(lost)
        return left, [one.job for one in lost], self._storage.settle(process, left, new) if left else []


def _listed(jobs: Several) -> list[Job]:
    return [jobs] if isinstance(jobs, Job) else list(jobs)
