"""Claims jobs before their turn, together: those of a lane with the same ``coalesce``, or the same beginning of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.jobs.company import until_alone
from hub.jobs.connections import Link, Rows
from hub.jobs.job import Coalescing, Job
from hub.jobs.postgresql.claiming import append_claim, put_off_busy, values_of
from hub.jobs.postgresql.database import Database, all_lanes, current_segment
from hub.jobs.postgresql.frontiers import NOT_CANCELLED, claim_number, frontier, waiting
from hub.jobs.postgresql.limits import lock_lane, pay
from hub.jobs.postgresql.locks import lock_for, locked_rows, release_locks, take_locks
from hub.jobs.postgresql.rows import ALONE_OF, Lane, job_of

EXACTLY = "j.coalesce = %(coalesce)s"
PREFIX = "j.coalesce LIKE %(coalesce)s"
ORDER = "j.lane, j.coalesce, j.xid, j.id"
"""That of the index, so that nothing is sorted, and no more is read than is claimed."""


class Together:
    """Claims jobs before their turn. The cursor of their lane stays; it passes them when it comes to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, process: int, limit: int, queues: Sequence[str] | None, chosen: Coalescing) -> list[Job]:
        """See :class:`hub.jobs.storage.Storage`. Each lane is a transaction of its own."""
        with self._database.begin() as link:
            lanes = all_lanes(link)
            order = sorted({lane.queue for lane in lanes}) if queues is None else list(queues)
            busy = [
                lane for queue in order for lane in lanes if lane.queue == queue and _waiting(link, lane, 1, chosen)
            ]
        jobs: list[Job] = []
        for lane in busy:
            if len(jobs) < limit and not any(job.alone for job in jobs):
                jobs += self._take(process, lane, limit - len(jobs), chosen, others=bool(jobs))
        return jobs

    def _take(self, process: int, lane: Lane, limit: int, chosen: Coalescing, others: bool) -> list[Job]:
        with self._database.begin(flushed=False) as link:
            allowed, paid = lock_lane(link, process, lane, limit)
            rows = _waiting(link, lane, allowed, chosen) if allowed else []
            most = lock_for(link, lane, rows)
            rows = _waiting(link, lane, allowed, chosen) if rows else []
            rows, _ = until_alone(rows, lambda row: bool(row[ALONE_OF]), others)
            if not rows:
                return []
            number, segment = claim_number(), current_segment(link)
            found, _ = take_locks(link, lane, rows, len(rows), most)
            put_off = put_off_busy(link, found)
            release_locks(link, locked_rows(lane, [row for row in found if row[0] in put_off]))
            link.put(
                "INSERT INTO hubbub_jobs.taken (job, xid)"
                " SELECT * FROM unnest(CAST(%(ids)s AS bigint[]), CAST(%(xids)s AS xid8[]))",
                values_of(rows),
            )
            mine = [row for row in found if row[0] not in put_off]
            if paid:
                pay(link, lane, len(mine))
            at = frontier(link, lane.id)
            ids = [row[0] for row in mine]
            append_claim(link, segment, at, at.at_xid, at.at_id, number=number, process=process, ids=ids)
            return [job_of(row, lane, number, process) for row in mine]


def _waiting(link: Link, lane: Lane, limit: int, chosen: Coalescing) -> Rows:
    """Those of a lane that wait. One that waits twice, for it was carried to another segment, is there once: the rows
    that it was copied from are behind the frontier."""
    values: dict[str, Any] = {"coalesce": _pattern(chosen.value) if chosen.prefix else chosen.value}
    condition = f"{PREFIX if chosen.prefix else EXACTLY} AND {NOT_CANCELLED}"
    return waiting(link, frontier(link, lane.id), limit, condition=condition, order=ORDER, **values)


def _pattern(prefix: str) -> str:
    return prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
