"""Processes that claim jobs: their leases, and what becomes of the jobs of those that ended."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

from hub.jobs.company import given_up
from hub.jobs.connections import Link
from hub.jobs.heartbeats import MISSED, Heartbeat
from hub.jobs.job import Ending, Job, Settlement
from hub.jobs.postgresql.claiming import append_cancelled, latest_rows
from hub.jobs.postgresql.database import Database, all_lanes, current_segment
from hub.jobs.postgresql.notes import FENCE
from hub.jobs.postgresql.rows import job_of
from hub.jobs.postgresql.settling import end_claims, release_locks_of

log = logging.getLogger("hub.jobs")
OPEN = """
    cardinality(c.ids) > 0
    AND NOT EXISTS (SELECT FROM hubbub_jobs.outcome AS o WHERE o.claim = c.id AND o.closes)
"""
"""Condition of a claim that may have a job left."""
UNSETTLED = f"""
    SELECT c.id AS claim, c.lane AS lane, c.process AS process, n.job AS job
    FROM hubbub_jobs.claim AS c, unnest(c.ids) WITH ORDINALITY AS n (job, place)
    WHERE {OPEN}
    AND NOT EXISTS (SELECT FROM hubbub_jobs.outcome AS o WHERE o.claim = c.id AND n.job = ANY (o.ids))
"""  # noqa: S608 - names of ours
"""Jobs that run."""
SEEN = "extract(epoch FROM seen)::float8"
"""Time of the last heartbeat; it comes back as the same number."""


class Processes:
    """Processes that claim jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, process: int, name: str, lease: float) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin_soon() as link:
            link.put(
                "INSERT INTO hubbub_jobs.process (id, name, lease) VALUES (%(id)s, %(name)s, %(lease)s)",
                {"id": process, "name": name, "lease": float(lease)},
            )

    def beat(self, process: int, jobs: Collection[int]) -> list[int] | None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin_soon() as link:
            if not link.run(
                "UPDATE hubbub_jobs.process SET seen = now(), silent_since = NULL WHERE id = %(id)s", {"id": process}
            ):
                return None
            found = link.rows(
                "SELECT job FROM hubbub_jobs.cancelled WHERE job = ANY (CAST(%(jobs)s AS bigint[]))",
                {"jobs": list(jobs)},
            )
            return [job for (job,) in found]

    def sleep(self, process: int, seconds: float) -> None:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin_soon() as link:
            link.put(
                "UPDATE hubbub_jobs.process SET asleep_until = now() + make_interval(secs => %(seconds)s)"
                " WHERE id = %(id)s",
                {"id": process, "seconds": seconds},
            )

    def stop(self, process: int) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin_soon() as link:
            if not link.rows("SELECT 1 FROM hubbub_jobs.process WHERE id = %(id)s FOR UPDATE", {"id": process}):
                return 0
            return self._give_up(link, process, failed=False)

    def give_back_others(self, process: int, claims: Collection[int]) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            if not link.rows(FENCE, {"id": process}):
                return 0
            return _give_back(link, [job for job in _jobs_of(link, process) if job.claim not in claims], failed=False)

    def heartbeats(self, lease: float) -> dict[int, Heartbeat]:
        """See :class:`hub.jobs.storage.Storage`."""
        values = {"lease": float(lease), "missed": MISSED}
        with self._database.begin() as link:
            link.put(
                "UPDATE hubbub_jobs.process SET silent_since = now() WHERE silent_since IS NULL"
                " AND seen < now() - make_interval(secs => %(missed)s * coalesce(lease, %(lease)s))",
                values,
            )
            found = link.rows(
                f"""
                SELECT id, {SEEN}, own, seen < now() - make_interval(secs => own)
                    AND coalesce(silent_since < now() - make_interval(secs => %(missed)s * own), false)
                FROM hubbub_jobs.process, LATERAL (SELECT coalesce(lease, %(lease)s)) AS l (own)
                """,  # noqa: S608 - names of ours
                values,
            )
        return {process: Heartbeat(*heartbeat) for process, *heartbeat in found}

    def rescue(self, dead: Mapping[int, float]) -> int:
        """See :class:`hub.jobs.storage.Storage`. Each process is a transaction of its own."""
        rescued = 0
        for process, seen in dead.items():
            with self._database.begin() as link:
                found = link.rows(
                    f"SELECT {SEEN} = %(seen)s FROM hubbub_jobs.process WHERE id = %(id)s FOR UPDATE SKIP LOCKED",  # noqa: S608
                    {"id": process, "seen": seen},
                )
                if found == [(True,)]:
                    rescued += self._give_up(link, process, failed=True)
        return rescued

    def _give_up(self, link: Link, process: int, failed: bool) -> int:
        """End a process whose row the link has locked for update: no completion of it is accepted any more."""
        jobs = _jobs_of(link, process)
        link.put("DELETE FROM hubbub_jobs.process WHERE id = %(id)s", {"id": process})
        return _give_back(link, jobs, failed)


def _give_back(link: Link, jobs: Sequence[Job], failed: bool) -> int:
    """End claims whose jobs nobody works any more. :param jobs: all that those claims have left.

    :param failed: whether their process died; then they are all that it had.
    """
    last = {job.claim: job.id for job in jobs}
    settlements = [
        given_up(job, len(jobs), last[job.claim] == job.id)
        if failed
        else Settlement(job, Ending.GIVEN_BACK, attempt=job.attempt, closes=last[job.claim] == job.id)
        for job in jobs
    ]
    lanes = {(lane.queue, lane.priority): lane.id for lane in all_lanes(link)}
    release_locks_of(link, end_claims(link, settlements, lanes))
    return len(jobs)


def _jobs_of(link: Link, process: int) -> list[Job]:
    """Jobs that a process has not settled, as they were claimed. Of what is there no more, the claim ends."""
    sql = f"SELECT claim, lane, job FROM ({UNSETTLED} AND c.process = %(process)s) AS u ORDER BY claim"  # noqa: S608
    found = link.rows(sql, {"process": process})
    lanes = {lane.id: lane for lane in all_lanes(link)}
    rows = latest_rows(link, [job for _, _, job in found])
    jobs = []
    for claim, lane, job in found:
        if job in rows and lane in lanes:
            jobs.append(job_of(rows[job], lanes[lane], claim, process))
            continue
        # Who restored or cleaned the database by hand has left the claim alone. Without an end it would stay for ever.
        append_cancelled(link, current_segment(link), lane, [job], claim)
        log.error("job %d is given up: its row or its queue is gone", job, extra={"action": "rescue"})
    return jobs


def running(link: Link, lane: int | None = None) -> Sequence[tuple[int, int]]:
    """Lane and number of jobs that run. :param lane: of this one alone."""
    condition = "" if lane is None else "AND c.lane = %(lane)s"
    found = link.rows(f"SELECT lane, job FROM ({UNSETTLED} {condition}) AS u", {"lane": lane})  # noqa: S608
    return [(of, job) for of, job in found]
