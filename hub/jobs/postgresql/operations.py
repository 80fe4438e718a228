"""What is asked of queues and jobs, and ordered: counts, looks, cancellation, pauses, pruning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hub.jobs.connections import Link
from hub.jobs.job import Ending, Job, JobCounts, JobError, JobState, JobStatus, epoch
from hub.jobs.postgresql.claiming import append_cancelled, latest_rows
from hub.jobs.postgresql.database import Database, all_lanes, current_segment, lanes_of_queue
from hub.jobs.postgresql.frontiers import NOT_CANCELLED, count_waiting, frontier, is_waiting, waiting
from hub.jobs.postgresql.processes import running
from hub.jobs.postgresql.rows import ALL_COLUMNS, READ, Lane, job_of

ERRORS = "SELECT attempt, extract(epoch FROM at)::float8, text, job, queue FROM hubbub_jobs.error"


class Operations:
    """Questions and orders."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self) -> dict[str, JobCounts]:
        """See :class:`hub.jobs.storage.Storage`. It takes as long as there are waiting jobs."""
        found: dict[str, JobCounts] = defaultdict(JobCounts)
        with self._database.look() as link:
            delayed = _by_lane(link, "SELECT lane, count(*) FROM hubbub_jobs.later GROUP BY lane")
            dead = _by_lane(link, "SELECT lane, count(*) FROM hubbub_jobs.dead GROUP BY lane")
            in_hand: dict[int, int] = defaultdict(int)
            for lane_id, _ in running(link):
                in_hand[lane_id] += 1
            parked = _parked(link)
            for lane in all_lanes(link):
                number, oldest = count_waiting(link, frontier(link, lane.id))
                locked, since = parked.get(lane.id, (0, 0.0))
                counts = found[lane.queue]
                found[lane.queue] = JobCounts(
                    counts.waiting + number + locked,
                    max(counts.oldest, oldest, since),
                    counts.delayed + delayed.get(lane.id, 0),
                    counts.running + in_hand[lane.id],
                    counts.dead + dead.get(lane.id, 0),
                )
            paused = link.rows("SELECT queue, reason FROM hubbub_jobs.paused")
        for queue, reason in paused:
            found[queue] = replace(found[queue], paused=True, reason=reason)
        return {queue: counts for queue, counts in sorted(found.items()) if counts != JobCounts()}

    def queue_names(self) -> list[str]:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.look() as link:
            found = link.rows("SELECT queue FROM hubbub_jobs.lane UNION SELECT queue FROM hubbub_jobs.paused")
        return sorted(queue for (queue,) in found)

    def find(self, job: int) -> JobStatus | None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.look() as link:
            return _find(link, job)

    def read(self, job: int) -> Job | None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.look() as link:
            lanes = {lane.id: lane for lane in all_lanes(link)}
            for table, reason in (("dead", "j.reason"), ("later", "''"), ("parked", "''")):
                found = link.rows(
                    f"SELECT {READ}, {reason} FROM hubbub_jobs.{table} AS j WHERE j.id = %(job)s",  # noqa: S608
                    {"job": job},
                )
                if found:
                    return job_of(found[0], lanes[found[0][1]], reason=found[0][-1])
            status = _find(link, job)
            if status is None or status.state not in (JobState.WAITING, JobState.RUNNING):
                return None
            row: tuple[Any, ...] = latest_rows(link, [job])[job]
            return job_of(row, lanes[row[1]])

    def errors(self, job: int) -> list[JobError]:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.look() as link:
            found = link.rows(f"{ERRORS} WHERE job = %(job)s ORDER BY at, attempt", {"job": job})
        return [JobError(*row) for row in found]

    def recent_errors(self, queue: str | None, since: float, limit: int) -> list[JobError]:
        """See :class:`hub.jobs.storage.Storage`."""
        chosen = "" if queue is None else "AND queue = %(queue)s"
        with self._database.look() as link:
            found = link.rows(
                f"{ERRORS} WHERE at >= to_timestamp(%(since)s) {chosen}"
                " ORDER BY at DESC, job DESC, attempt DESC LIMIT %(limit)s",
                {"since": float(since), "queue": queue, "limit": limit},
            )
        return [JobError(*row) for row in reversed(found)]

    def peek(self, queue: str, state: JobState, limit: int, tags: Sequence[str]) -> list[Job]:
        """See :class:`hub.jobs.storage.Storage`."""
        jobs: list[Job] = []
        with self._database.look() as link:
            for lane in lanes_of_queue(link, queue):
                jobs += _peek(link, lane, state, limit - len(jobs), tags)
        return jobs

    def cancel(self, job: int) -> JobState | None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            # Before the job's row, as one who replaces it by its key: they never wait for each other both ways.
            link.rows("SELECT 1 FROM hubbub_jobs.live_key WHERE job = %(job)s FOR UPDATE", {"job": job})
            for table, state in (("later", JobState.DELAYED), ("dead", JobState.DEAD)):
                found = link.rows(f"DELETE FROM hubbub_jobs.{table} WHERE id = %(job)s RETURNING lane", {"job": job})  # noqa: S608
                if found:
                    append_cancelled(link, current_segment(link), found[0][0], [job])
                    return state
            found = link.rows(
                "SELECT lane FROM hubbub_jobs.job WHERE id = %(job)s"
                " UNION SELECT lane FROM hubbub_jobs.parked WHERE id = %(job)s LIMIT 1",
                {"job": job},
            )
            if not found:
                return None
            link.rows("SELECT 1 FROM hubbub_jobs.lane WHERE id = %(id)s FOR UPDATE", {"id": found[0][0]})
            status = _find(link, job)
            if status is None or status.state not in (JobState.WAITING, JobState.RUNNING):
                return None
            link.put("INSERT INTO hubbub_jobs.cancelled (job) VALUES (%(job)s) ON CONFLICT DO NOTHING", {"job": job})
            if status.state is JobState.WAITING:
                link.put("DELETE FROM hubbub_jobs.live_key WHERE job = %(job)s", {"job": job})
            return status.state

    def kick(self, queue: str, limit: int) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            return link.run(
                "UPDATE hubbub_jobs.later SET due = now() WHERE id IN (SELECT id FROM hubbub_jobs.later"
                " WHERE lane = ANY (CAST(%(lanes)s AS integer[])) AND due > now() ORDER BY due LIMIT %(limit)s"
                " FOR UPDATE SKIP LOCKED)",
                {"lanes": [lane.id for lane in lanes_of_queue(link, queue)], "limit": limit},
            )

    def purge_table(self, queue: str, state: JobState, limit: int) -> int:
        """Cancel jobs that are delayed or dead. :returns: how many."""
        table, order = {JobState.DELAYED: ("later", "due"), JobState.DEAD: ("dead", "died")}[state]
        ids = "id = ANY (CAST(%(ids)s AS bigint[]))"
        with self._database.begin() as link:
            found = link.rows(
                f"SELECT id FROM hubbub_jobs.{table} WHERE lane = ANY (CAST(%(lanes)s AS integer[]))"  # noqa: S608
                f" ORDER BY {order}, id LIMIT %(limit)s",
                {"lanes": [lane.id for lane in lanes_of_queue(link, queue)], "limit": limit},
            )
            chosen = _without_busy(link, [number for (number,) in found])
            gone = link.rows(
                f"DELETE FROM hubbub_jobs.{table} WHERE id IN"  # noqa: S608 - names of ours
                f" (SELECT id FROM hubbub_jobs.{table} WHERE {ids} FOR UPDATE SKIP LOCKED) RETURNING id, lane",
                {"ids": chosen},
            )
            for lane in {lane for _, lane in gone}:
                append_cancelled(link, current_segment(link), lane, [job for job, of in gone if of == lane])
            return len(gone)

    def retry_dead(self, queue: str, limit: int, jobs: Sequence[int] | None, error: str) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        chosen = "" if jobs is None else "AND id = ANY (CAST(%(jobs)s AS bigint[]))"
        chosen += " AND position(%(error)s IN reason) > 0" if error else ""
        columns = ALL_COLUMNS.replace("attempt, ", "")
        with self._database.begin() as link:
            return link.run(
                f"""
                WITH chosen AS (
                    DELETE FROM hubbub_jobs.dead WHERE id IN (SELECT id FROM hubbub_jobs.dead
                        WHERE lane = ANY (CAST(%(lanes)s AS integer[])) {chosen}
                        ORDER BY died, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
                    RETURNING {columns}),
                held AS (UPDATE hubbub_jobs.live_key SET running = false WHERE job IN (SELECT id FROM chosen))
                INSERT INTO hubbub_jobs.job_{current_segment(link)} ({columns}, attempt)
                SELECT {columns}, 1 FROM chosen
                """,  # noqa: S608 - names of ours
                {
                    "lanes": [lane.id for lane in lanes_of_queue(link, queue)],
                    "limit": limit,
                    "jobs": list(jobs or []),
                    "error": error,
                },
            )

    def pause(self, queue: str, reason: str) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            link.put(
                "INSERT INTO hubbub_jobs.paused (queue, reason) VALUES (%(queue)s, %(reason)s) ON CONFLICT DO NOTHING",
                {"queue": queue, "reason": reason},
            )

    def resume(self, queue: str) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            link.put("DELETE FROM hubbub_jobs.paused WHERE queue = %(queue)s", {"queue": queue})


