"""What is asked of queues and jobs in SQLite, and ordered."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from msgspec import structs

from hub.interfaces import Clock
from hub.jobs.connections import Link
from hub.jobs.errors import LostClaims
from hub.jobs.job import ClaimLimits, Job, JobCounts, JobError, JobState, JobStatus, NoteKind
from hub.jobs.sqlite.database import SQLiteFile
from hub.jobs.sqlite.limits import all_limits, release_next, set_limits
from hub.jobs.storage import KeepTimes

READ = (
    "id, queue, priority, created, attempt, max_retries, key, tags, body, claim, process, reason, coalesce, lock,"
    " trace, alone"
)
"""Columns in the order that :func:`job_of` wants."""
ORDER = {JobState.WAITING: "priority DESC, id", JobState.DELAYED: "due, id", JobState.DEAD: "died, id"}


NOTE = "INSERT OR REPLACE INTO note VALUES (:job, :kind, :name, :now, :text)"


class SQLiteOperations:
    """Questions and orders; see :class:`hub.jobs.storage.Storage`. :param wall: epoch seconds."""

    def __init__(self, database: SQLiteFile, wall: Clock | None = None) -> None:
        self._database = database
        self._wall = wall or time.time

    def move_due(self, limit: int) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            return link.run(
                "UPDATE job SET state = 'waiting', due = NULL WHERE id IN"
                " (SELECT id FROM job WHERE state = 'delayed' AND due <= :now ORDER BY due LIMIT :limit)",
                {"now": self._wall(), "limit": limit},
            )

    def prune(self, keep: KeepTimes, limit: int) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        now, pruned = self._wall(), 0
        finished = {"then": now - keep.finished, "limit": limit}
        for table, seconds in (("ended", keep.finished), ("error", keep.errors)):
            with self._database.begin() as link:
                pruned += link.run(
                    f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE at < :then LIMIT :limit)",  # noqa: S608
                    {"then": now - seconds, "limit": limit},
                )
        with self._database.begin() as link:
            pruned += link.run(
                "DELETE FROM note WHERE (job, kind, name) IN"
                " (SELECT job, kind, name FROM note WHERE kind = 'result' AND at < :then LIMIT :limit)",
                finished,
            )
        with self._database.look() as link:  # it has no index for this: only who writes keeps others waiting
            keys = link.rows("SELECT queue, key FROM live_key WHERE finished < :then LIMIT :limit", finished)
        if keys:
            with self._database.begin() as link:
                pruned += link.many(
                    "DELETE FROM live_key WHERE queue = :queue AND key = :key AND finished < :then",
                    [{"queue": queue, "key": key, "then": finished["then"]} for queue, key in keys],
                )
        return pruned + self._prune_dead(now - keep.dead, limit)

    def _prune_dead(self, then: float, limit: int) -> int:
        """Delete dead letters, each with its notes and its key."""
        with self._database.begin() as link:
            found = link.rows(
                "SELECT id FROM job WHERE state = 'dead' AND died < :then LIMIT :limit", {"then": then, "limit": limit}
            )
            chosen = {"ids": json.dumps([number for (number,) in found])}
            for table, column in (("job", "id"), ("note", "job"), ("live_key", "job")) if found else ():
                link.run(f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(:ids))", chosen)  # noqa: S608
        return len(found)

    def counts(self) -> dict[str, JobCounts]:
        """See :class:`hub.jobs.storage.Storage`."""
        found: dict[str, JobCounts] = defaultdict(JobCounts)
        with self._database.look() as link:
            rows = link.rows("SELECT queue, state, count(*), min(created) FROM job GROUP BY queue, state")
            paused = link.rows("SELECT queue, reason FROM paused")
        for queue, state, number, oldest in rows:
            changed: dict[str, Any] = {state: number}
            if state == JobState.WAITING:
                changed["oldest"] = max(0.0, self._wall() - oldest)
            found[queue] = replace(found[queue], **changed)
        for queue, reason in paused:
            found[queue] = replace(found[queue], paused=True, reason=reason)
        return dict(sorted(found.items()))

    def queue_names(self) -> list[str]:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.look() as link:
            return [
                name for (name,) in link.rows("SELECT name FROM queue UNION SELECT queue FROM paused ORDER BY name")
            ]

    def find(self, job: int) -> JobStatus | None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.look() as link:
            for queue, state, attempt, due, died in link.rows(
                "SELECT queue, state, attempt, due, died FROM job WHERE id = :job", {"job": job}
            ):
                found = JobState(state)
                begun = attempt - 1 if found in (JobState.WAITING, JobState.DELAYED) else attempt
                return JobStatus(job, queue, found, begun, due=due, ended=died)
            for queue, state, attempts, status, at in link.rows(
                "SELECT queue, state, attempts, status, at FROM ended WHERE id = :job", {"job": job}
            ):
                return JobStatus(job, queue, JobState(state), attempts, status, ended=at)
        return None

    def read(self, job: int) -> Job | None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.look() as link:
            rows = link.rows(f"SELECT {READ} FROM job WHERE id = :job", {"job": job})  # noqa: S608 - names of ours
        return structs.replace(job_of(rows[0]), claim=0, process=0) if rows else None

    def errors(self, job: int) -> list[JobError]:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.look() as link:
            rows = link.rows(
                "SELECT attempt, at, text, job, queue FROM error WHERE job = :job ORDER BY at, attempt", {"job": job}
            )
        return [JobError(*row) for row in rows]

    def recent_errors(self, queue: str | None, since: float, limit: int) -> list[JobError]:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.look() as link:
            rows = link.rows(
                "SELECT attempt, at, text, job, queue FROM error"
                " WHERE at >= :since AND (:queue IS NULL OR queue = :queue)"
                " ORDER BY at DESC, job DESC, attempt DESC LIMIT :limit",
                {"queue": queue, "since": since, "limit": limit},
            )
        return [JobError(*row) for row in reversed(rows)]

    def peek(self, queue: str, state: JobState, limit: int, tags: Sequence[str]) -> list[Job]:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.look() as link:
            rows = link.rows(
                f"SELECT {READ} FROM job WHERE queue = :queue AND state = :state"  # noqa: S608 - names of ours
                " AND NOT EXISTS (SELECT 1 FROM json_each(:tags) AS wanted"
                " WHERE wanted.value NOT IN (SELECT value FROM json_each(job.tags)))"
                f" ORDER BY {ORDER[state]} LIMIT :limit",
                {"queue": queue, "state": state.value, "limit": limit, "tags": json.dumps(list(tags))},
            )
        return [job_of(row) for row in rows]

    def cancel(self, job: int) -> JobState | None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            found = link.rows("SELECT state FROM job WHERE id = :job", {"job": job})
            if not found:
                return None
            state = JobState(found[0][0])
            if state is JobState.RUNNING:
                link.run("UPDATE job SET cancelled = 1 WHERE id = :job", {"job": job})
            else:
                cancel_waiting(link, job, self._wall())
            return state

    def kick(self, queue: str, limit: int) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        now = self._wall()
        with self._database.begin() as link:
            return link.run(
                "UPDATE job SET due = :now WHERE id IN (SELECT id FROM job"
                " WHERE queue = :queue AND state = 'delayed' AND due > :now ORDER BY due LIMIT :limit)",
                {"queue": queue, "now": now, "limit": limit},
            )

    def purge(self, queue: str, state: JobState, limit: int) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            found = link.rows(
                f"SELECT id FROM job WHERE queue = :queue AND state = :state ORDER BY {ORDER[state]} LIMIT :limit",  # noqa: S608
                {"queue": queue, "state": state.value, "limit": limit},
            )
            for (job,) in found:
                cancel_waiting(link, job, self._wall())
        return len(found)

    def retry_dead(self, queue: str, limit: int, jobs: Sequence[int] | None, error: str) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        chosen = "" if jobs is None else "AND id IN (SELECT value FROM json_each(:jobs))"
        with self._database.begin() as link:
            return link.run(
                "UPDATE job SET state = 'waiting', attempt = 1, died = NULL, reason = '' WHERE id IN"  # noqa: S608
                f" (SELECT id FROM job WHERE queue = :queue AND state = 'dead' {chosen}"
                " AND (:error = '' OR instr(reason, :error)) ORDER BY died, id LIMIT :limit)",
                {"queue": queue, "limit": limit, "jobs": json.dumps(list(jobs or [])), "error": error},
            )

    def note(self, job: Job, kind: NoteKind, name: str, text: str) -> bool:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            if not link.rows("SELECT 1 FROM process WHERE id = :id", {"id": job.process}):
                return False
            values = {"job": job.id, "kind": kind.value, "name": name, "now": self._wall(), "text": text}
            mine = "SELECT 1 FROM job WHERE id = :job AND claim = :claim AND state = 'running'"
            if not link.rows(mine, {"job": job.id, "claim": job.claim}):
                raise LostClaims([job.claim])  # it has just ended: nobody would delete its notes
            link.run(NOTE, values)
            return True

    def notes(self, job: int) -> dict[tuple[NoteKind, str], str]:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.look() as link:
            found = link.rows("SELECT kind, name, text FROM note WHERE job = :job", {"job": job})
        return {(NoteKind(kind), name): text for kind, name, text in found}

    def set_limits(self, queue: str, limits: ClaimLimits) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            set_limits(link, queue, limits, self._wall())

    def limits(self) -> dict[str, ClaimLimits]:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.look() as link:
            return all_limits(link)

    def pause(self, queue: str, reason: str) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            link.run(
                "INSERT OR IGNORE INTO paused VALUES (:queue, :now, :reason)",
                {"queue": queue, "now": self._wall(), "reason": reason},
            )

    def resume(self, queue: str) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            link.run("DELETE FROM paused WHERE queue = :queue", {"queue": queue})


def job_of(row: Sequence[Any], claim: int = 0, process: int = 0) -> Job:
    """Value of a row that was read by ``READ``. :param claim: instead of the row's."""
    number, queue, priority, created, attempt, max_retries, key, tags, body, *others = row
    claimed, owner, reason, coalesce, lock, traced, alone = others
    return Job(
        id=number,
        queue=queue,
        body=bytes(body),
        priority=priority,
        attempt=attempt,
        max_retries=max_retries,
        created=created,
        key=key,
        tags=tuple(json.loads(tags)),
        claim=claim or claimed,
        process=process or owner or 0,
        reason=reason,
        coalesce=coalesce,
        lock=lock,
        traced=traced,
        alone=bool(alone),
    )


def cancel_waiting(link: Link, job: int, now: float) -> None:
    """End a job that nobody runs any more, or yet. :param now: epoch seconds."""
    values = {"job": job, "now": now}
    place = link.rows("SELECT queue, lock FROM job WHERE id = :job", values)
    link.run(
        "INSERT OR IGNORE INTO ended"
        " SELECT id, queue, 'cancelled', attempt - (state IN ('waiting', 'delayed')), NULL, :now FROM job"
        " WHERE id = :job",
        values,
    )
    link.run("DELETE FROM job WHERE id = :job", values)
    link.run("DELETE FROM live_key WHERE job = :job", values)
    link.run("DELETE FROM note WHERE job = :job", values)
    release_next(link, place)
