"""Limits of queues: how many jobs with the same lock run at a time, and a token bucket for the rate of claims.

The row of a queue in ``queue_limit`` is locked by whoever claims or ends jobs with a lock, as the last thing but the
lane's row that he waits for: nobody waits both ways.
"""

from __future__ import annotations

from hub.jobs.connections import Link
from hub.jobs.job import ClaimLimits
from hub.jobs.postgresql.database import Database, current_segment
from hub.jobs.postgresql.rows import ALL_COLUMNS, Lane

TOKENS = "least(q.burst, q.tokens + q.rate * greatest(0, extract(epoch FROM clock_timestamp() - q.refilled)::float8))"
"""Tokens in the bucket, by the server's clock; one that steps back takes none away."""
LOCK = f"""
    SELECT q.rate IS NOT NULL FROM hubbub_jobs.lane AS l JOIN hubbub_jobs.process AS p ON p.id = %(process)s
    LEFT JOIN hubbub_jobs.queue_limit AS q ON q.queue = %(queue)s
    WHERE l.id = %(lane)s AND (q.rate IS NULL OR {TOKENS} >= 1 OR q.refilled > clock_timestamp())
    AND NOT EXISTS (SELECT FROM hubbub_jobs.paused AS s WHERE s.queue = %(queue)s)
    FOR UPDATE OF l FOR KEY SHARE OF p
"""  # noqa: S608 - names of ours
"""Locks a lane, and the row of the living process that claims from it, if the queue's rate allows a claim; or
if a clock that was ahead has filled the bucket last: that time becomes now."""


def lock_lane(link: Link, process: int, lane: Lane, limit: int) -> tuple[int, bool]:
    """Lock a lane. :returns: how many jobs may be claimed, and whether these are to be paid for: then the bucket was
    filled, and the transaction is to be committed also if it claims nothing."""
    found = link.rows(LOCK, {"process": process, "lane": lane.id, "queue": lane.queue})
    if not found:
        return 0, False
    if not found[0][0]:
        return limit, False
    left = link.rows(
        f"UPDATE hubbub_jobs.queue_limit AS q SET tokens = {TOKENS}, refilled = clock_timestamp()"  # noqa: S608
        " WHERE q.queue = %(queue)s AND q.rate IS NOT NULL RETURNING q.tokens",
        {"queue": lane.queue},
    )
    return (min(limit, int(left[0][0] + 1e-9)), True) if left else (limit, False)


def pay(link: Link, lane: Lane, jobs: int) -> None:
    """Take tokens for claimed jobs out of the bucket."""
    link.put(
        "UPDATE hubbub_jobs.queue_limit SET tokens = greatest(0, tokens - %(jobs)s) WHERE queue = %(queue)s",
        {"queue": lane.queue, "jobs": float(jobs)},
    )


def lock_queue(link: Link, queue: str) -> int:
    """Be the only one that changes who holds the queue's locks. :returns: how many jobs may hold the same one."""
    values = {"queue": queue}
    found = link.rows("SELECT per_lock FROM hubbub_jobs.queue_limit WHERE queue = %(queue)s FOR UPDATE", values)
    if not found:
        link.put("INSERT INTO hubbub_jobs.queue_limit (queue) VALUES (%(queue)s) ON CONFLICT DO NOTHING", values)
        found = link.rows("SELECT per_lock FROM hubbub_jobs.queue_limit WHERE queue = %(queue)s FOR UPDATE", values)
    return int(found[0][0])


def release_next(link: Link, queue: str, most: int, locks: list[str] | None) -> None:
    """Let the next parked jobs of locks wait again: they hold the lock. :param locks: ``None``: all of the queue."""
    chosen = (
        "unnest(CAST(%(locks)s AS text[])) AS l (lock)"
        if locks is not None
        else "(SELECT DISTINCT lock FROM hubbub_jobs.parked WHERE queue = %(queue)s) AS l"
    )
    link.put(
        f"""
        WITH next AS (
            SELECT n.id FROM {chosen}, LATERAL (
                SELECT p.id FROM hubbub_jobs.parked AS p WHERE p.queue = %(queue)s AND p.lock = l.lock
                ORDER BY p.priority DESC, p.id LIMIT greatest(0, %(most)s - (
                    SELECT count(*) FROM hubbub_jobs.lock_holder AS h
                    WHERE h.queue = %(queue)s AND h.lock = l.lock))) AS n),
        moved AS (DELETE FROM hubbub_jobs.parked WHERE id IN (SELECT id FROM next) RETURNING *),
        held AS (
            INSERT INTO hubbub_jobs.lock_holder (queue, lock, job, priority, running)
            SELECT queue, lock, id, priority, false FROM moved)
        INSERT INTO hubbub_jobs.job_{current_segment(link)} ({ALL_COLUMNS}) SELECT {ALL_COLUMNS} FROM moved ORDER BY id
        """,  # noqa: S608 - names of ours
        {"queue": queue, "most": most, "locks": locks},
    )


class Limiting:
    """Sets and reads the limits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, queue: str, limits: ClaimLimits) -> None:
        """See :class:`hub.jobs.storage.Storage`. The bucket of a rate that is new is full."""
        with self._database.begin() as link:
            lock_queue(link, queue)
            link.put(
                "UPDATE hubbub_jobs.queue_limit AS q SET per_lock = %(per_lock)s, rate = %(rate)s, burst = %(burst)s,"  # noqa: S608
                f" tokens = CASE WHEN rate IS NULL THEN %(burst)s ELSE least({TOKENS}, %(burst)s) END,"
                " refilled = clock_timestamp() WHERE queue = %(queue)s",
                {"queue": queue, "per_lock": limits.per_lock, "rate": limits.rate, "burst": limits.burst},
            )
            release_next(link, queue, limits.per_lock, None)

    def all(self) -> dict[str, ClaimLimits]:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.look() as link:
            found = link.rows("SELECT queue, per_lock, rate, burst FROM hubbub_jobs.queue_limit ORDER BY queue")
        limits = {queue: ClaimLimits(per_lock, rate, burst) for queue, per_lock, rate, burst in found}
        return {queue: each for queue, each in limits.items() if each != ClaimLimits()}