def _without_busy(link: Link, jobs: Sequence[int]) -> list[int]:
    """Lock the keys of jobs, before their rows as one who replaces a job by its key. :returns: the jobs, without those
    whose key another transaction has locked."""
    values = {"ids": list(jobs)}
    keyed = "SELECT job FROM hubbub_jobs.live_key WHERE job = ANY (CAST(%(ids)s AS bigint[]))"
    ours = {job for (job,) in link.rows(f"{keyed} FOR UPDATE SKIP LOCKED", values)}
    held = {job for (job,) in link.rows(keyed, values)}
    return [job for job in jobs if job in ours or job not in held]


def _by_lane(link: Link, sql: str) -> dict[int, int]:
    return dict(link.rows(sql))


def _parked(link: Link) -> dict[int, tuple[int, float]]:
    """Of each lane, how many jobs wait for their locks, and the seconds since the oldest was inserted."""
    found = link.rows(
        "SELECT j.lane, count(*), coalesce(extract(epoch FROM now() - min(j.created)), 0)::float8"  # noqa: S608
        f" FROM hubbub_jobs.parked AS j WHERE {NOT_CANCELLED} GROUP BY j.lane"
    )
    return {lane: (number, oldest) for lane, number, oldest in found}


def _peek(link: Link, lane: Lane, state: JobState, limit: int, tags: Sequence[str]) -> list[Job]:
    tagged = "j.tags @> CAST(%(tags)s AS text[])" if tags else "true"
    values: dict[str, Any] = {"lane": lane.id, "limit": limit, "tags": list(tags)}
    if state is JobState.WAITING:
        rows = waiting(link, frontier(link, lane.id), limit, condition=f"{NOT_CANCELLED} AND {tagged}", tags=list(tags))
        rows += link.rows(
            f"SELECT {READ} FROM hubbub_jobs.parked AS j WHERE j.lane = %(lane)s AND {NOT_CANCELLED} AND {tagged}"  # noqa: S608
            " ORDER BY j.lane, j.id LIMIT %(limit)s",
            {**values, "limit": limit - len(rows)},
        )
        return [job_of(row, lane) for row in rows]
    table, order, reason = {
        JobState.DELAYED: ("later", "j.due", "''"),
        JobState.DEAD: ("dead", "j.died", "j.reason"),
    }[state]
    rows = link.rows(
        f"SELECT {READ}, {reason} FROM hubbub_jobs.{table} AS j WHERE j.lane = %(lane)s AND {tagged}"  # noqa: S608
        f" ORDER BY {order}, j.id LIMIT %(limit)s",
        values,
    )
    return [job_of(row, lane, reason=row[-1]) for row in rows]


