"""Several databases of jobs: which are there, whose a job is, and what is asked of all of them."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

from msgspec import structs

from hub.errors import Unavailable
from hub.interfaces import Clock
from hub.jobs.checks import queue_limits
from hub.jobs.errors import BadDatabase
from hub.jobs.job import ClaimLimits, Handle, Job, JobCounts, JobError, JobState, JobStatus
from hub.jobs.jobs import PEEKED, Jobs
from hub.units import parse_duration

MOST = 100
"""Databases. The last two digits of a job's number are those of its database."""
T = TypeVar("T")


def outer(job: Job, at: int) -> Job:
    """Job of a database, with its number among all."""
    return structs.replace(job, id=job.id * MOST + at)


def inner(job: Job) -> Job:
    """The same with its number in its database."""
    return structs.replace(job, id=job.id // MOST)


def outer_handle(handle: Handle, at: int) -> Handle:
    """Handle of a database's job, with its number among all."""
    return structs.replace(handle, id=handle.id * MOST + at)


class Shards:
    """Several databases of jobs. Thread-safe. The methods do what those of :class:`hub.jobs.Jobs` do.

    :ivar databases: a ``Jobs`` for each. The numbers of jobs and handles that these give are their own.
    :param dsns: the same in all programs, in the same order.
    :param rest: how long a database that is away is left alone, before it is tried again.
    :param clock: a monotonic one. :param options: those of :class:`hub.jobs.Jobs`.
    :raises BadDatabase: there are none, or more than 100, or one is given twice.
    """

    def __init__(
        self, dsns: Sequence[Any], *, rest: float | str = 30.0, clock: Clock = time.monotonic, **options: Any
    ) -> None:
        if isinstance(dsns, str) or not 0 < len(dsns) <= MOST or len({str(dsn) for dsn in dsns}) < len(dsns):
            raise BadDatabase(f"expected a list of 1 to {MOST} DSNs, each once")
        self._rest = parse_duration(rest)
        self._clock = clock
        self.databases = [Jobs(dsn, clock=clock, **self._options(options, at)) for at, dsn in enumerate(dsns)]
        self._lock = threading.Lock()
        self._turns = itertools.count()
        self._until: dict[int, float] = {}

    @staticmethod
    def _options(options: dict[str, Any], at: int) -> dict[str, Any]:
        delay = options.get("retry_delay")
        return options if delay is None else options | {"retry_delay": lambda job: delay(outer(job, at))}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def away(self) -> list[int]:
        """Places, among the DSNs, of databases that are left alone for a while."""
        with self._lock:
            now = self._clock()
            return sorted(at for at, until in self._until.items() if until > now)

    @property
    def fenced(self) -> int:
        """Completions that were refused; only grows."""
        return sum(jobs.fenced for jobs in self.databases)

    @property
    def in_hand(self) -> list[Job]:
        """Jobs that this process has claimed and not ended."""
        return [outer(job, at) for at, jobs in enumerate(self.databases) for job in jobs.in_hand]

    def heartbeat(self) -> list[Job]:
        """Renew the leases. :returns: jobs in hand that were cancelled."""
        return [outer(job, at) for at, jobs in self._all(lambda jobs: jobs.heartbeat()) for job in jobs]

    def maintain(self) -> None:
        """Do what is due in each database."""
        self._all(lambda jobs: jobs.maintain())

    def prune(self) -> None:
        """Delete what is older than it is kept."""
        self._all(lambda jobs: jobs.prune())

    @contextmanager
    def keep_alive(self) -> Iterator[None]:
        """Renew the leases and do the upkeep in threads, one for each database, as long as the block lasts."""
        with ExitStack() as stack:
            for jobs in self.databases:
                stack.enter_context(jobs.keep_alive())
            yield

    def close(self) -> None:
        """Give back what is in hand, and close all connections."""
        for jobs in self.databases:
            jobs.close()

    def counts(self) -> dict[str, JobCounts]:
        """Numbers of all queues, added up over the databases that are there: see ``away``."""
        found: dict[str, JobCounts] = defaultdict(JobCounts)
        for _, counts in self._all(lambda jobs: jobs.counts()):
            for queue, each in counts.items():
                found[queue] = _sum(found[queue], each)
        return dict(sorted(found.items()))

    def queue_names(self) -> list[str]:
        """Names of all queues that have had a job, or are paused."""
        return sorted({name for _, names in self._all(lambda jobs: jobs.queue_names()) for name in names})

    def find(self, job: Handle | int) -> JobStatus | None:
        """Status of a job."""
        number = _number(job)
        found = self._at(number % MOST, lambda at: self.databases[at].find(number // MOST))
        return None if found is None else replace(found, id=number)

    def read(self, job: Handle | int) -> Job | None:
        """A job with its body, without a claim."""
        number = _number(job)
        found = self._at(number % MOST, lambda at: self.databases[at].read(number // MOST))
        return None if found is None else outer(found, number % MOST)

    def errors(self, job: Handle | int) -> list[JobError]:
        """Errors of a job's attempts, the oldest first."""
        number = _number(job)
        found = self._at(number % MOST, lambda at: self.databases[at].errors(number // MOST))
        return [replace(error, job=number) for error in found]

    def recent_errors(self, queue: str | None = None, limit: int = PEEKED, since: float = 0.0) -> list[JobError]:
        """The newest errors of a queue's jobs, or of all, in the order of time."""
        every = self._all(lambda jobs: jobs.recent_errors(queue, limit, since))
        found = [replace(error, job=error.job * MOST + at) for at, errors in every for error in errors]
        return sorted(found, key=lambda error: error.at)[-limit:]

    def peek(
        self, queue: str, state: JobState | str = JobState.WAITING, limit: int = PEEKED, tags: Sequence[str] = ()
    ) -> list[Job]:
        """First jobs of a queue, of one database after the other."""
        every = self._all(lambda jobs: jobs.peek(queue, state, limit, tags))
        return [outer(job, at) for at, found in every for job in found][:limit]

    def cancel(self, job: Handle | int) -> JobState | None:
        """Cancel a job."""
        number = _number(job)
        return self._at(number % MOST, lambda at: self.databases[at].cancel(number // MOST))

    def kick(self, queue: str, limit: int = PEEKED) -> int:
        """Make delayed jobs due now."""
        return self._up_to(limit, lambda jobs, left: jobs.kick(queue, left))

    def purge(self, queue: str, state: JobState | str = JobState.WAITING, limit: int = PEEKED) -> int:
        """Cancel jobs of a queue."""
        return self._up_to(limit, lambda jobs, left: jobs.purge(queue, state, left))

    def retry_dead(
        self, queue: str, limit: int = PEEKED, jobs: Sequence[Handle | int] | None = None, error: str = ""
    ) -> int:
        """Have dead letters wait again."""
        if jobs is None:
            return self._up_to(limit, lambda mine, left: mine.retry_dead(queue, left, None, error))
        retried = 0
        for at in sorted({_number(job) % MOST for job in jobs}):
            chosen = [_number(job) // MOST for job in jobs if _number(job) % MOST == at]
            left = limit - retried
            if left > 0:
                retried += self._at(at, lambda at: self.databases[at].retry_dead(queue, left, chosen, error))  # noqa: B023
        return retried

    def pause(self, queue: str, reason: str = "") -> None:
        """Let nobody claim jobs of the queue. :raises Unavailable: one of the databases is away; say it again then."""
        self._every(lambda jobs: jobs.pause(queue, reason))

    def resume(self, queue: str) -> None:
        """End a pause. :raises Unavailable: one of the databases is away; say it again then."""
        self._every(lambda jobs: jobs.resume(queue))

    def set_limits(
        self, queue: str, *, per_lock: int = 1, rate: float | str | None = None, burst: int | None = None
    ) -> None:
        """Limit what is claimed of a queue: each database has its share of the rate.

        :raises Unavailable: one of the databases is away; say it again then.
        """
        whole = queue_limits(per_lock, rate, burst)
        count = len(self.databases)
        share = None if whole.rate is None else whole.rate / count
        room = None if share is None else math.ceil(whole.burst / count)
        self._every(lambda jobs: jobs.set_limits(queue, per_lock=per_lock, rate=share, burst=room))

    def limits(self) -> dict[str, ClaimLimits]:
        """Limits of the queues that have any but the usual ones, added up over the databases that are there."""
        found: dict[str, ClaimLimits] = {}
        for _, limits in self._all(lambda jobs: jobs.limits()):
            for queue, each in limits.items():
                before = found.get(queue)
                if before is not None and before.rate is not None and each.rate is not None:
                    each = ClaimLimits(each.per_lock, before.rate + each.rate, before.burst + each.burst)
                found[queue] = each
        return dict(sorted(found.items()))

    def _in_turn(self) -> list[int]:
        """Places of databases, another first each time, without those that are left alone; if all are, all."""
        count, start = len(self.databases), next(self._turns)
        order = [(start + step) % count for step in range(count)]
        away = self.away
        return [at for at in order if at not in away] or order

    def _check(self, at: int) -> None:
        """:raises BadDatabase: there is no such."""
        if at >= len(self.databases):
            raise BadDatabase(f"there is no database {at}, only {len(self.databases)}: the job is of another list")

    def _database_of(self, job: Job) -> Jobs:
        """The database that has a job. :raises BadDatabase: there is no such."""
        at = job.id % MOST
        self._check(at)
        return self.databases[at]

    def _at(self, at: int, do: Callable[[int], T]) -> T:
        """Do something in one database, and note whether it is there. :raises BadDatabase: there is no such."""
        self._check(at)
        try:
            found = do(at)
        except Unavailable:
            with self._lock:
                self._until[at] = self._clock() + self._rest
            raise
        with self._lock:
            self._until.pop(at, None)
        return found

    def _anywhere(self, do: Callable[[int], T]) -> T:
        """Do something in the next database that is there. :raises Unavailable: none is."""
        for last, at in _with_last(self._in_turn()):
            try:
                return self._at(at, do)
            except Unavailable:
                if last:
                    raise
        raise AssertionError("there is a database")

    def _all(self, do: Callable[[Jobs], T]) -> list[tuple[int, T]]:
        """Do something in all databases that are there. :raises Unavailable: none is."""
        found, failed = [], []
        order = sorted(self._in_turn())
        for at in order:
            try:
                found.append((at, self._at(at, lambda at: do(self.databases[at]))))
            except Unavailable as error:
                failed.append(error)
        if failed and not found:
            raise failed[0]
        return found

    def _every(self, do: Callable[[Jobs], object]) -> None:
        """Do something in each database. :raises Unavailable: one is away; it was done in the others."""
        failed = []
        for at in range(len(self.databases)):
            try:
                self._at(at, lambda at: do(self.databases[at]))
            except Unavailable as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def _up_to(self, limit: int, do: Callable[[Jobs, int], int]) -> int:
        done = 0

        def some(jobs: Jobs) -> None:
            nonlocal done
            if done < limit:
                done += do(jobs, limit - done)

        self._all(some)
        return done


def _with_last(order: Sequence[int]) -> Iterator[tuple[bool, int]]:
    return ((index == len(order) - 1, at) for index, at in enumerate(order))


def _number(job: Handle | int) -> int:
    return job.id if isinstance(job, Handle) else job


def _sum(one: JobCounts, other: JobCounts) -> JobCounts:
    return JobCounts(
        waiting=one.waiting + other.waiting,
        oldest=max(one.oldest, other.oldest),
        delayed=one.delayed + other.delayed,
        running=one.running + other.running,
        dead=one.dead + other.dead,
        paused=one.paused or other.paused,
        reason=one.reason or other.reason,
    )
