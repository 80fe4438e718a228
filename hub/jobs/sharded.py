"""Jobs over several databases, with the API of one: see docs/jobs.rst."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Unpack

from hub.errors import Unavailable
from hub.jobs.checks import JobOptions
from hub.jobs.errors import BadJob, Fenced
from hub.jobs.job import Handle, Job, NewJob
from hub.jobs.jobs import Jobs
from hub.jobs.shards import MOST, Shards, inner, outer, outer_handle
from hub.jobs.working import Several
from hub.units import parse_duration

PAUSE = 0.25
"""Seconds that a claim which waits spends on one database."""


class ShardedJobs(Shards):
    """Jobs over several databases. Thread-safe. The methods are those of :class:`hub.jobs.Jobs`, and the parameters
    those of :class:`hub.jobs.shards.Shards`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._stopped = threading.Event()

    def insert(self, queue: str, body: object, *, key: str | None = None, **options: Unpack[JobOptions]) -> Handle:
        """Insert a job: in the database of its key or lock, or else in the next one that is there."""
        return self.insert_many(queue, [body], keys=None if key is None else [key], **options)[0]

    def insert_many(
        self,
        queue: str,
        bodies: Iterable[object],
        *,
        keys: Sequence[str | None] | None = None,
        **options: Unpack[JobOptions],
    ) -> list[Handle]:
        """Insert jobs of a queue: those of each database in one transaction, all or none of them.

        :raises Unavailable: no database is there, or that of a key or lock is not. Jobs of others may be inserted.
        """
        _check_own_transaction(options)
        listed = list(bodies)
        names = list(keys) if keys is not None else [None] * len(listed)
        if len(names) != len(listed):
            raise ValueError(f"expected a key for each of {len(listed)} bodies, not {len(names)} keys")
        places = [self._place(queue, key, options.get("lock")) for key in names]
        for body, key in zip(listed, names, strict=True):  # nothing is inserted if one can't be
            self.databases[0].new_job(queue, body, key=key, **_for(options, keys, key))
        handles: dict[int, Handle] = {}
        for place in sorted(set(places), key=lambda each: -1 if each is None else each):
            mine = [index for index, each in enumerate(places) if each == place]
            some = None if keys is None else [names[index] for index in mine]
            at, made = self._insert(place, queue, [listed[index] for index in mine], some, options)
            handles |= {index: outer_handle(handle, at) for index, handle in zip(mine, made, strict=True)}
        return [handles[index] for index in range(len(listed))]

    def _insert(
        self, place: int | None, queue: str, bodies: list[object], keys: Any, options: JobOptions
    ) -> tuple[int, list[Handle]]:
        def insert(at: int) -> tuple[int, list[Handle]]:
            return at, self.databases[at].insert_many(queue, bodies, keys=keys, **options)

        return self._at(place, insert) if place is not None else self._anywhere(insert)

    def _place(self, queue: str, key: str | None, lock: str | None) -> int | None:
        """Place of the database of a key or a lock: that with the highest hash (rendezvous hashing, Thaler and
        Ravishankar, 1998), so that another database takes few keys from each. ``None``: any."""
        if key is not None and lock is not None and len(self.databases) > 1:
            raise BadJob(f"queue {queue!r}: a key and a lock may belong to different databases: give one of them")
        name = key if key is not None else lock
        if not isinstance(name, str):
            return None
        text = f"{queue}\0{name}".encode(errors="surrogatepass")
        return max(range(len(self.databases)), key=lambda at: hashlib.sha256(b"%d\0" % at + text).digest())

    def new_job(self, queue: str, body: object, *, key: str | None = None, **options: Unpack[JobOptions]) -> NewJob:
        """Check a job, for :meth:`replace_with`."""
        _check_own_transaction(options)
        return self.databases[0].new_job(queue, body, key=key, **options)

    def replace_with(self, job: Job, jobs: Iterable[NewJob], status: int = 0) -> list[Handle]:
        """End a job and insert others, in the same database and transaction.

        :raises BadJob: one has a key or a lock that belongs to another database.
        """
        listed, at = list(jobs), job.id % MOST
        for each in listed:
            if self._place(each.queue, each.key, each.lock) not in (None, at):
                raise BadJob(f"queue {each.queue!r}: its key or lock belongs to another database than the job's")
        made = self._at(at, lambda at: self.databases[at].replace_with(inner(job), listed, status))
        return [outer_handle(handle, at) for handle in made]

    def claim(
        self, limit: int = 1, queues: Sequence[str] | None = None, wait: float | str | None = None, **more: Any
    ) -> list[Job]:
        """Claim up to ``limit`` jobs, from all databases alike, another first each time.

        :param wait: seconds until there is one; each database in turn is waited for.
        """
        if limit < 1:
            raise ValueError(f"expected to claim one job or more, not {limit}")
        end = self._clock() + (0.0 if wait is None else parse_duration(wait))
        while True:
            order = self._in_turn()
            claimed = self._claim(order, limit, queues, more)
            left = end - self._clock()
            if claimed or left <= 0 or self._stopped.is_set():
                return claimed
            with suppress(Unavailable):
                waiting = partial(self._claim_at, limit=limit, queues=queues, more={**more, "wait": min(left, PAUSE)})
                if found := self._at(order[0], waiting):
                    return found

    def _claim(self, order: list[int], limit: int, queues: Any, more: dict[str, Any]) -> list[Job]:
        claimed: list[Job] = []
        full, failed = [], []
        for left, at in zip(range(len(order), 0, -1), order, strict=True):
            share = -(-(limit - len(claimed)) // left)
            if share > 0:
                try:
                    found = self._at(at, lambda at: self._claim_at(at, share, queues, more))  # noqa: B023 - called at once
                except Unavailable as error:
                    failed.append(error)
                    continue
                if found and found[0].alone:
                    return self._alone(claimed, found)
                claimed += found
                if len(found) == share:
                    full.append(at)
        if failed and len(failed) == len(order):
            raise failed[0]
        for at in full:  # others had less than their share
            if len(claimed) < limit:
                with suppress(Unavailable):
                    left = limit - len(claimed)
                    found = self._at(at, lambda at: self._claim_at(at, left, queues, more))  # noqa: B023
                    if found and found[0].alone:
                        return self._alone(claimed, found)
                    claimed += found
        return claimed

    def _alone(self, claimed: list[Job], found: list[Job]) -> list[Job]:
        """A job that is claimed alone, unless there are others: then another call has it."""
        if not claimed:
            return found
        with suppress(Unavailable, Fenced):
            self.give_back(found)
            return claimed
        return claimed + found

    def _claim_at(self, at: int, limit: int, queues: Any, more: dict[str, Any]) -> list[Job]:
        return [outer(job, at) for job in self.databases[at].claim(limit, queues, **more)]

    def stop_waiting(self) -> None:
        """End the waits of all threads, and of those to come."""
        self._stopped.set()
        for jobs in self.databases:
            jobs.stop_waiting()

    def complete(self, jobs: Several, status: int = 0, result: object = None) -> None:
        """End jobs as finished."""
        self._end(jobs, lambda mine, each: mine.complete(each, status, result))

    def retry(self, jobs: Several, error: BaseException | str, delay: float | str | None = None) -> None:
        """Have jobs that failed tried again, or buried after their last attempt."""
        self._end(jobs, lambda mine, each: mine.retry(each, error, delay))

    def bury(self, jobs: Several, error: BaseException | str) -> None:
        """Make jobs dead letters."""
        self._end(jobs, lambda mine, each: mine.bury(each, error))

    def give_back(self, jobs: Several) -> None:
        """Let others have jobs at once."""
        self._end(jobs, lambda mine, each: mine.give_back(each))

    def snooze(self, jobs: Several, delay: float | str) -> None:
        """Have jobs come again after the delay."""
        self._end(jobs, lambda mine, each: mine.snooze(each, delay))

    def _end(self, jobs: Several, end: Callable[[Jobs, list[Job]], None]) -> None:
        """End jobs in each database. Those of one that is away stay in hand."""
        groups: dict[int, list[Job]] = defaultdict(list)
        for job in [jobs] if isinstance(jobs, Job) else jobs:
            groups[job.id % MOST].append(inner(job))
        refused: list[Job] = []
        reason, away = "", None
        for at, mine in groups.items():
            try:
                self._at(at, lambda at: end(self.databases[at], mine))  # noqa: B023 - called at once
            except Fenced as error:
                refused += [outer(job, at) for job in error.jobs]
                reason = error.reason
            except Unavailable as error:
                away = error
        if refused:
            raise Fenced(refused, reason)
        if away is not None:
            raise away

    def step(self, job: Job, name: str, function: Callable[[], object]) -> Any:
        """Run a step of a job once, however often the job is tried."""
        return self._database_of(job).step(inner(job), name, function)

    def progress(self, job: Job, fraction: float, text: str = "") -> None:
        """Tell how far a job is."""
        self._database_of(job).progress(inner(job), fraction, text)

    def is_cancelled(self, job: Job) -> bool:
        """True if the last heartbeat found that the job was cancelled."""
        return self._database_of(job).is_cancelled(inner(job))


def _check_own_transaction(options: Any) -> None:
    if options.pop("connection", None) is not None:
        raise BadJob("connection= is to one database: use the Jobs of it, which is among ShardedJobs.databases")


def _for(options: JobOptions, keys: object, key: str | None) -> JobOptions:
    """Options of one job of a batch that has keys, but perhaps none for this one."""
    if keys is None or key is not None:
        return options
    chosen: Any = {name: value for name, value in options.items() if name not in ("unique", "conflict", "max_wait")}
    found: JobOptions = chosen
    return found
