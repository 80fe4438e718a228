"""Jobs in a file of SQLite: a table with the state of each."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hub.interfaces import Clock
from hub.jobs.company import given_up, until_alone
from hub.jobs.connections import Link
from hub.jobs.endings import given_back
from hub.jobs.heartbeats import MISSED, Heartbeat
from hub.jobs.job import Coalescing, Ending, Handle, Job, NewJob, Settlement
from hub.jobs.sqlite.database import SQLiteFile
from hub.jobs.sqlite.inserting import insert_jobs
from hub.jobs.sqlite.limits import limits_of, pay, release_next, take_locks
from hub.jobs.sqlite.operations import NOTE, READ, SQLiteOperations, cancel_waiting, job_of
from hub.jobs.storage import Heard, Listening

MOST_READ = 1000
"""Rows that a claim reads at most, to pass those that wait for their locks."""


class SQLite(SQLiteOperations):
    """Jobs in a file of SQLite; see :class:`hub.jobs.storage.Storage`."""

    def __init__(self, database: SQLiteFile, wall: Clock | None = None) -> None:
        super().__init__(database, wall)
        self._turns = itertools.count()

    def open(self, migrate: bool = True) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        self._database.open(migrate)

    def close(self) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        self._database.close()

    def upkeep(self) -> None:
        """See :class:`hub.jobs.storage.Storage`. Nothing is to be done."""

    def insert(self, jobs: Sequence[NewJob], connection: object | None) -> list[Handle]:
        """See :class:`hub.jobs.storage.Storage`."""
        if connection is not None:
            with self._database.link(connection) as link:
                return insert_jobs(link, jobs, self._wall())
        with self._database.begin() as link:
            return insert_jobs(link, jobs, self._wall())

    def start(self, process: int, name: str, lease: float) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            link.run(
                "INSERT INTO process (id, name, started, seen, lease) VALUES (:id, :name, :now, :now, :lease)",
                {"id": process, "name": name, "now": self._wall(), "lease": lease},
            )

    def beat(self, process: int, jobs: Collection[int]) -> list[int] | None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            sql = "UPDATE process SET seen = :now, silent_since = NULL WHERE id = :id"
            if not link.run(sql, {"id": process, "now": self._wall()}):
                return None
            found = link.rows(
                "SELECT id FROM job WHERE state = 'running' AND process = :id AND cancelled", {"id": process}
            )
            return sorted(set(jobs).intersection([job for (job,) in found]))

    def stop(self, process: int) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            return self._give_up(link, process, failed=False)

    def give_back_others(self, process: int, claims: Collection[int]) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            unknown = [job for job in _running(link, process) if job.claim not in claims]
            self._end(link, [given_back(job) for job in unknown])
            return len(unknown)

    def heartbeats(self, lease: float) -> dict[int, Heartbeat]:
        """See :class:`hub.jobs.storage.Storage`."""
        values = {"now": self._wall(), "lease": lease, "missed": MISSED}
        missed = ":now - :missed * coalesce(lease, :lease)"
        with self._database.begin() as link:
            link.run(f"UPDATE process SET silent_since = :now WHERE silent_since IS NULL AND seen < {missed}", values)  # noqa: S608
            found = link.rows(
                "SELECT id, seen, coalesce(lease, :lease), seen < :now - coalesce(lease, :lease)"  # noqa: S608
                f" AND coalesce(silent_since < {missed}, 0) FROM process",
                values,
            )
        return {process: Heartbeat(seen, own, bool(given_up)) for process, seen, own, given_up in found}

    def rescue(self, dead: Mapping[int, float]) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        rescued = 0
        with self._database.begin() as link:
            for process, seen in dead.items():
                if link.rows("SELECT 1 FROM process WHERE id = :id AND seen = :seen", {"id": process, "seen": seen}):
                    rescued += self._give_up(link, process, failed=True)
        return rescued

    def _give_up(self, link: Link, process: int, failed: bool) -> int:
        jobs = _running(link, process)
        self._end(link, [given_up(job, len(jobs)) if failed else given_back(job) for job in jobs])
        link.run("DELETE FROM process WHERE id = :id", {"id": process})
        return len(jobs)

    def claim(
        self, process: int, limit: int, queues: Sequence[str] | None, coalescing: Coalescing | None = None
    ) -> list[Job]:
        """See :class:`hub.jobs.storage.Storage`."""
        jobs: list[Job] = []
        with self._database.begin() as link:
            if not link.rows("SELECT 1 FROM process WHERE id = :id", {"id": process}):
                return []
            paused = {queue for (queue,) in link.rows("SELECT queue FROM paused")}
            chosen = self._queues(link) if queues is None else queues
            for queue in chosen:
                if queue not in paused and len(jobs) < limit and not any(job.alone for job in jobs):
                    jobs += self._take(link, process, queue, limit - len(jobs), coalescing, others=bool(jobs))
        return jobs

    def listen(self, heard: Heard) -> Listening:
        """See :class:`hub.jobs.storage.Storage`."""
        return self._database.watch(heard)

    def sleep(self, process: int, seconds: float) -> None:
        """See :class:`hub.jobs.storage.Storage`. Nothing is to be noted: those who sleep watch the file."""

    def notify(self, queues: Sequence[str]) -> None:
        """See :class:`hub.jobs.storage.Storage`. Nothing is to be told."""

    def _queues(self, link: Link) -> list[str]:
        """Queues with waiting jobs, another first each time. Each is found by a jump in the index."""
        found = link.rows(
            """
            WITH RECURSIVE name (queue) AS (
                SELECT min(queue) FROM job WHERE state = 'waiting' AND parked = 0
                UNION ALL
                SELECT (SELECT min(queue) FROM job WHERE state = 'waiting' AND parked = 0 AND queue > name.queue)
                FROM name
                WHERE name.queue IS NOT NULL)
            SELECT queue FROM name WHERE queue IS NOT NULL
            """
        )
        names = [queue for (queue,) in found]
        start = next(self._turns) % len(names) if names else 0
        return names[start:] + names[:start]

    def _take(
        self, link: Link, process: int, queue: str, limit: int, coalescing: Coalescing | None, others: bool
    ) -> list[Job]:
        """Claim jobs of a queue. :param others: whether the call has jobs already."""
        now = self._wall()
        most, tokens = limits_of(link, queue, now)
        limit = limit if tokens is None else min(limit, int(tokens + 1e-9))
        jobs: list[Job] = []
        ahead = 1
        while len(jobs) < limit:
            left = limit - len(jobs)
            found = self._waiting(link, process, queue, max(left, ahead), coalescing)
            found, alone = until_alone(found, lambda job: job.alone, others or bool(jobs))
            taken = take_locks(link, queue, found, most, left)
            link.many(
                "UPDATE job SET state = 'running', claim = :claim, process = :process WHERE id = :id",
                [{"claim": job.claim, "process": process, "id": job.id} for job in taken],
            )
            jobs += taken
            if len(taken) == len(found) or (alone and jobs):
                break
            ahead = min(MOST_READ, 4 * len(found))  # many that wait for their locks are passed in few steps
        if tokens is not None and jobs:
            pay(link, queue, tokens, len(jobs), now)
        link.many(
            "DELETE FROM live_key WHERE job = :id AND keeps = 'waiting'",
            [{"id": job.id} for job in jobs if job.key is not None],
        )
        return jobs

    def _waiting(self, link: Link, process: int, queue: str, limit: int, coalescing: Coalescing | None) -> list[Job]:
        """First jobs that wait, under the number of a new claim."""
        condition, values = _chosen(coalescing)
        rows = link.rows(
            f"SELECT {READ} FROM job WHERE queue = :queue AND state = 'waiting' AND parked = 0 {condition}"  # noqa: S608
            " ORDER BY priority DESC, id LIMIT :limit",
            {"queue": queue, "limit": limit, **values},
        )
        if not rows:
            return []
        link.run("UPDATE counter SET claims = claims + 1")
        ((claim,),) = link.rows("SELECT claims FROM counter")
        return [job_of(row, claim, process) for row in rows]

    def settle(
        self, process: int, settlements: Sequence[Settlement], new: Sequence[NewJob] = ()
    ) -> list[Handle] | None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            if not link.rows("SELECT 1 FROM process WHERE id = :id", {"id": process}):
                return None
            ended = self._end(link, settlements)
            return insert_jobs(link, new, self._wall()) if new and ended else []

    def _end(self, link: Link, settlements: Sequence[Settlement]) -> bool:
        """End claims. :returns: false if all were settled before."""
        now, ended = self._wall(), False
        finished: list[dict[str, Any]] = []
        for one in settlements:
            job = one.job
            if one.ending is Ending.FINISHED:
                finished.append(
                    {"id": job.id, "claim": job.claim, "attempts": job.attempt, "status": one.status, "now": now}
                )
            else:
                ended |= self._end_otherwise(link, one, now)
        if finished:
            link.many(
                "INSERT OR IGNORE INTO ended SELECT id, queue, 'finished', :attempts, :status, :now FROM job"
                " WHERE id = :id AND claim = :claim AND state = 'running'",
                finished,
            )
            ended |= link.many("DELETE FROM job WHERE id = :id AND claim = :claim AND state = 'running'", finished) > 0
            if link.rows("SELECT 1 FROM note LIMIT 1"):
                link.many("DELETE FROM note WHERE job = :id", [{"id": each["id"]} for each in finished])
            results = [one for one in settlements if one.result and one.ending is Ending.FINISHED]
            link.many(
                NOTE,
                [{"job": one.job.id, "kind": "result", "name": "", "now": now, "text": one.result} for one in results],
            )
            keyed = [{"id": one.job.id, "now": now} for one in settlements if one.job.key is not None]
            self._release(link, [values for values in keyed if values["id"] in {each["id"] for each in finished}])
        release_next(link, [(one.job.queue, one.job.lock) for one in settlements])
        return ended

    def _end_otherwise(self, link: Link, one: Settlement, now: float) -> bool:
        """End a claim on a job that is not finished; one that is settled already is left."""
        values = {"id": one.job.id, "claim": one.job.claim, "attempt": one.attempt, "now": now, "error": one.error}
        values["alone"] = one.stays_alone
        found = link.rows("SELECT cancelled FROM job WHERE id = :id AND claim = :claim AND state = 'running'", values)
        if not found:
            return False
        if one.error:
            link.run(
                "INSERT INTO error (job, queue, attempt, at, text) VALUES (:id, :queue, :begun, :now, :error)",
                {**values, "queue": one.job.queue, "begun": one.job.attempt},
            )
        if found[0][0]:
            cancel_waiting(link, one.job.id, now)
        elif one.ending is Ending.DEAD:
            link.run(
                "UPDATE job SET state = 'dead', process = NULL, claim = 0, died = :now, reason = :error, alone = :alone"
                " WHERE id = :id",
                values,
            )
            link.run(
                "DELETE FROM live_key WHERE job = :id AND keeps NOT IN ('unfinished-or-dead', 'kept-or-dead')", values
            )
        else:
            state, due = ("delayed", now + one.delay) if one.delay > 0 else ("waiting", None)
            link.run(
                "UPDATE job SET state = :state, due = :due, attempt = :attempt, process = NULL, claim = 0,"
                " alone = :alone"
                " WHERE id = :id",
                {**values, "state": state, "due": due},
            )
        return True

    @staticmethod
    def _release(link: Link, finished: Sequence[dict[str, Any]]) -> None:
        if finished:
            link.many(
                "UPDATE live_key SET finished = :now WHERE job = :id AND keeps IN ('kept', 'kept-or-dead')", finished
            )
            link.many("DELETE FROM live_key WHERE job = :id AND finished IS NULL", finished)


def _running(link: Link, process: int) -> list[Job]:
    """Jobs that a process has."""
    rows = link.rows(f"SELECT {READ} FROM job WHERE state = 'running' AND process = :id", {"id": process})  # noqa: S608
    return [job_of(row) for row in rows]


def _chosen(coalescing: Coalescing | None) -> tuple[str, dict[str, str]]:
    """Condition of jobs that are claimed together, and its values."""
    if coalescing is None:
        return "", {}
    if not coalescing.prefix:
        return "AND coalesce = :value", {"value": coalescing.value}
    beyond = coalescing.value + "\U0010ffff"  # no value has it: it can't be printed
    return "AND coalesce >= :value AND coalesce < :beyond", {"value": coalescing.value, "beyond": beyond}