def _find(link: Link, job: int) -> JobStatus | None:
    lanes = {lane.id: lane.queue for lane in all_lanes(link)}
    values = {"job": job}
    for lane, attempt, died in link.rows("SELECT lane, attempt, died FROM hubbub_jobs.dead WHERE id = %(job)s", values):
        return JobStatus(job, lanes[lane], JobState.DEAD, attempt, ended=epoch(died))
    for lane, attempt, due in link.rows(
        "SELECT lane, attempt, extract(epoch FROM due)::float8 FROM hubbub_jobs.later WHERE id = %(job)s", values
    ):
        return JobStatus(job, lanes[lane], JobState.DELAYED, attempt - 1, due=due)
    ended = _ended(link, job, lanes)
    if ended is not None:
        return ended
    for lane, attempt, cancelled in link.rows(
        "SELECT j.lane, j.attempt, EXISTS (SELECT FROM hubbub_jobs.cancelled AS c WHERE c.job = j.id)"
        " FROM hubbub_jobs.parked AS j WHERE j.id = %(job)s",
        values,
    ):
        state = JobState.CANCELLED if cancelled else JobState.WAITING
        return JobStatus(job, lanes[lane], state, attempt - 1)
    rows = link.rows(
        "SELECT j.lane, j.attempt, EXISTS (SELECT FROM hubbub_jobs.cancelled AS c WHERE c.job = j.id)"
        " FROM hubbub_jobs.job AS j WHERE j.id = %(job)s ORDER BY j.xid DESC LIMIT 1",
        values,
    )
    for lane, attempt, cancelled in rows:
        if is_waiting(link, frontier(link, lane), job):
            state = JobState.CANCELLED if cancelled else JobState.WAITING
            return JobStatus(job, lanes[lane], state, attempt - 1)
        if (lane, job) in running(link, lane):
            return JobStatus(job, lanes[lane], JobState.RUNNING, attempt)
    return None


def _ended(link: Link, job: int, lanes: dict[int, str]) -> JobStatus | None:
    """Status by its last outcome, if that is the end of it. There is no index: an outcome is of many jobs."""
    for table in ("outcome", "kept_outcome"):
        for ending, lane, at, status, attempts, ids in link.rows(
            f"SELECT ending, lane, at, status, attempts, ids FROM hubbub_jobs.{table}"  # noqa: S608 - names of ours
            " WHERE ids @> ARRAY[CAST(%(job)s AS bigint)] AND ending = ANY (%(final)s) ORDER BY at DESC LIMIT 1",
            {"job": job, "final": [Ending.FINISHED.value, Ending.CANCELLED.value]},
        ):
            state = JobState(ending)
            shown = status if state is JobState.FINISHED else None
            return JobStatus(job, lanes[lane], state, attempts[ids.index(job)], shown, ended=epoch(at))
    return None
