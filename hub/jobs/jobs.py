"""The job queue as programs use it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from sqlalchemy import URL

from hub.interfaces import Clock
from hub.jobs import endings
from hub.jobs.checks import (
    LARGEST,
    JobOptions,
    at_most,
    check_key,
    filled,
    queue_limits,
    queue_name,
    storable,
    tag_names,
    template,
)
from hub.jobs.connections import url_of
from hub.jobs.errors import BadDatabase
from hub.jobs.job import (
    ClaimLimits,
    Handle,
    Job,
    JobCounts,
    JobError,
    JobState,
    JobStatus,
    NewJob,
    NoteKind,
)
from hub.jobs.noting import Noting
from hub.jobs.postgresql import PostgreSQL
from hub.jobs.retries import RetryDelay, backoff
from hub.jobs.sqlite import SQLite, SQLiteFile
from hub.jobs.storage import KeepTimes, Storage
from hub.units import parse_duration

PEEKED = 100
"""Jobs that a look or an order takes unless it is told."""
SHORTEST_LEASE = 0.1
SHORTEST_TIMEOUT = 0.1


class Jobs(Noting):
    """Jobs in a database. Thread-safe; nothing is opened before the first use.

    :param dsn: ``postgresql://user@host/name``, ``postgresql+psycopg://...``, ``sqlite:////file``; or a
        storage that was made already, as those of tests are.
    :param queues: names that there are, so that others are refused; ``None``: any.
    :param lease: how long a process may be silent until others have its jobs.
    :param retry_delay: from a job that failed to the seconds until its next attempt.
    :param max_body: bytes. :param keep_finished: how long exit statuses are kept; the other two likewise.
    :param state_dir: where a relative path of SQLite's begins. :param name: of the process, for people.
    :param notify: whether PostgreSQL's LISTEN and NOTIFY are used.
    :param timeout: how long PostgreSQL may take for an answer; then the call raises ``Unavailable``.
    :param longest_poll: how long a claim that waits may sleep until it looks, whatever it is told, at most.
    :param clock: a monotonic one, for what this process does now and then.
    :param migrate: make or migrate the tables; false: refuse a database that has not those of this version.
    :param trace: returns the trace headers of what the calling thread does now, for jobs without the option ``trace``.
    :raises BadDatabase: the DSN is none, or is not to PostgreSQL or SQLite.
    :raises MissingExtra: PostgreSQL's driver is not installed.
    """

    def __init__(
        self,
        dsn: str | URL | Storage,
        *,
        queues: Collection[str] | None = None,
        lease: float | str = 15.0,
        retry_delay: RetryDelay | None = None,
        max_body: int = 1 << 20,
        keep_finished: float | str = "1d",
        keep_dead: float | str = "180d",
        keep_errors: float | str = "1w",
        state_dir: str | Path = ".",
        name: str | None = None,
        notify: bool = True,
        timeout: float | str = 30.0,
        longest_poll: float | str = 1.0,
        clock: Clock = time.monotonic,
        migrate: bool = True,
        trace: Callable[[], Mapping[str, object]] = dict,
    ) -> None:
        keep = KeepTimes(parse_duration(keep_finished), parse_duration(keep_dead), parse_duration(keep_errors))
        seconds = parse_duration(lease)
        if seconds < SHORTEST_LEASE:
            raise ValueError(f"a lease has at least {SHORTEST_LEASE} s, not {lease!r}")
        poll = parse_duration(longest_poll)
        if poll <= 0:
            raise ValueError(f"expected longest_poll of more than 0 s, not {longest_poll!r}")
        patience = parse_duration(timeout)
        if patience < SHORTEST_TIMEOUT:
            raise ValueError(f"a timeout has at least {SHORTEST_TIMEOUT:g} s, not {timeout!r}")
        storage = _storage(dsn, Path(state_dir), notify, patience)
        super().__init__(storage, seconds, retry_delay or backoff(), keep, name, clock, migrate, poll)
        self._queues = None if queues is None else frozenset(queues)
        self._max_body = max_body
        self._trace = trace

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def insert(
        self,
        queue: str,
        body: object,
        *,
        key: str | None = None,
        connection: object | None = None,
        **options: Unpack[JobOptions],
    ) -> Handle:
        """Insert a job.

        :param body: bytes, or what JSON can hold. :param key: no second job of the queue holds it meanwhile.
        :param connection: insert in its transaction. :param options: see :class:`hub.jobs.checks.JobOptions`.
        :raises BadJob: one of the values can't be used. :raises Unavailable: the database is away or busy.
        """
        job = self.new_job(queue, body, key=key, **options)
        return self._insert([job], connection)[0]

    def insert_many(
        self,
        queue: str,
        bodies: Iterable[object],
        *,
        keys: Sequence[str | None] | None = None,
        connection: object | None = None,
        **options: Unpack[JobOptions],
    ) -> list[Handle]:
        """Insert jobs of a queue in one transaction: all or none. The parameters are those of ``insert``.

        :param keys: one for each body, or ``None``. :returns: a handle for each, in this order.
        """
        listed = list(bodies)
        if keys is not None and len(keys) != len(listed):
            raise ValueError(f"expected a key for each of {len(listed)} bodies, not {len(keys)} keys")
        check_key(queue, keys, options)
        shared = self._template(queue, options)
        jobs = [
            filled(shared, body, key, self._max_body)
            for body, key in zip(listed, keys or itertools.repeat(None), strict=False)
        ]
        return self._insert(jobs, connection)

    def insert_jobs(self, jobs: Iterable[NewJob], *, connection: object | None = None) -> list[Handle]:
        """Insert jobs of any queues in one transaction: all or none. :param jobs: made by :meth:`new_job`.

        :returns: a handle for each, in this order. :raises Unavailable: the database is away or busy.
        """
        return self._insert(list(jobs), connection)

    def _insert(self, jobs: Sequence[NewJob], connection: object | None) -> list[Handle]:
        self._ready()
        handles = self._storage.insert(jobs, connection) if jobs else []
        if connection is None:  # a transaction of the caller's may be rolled back, and must not notify
            new = zip(jobs, handles, strict=True)
            self._waits.announce(job.queue for job, handle in new if handle.new and not job.later)
        return handles

    def new_job(self, queue: str, body: object, *, key: str | None = None, **options: Unpack[JobOptions]) -> NewJob:
        """Check a job, for :meth:`insert_jobs` or :meth:`replace_with`; nothing is inserted.

        The parameters are those of ``insert``.
        :raises BadJob: one of the values can't be used.
        """
        check_key(queue, key, options)
        return filled(self._template(queue, options), body, key, self._max_body)

    def _template(self, queue: str, options: JobOptions) -> NewJob:
        given: JobOptions = {"trace": self._trace(), **options}
        return template(queue, self._queues, **given)

    def replace_with(self, job: Job, jobs: Iterable[NewJob], status: int = 0) -> list[Handle]:
        """End a job as finished and insert others, in one transaction: both or neither.

        The key of the job that ends is free for the others, unless it is kept. On any error the job is still in hand.

        :param jobs: made by :meth:`new_job`.
        :returns: a handle for each; none, if a call whose answer was lost has replaced the job.
        :raises Fenced: it was given up, or settled before; nothing was inserted.
        :raises Unavailable: the database is away or busy; call again. It counts once.
        """
        return self._end([endings.finished(job, status)], list(jobs))

    def counts(self) -> dict[str, JobCounts]:
        """Numbers of all queues that have any job, or are paused."""
        self._ready()
        return self._storage.counts()

    def queue_names(self) -> list[str]:
        """Names of all queues that have had a job, or are paused."""
        self._ready()
        return self._storage.queue_names()

    def find(self, job: Handle | int) -> JobStatus | None:
        """Status of a job; ``None``: there is none of that number, or its exit status is pruned."""
        self._ready()
        found = self._storage.find(_number(job))
        notes = {} if found is None else self._storage.notes(_number(job))
        if found is None or not notes:
            return found
        fraction, text = json.loads(notes.get((NoteKind.PROGRESS, ""), '[null, ""]'))
        result = json.loads(notes.get((NoteKind.RESULT, ""), "null"))
        return replace(found, result=result, progress=fraction, progress_text=text)

    def read(self, job: Handle | int) -> Job | None:
        """A job with its body, without a claim. ``None``: it is finished or cancelled, or there is none."""
        self._ready()
        return self._storage.read(_number(job))

    def errors(self, job: Handle | int) -> list[JobError]:
        """Errors of a job's attempts, the oldest first."""
        self._ready()
        return self._storage.errors(_number(job))

    def recent_errors(self, queue: str | None = None, limit: int = PEEKED, since: float = 0.0) -> list[JobError]:
        """The newest errors of a queue's jobs, or of all, in the order of time.

        :param since: epoch seconds, by the database's clock.
        """
        self._ready()
        chosen = None if queue is None else queue_name(queue)
        return self._storage.recent_errors(chosen, since, at_most(limit))

    def peek(
        self, queue: str, state: JobState | str = JobState.WAITING, limit: int = PEEKED, tags: Sequence[str] = ()
    ) -> list[Job]:
        """First jobs of a queue that are ``waiting``, ``delayed`` or ``dead``, and have all of the tags."""
        chosen = _at_rest(state)
        self._ready()
        return self._storage.peek(queue_name(queue), chosen, at_most(limit), tag_names(tags))

    def cancel(self, job: Handle | int) -> JobState | None:
        """Cancel a job: it is never run, or, if it runs, not tried again.

        :returns: the state in which it was; ``None``: it has ended, or there is none.
        """
        self._ready()
        return self._storage.cancel(_number(job))

    def kick(self, queue: str, limit: int = PEEKED) -> int:
        """Make delayed jobs due now, the earliest first. :returns: how many."""
        self._ready()
        return self._storage.kick(queue_name(queue), at_most(limit))

    def retry_dead(
        self, queue: str, limit: int = PEEKED, jobs: Sequence[Handle | int] | None = None, error: str = ""
    ) -> int:
        """Have dead letters wait again, with all their attempts, the oldest first.

        :param jobs: these alone. :param error: those alone whose reason contains this. :returns: how many.
        """
        self._ready()
        chosen = None if jobs is None else [_number(job) for job in jobs]
        count = self._storage.retry_dead(queue_name(queue), at_most(limit), chosen, storable(error))
        if count:
            self._waits.announce([queue])
        return count

    def purge(self, queue: str, state: JobState | str = JobState.WAITING, limit: int = PEEKED) -> int:
        """Cancel jobs of a queue that are ``waiting``, ``delayed`` or ``dead``, the first first.

        One whose key a transaction has locked just now is left.
        :returns: how many; if fewer than the limit, there is none more.
        """
        chosen = _at_rest(state)
        self._ready()
        return self._storage.purge(queue_name(queue), chosen, at_most(limit))

    def set_limits(
        self, queue: str, *, per_lock: int = 1, rate: float | str | None = None, burst: int | None = None
    ) -> None:
        """Limit what all programs together claim of a queue, until this is called again. It outlives all processes.

        :param per_lock: how many jobs with the same lock run at a time. :param rate: jobs per second, or such as
            ``"100/m"``; ``None``: any. :param burst: how many may be claimed at once after a rest; ``None``: those of a
            second, and one at least. :raises BadJob: one of them can't be used.
        """
        chosen = queue_limits(per_lock, rate, burst)
        self._ready()
        self._storage.set_limits(template(queue, self._queues).queue, chosen)

    def limits(self) -> dict[str, ClaimLimits]:
        """Limits of the queues that have any but the usual ones."""
        self._ready()
        return self._storage.limits()

    def pause(self, queue: str, reason: str = "") -> None:
        """Let nobody claim jobs of the queue, until ``resume``. It outlives all processes."""
        self._ready()
        self._storage.pause(queue_name(queue), storable(reason))

    def resume(self, queue: str) -> None:
        """End a pause."""
        self._ready()
        self._storage.resume(queue_name(queue))
        self._waits.announce([queue])


def _at_rest(state: JobState | str) -> JobState:
    """A state in which nobody has a job in hand. :raises ValueError: it is another."""
    chosen = JobState(state)
    if chosen not in (JobState.WAITING, JobState.DELAYED, JobState.DEAD):
        raise ValueError(f"expected waiting, delayed or dead, not {chosen.value}")
    return chosen


def _number(job: Handle | int) -> int:
    """The number of a job; 0, which none has, for one that no database can hold."""
    number = job.id if isinstance(job, Handle) else job
    return number if 0 < number <= LARGEST else 0


def _storage(dsn: str | URL | Storage, state_dir: Path, notify: bool, timeout: float) -> Storage:
    if not isinstance(dsn, (str, URL)):
        if not hasattr(dsn, "settle"):
            raise BadDatabase(f"jobs need a DSN such as postgresql://user@host/name, not {dsn!r}")
        return dsn
    url = url_of(dsn)
    if url.get_backend_name() == "postgresql":
        return PostgreSQL(url, notify=notify, timeout=timeout)
    return SQLite(SQLiteFile(url, state_dir))
