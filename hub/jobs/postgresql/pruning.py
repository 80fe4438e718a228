"""Deletes what is kept for a time only, and moves what is due; each statement has a time limit and a number of rows."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress

from hub.errors import Unavailable
from hub.jobs.postgresql.database import LOCK_WAIT, Database, current_segment
from hub.jobs.postgresql.limits import lock_queue, release_next
from hub.jobs.postgresql.locks import ALL_COLUMNS_OF_J
from hub.jobs.postgresql.notes import forget_notes
from hub.jobs.postgresql.rows import ALL_COLUMNS
from hub.jobs.storage import KeepTimes

MOVE_DUE = f"""
    WITH due AS (
        DELETE FROM hubbub_jobs.later WHERE id = ANY (CAST(%(ids)s AS bigint[])) RETURNING {ALL_COLUMNS}),
    placed AS (
        SELECT j.id, l.queue, l.priority, l.id IS NOT NULL AND j.lock IS NOT NULL AND NOT EXISTS (
            SELECT FROM hubbub_jobs.lock_holder AS h WHERE h.queue = l.queue AND h.lock = j.lock
            AND NOT h.running AND h.priority < l.priority) AS parks
        FROM due AS j LEFT JOIN hubbub_jobs.lane AS l ON l.id = j.lane),
    parked AS (
        INSERT INTO hubbub_jobs.parked ({ALL_COLUMNS}, queue, priority)
        SELECT {ALL_COLUMNS_OF_J}, p.queue, p.priority FROM due AS j JOIN placed AS p ON p.id = j.id WHERE p.parks)
    INSERT INTO hubbub_jobs.job_{{segment}} ({ALL_COLUMNS})
    SELECT {ALL_COLUMNS_OF_J} FROM due AS j JOIN placed AS p ON p.id = j.id WHERE NOT p.parks
"""  # noqa: S608 - names of ours
"""Those with a lock are parked: the first of them is the next of its lock, before those that no claim has met. But one
that overtakes a lower priority, which has the lock and waits, does so when a claim meets it."""
NOWHERE = " ".join(
    f"AND NOT EXISTS (SELECT FROM hubbub_jobs.{table} AS j WHERE j.id = t.job)" for table in ("job", "later", "parked")
)
"""Condition of cancellations that nothing will meet any more."""
PASSED = "AND NOT EXISTS (SELECT FROM hubbub_jobs.job AS j WHERE j.id = t.job AND j.xid = t.xid)"


class Pruning:
    """Maintenance of the tables that are deleted from."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def move_due(self, limit: int) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin_upkeep() as link:
            found = link.rows(
                "SELECT w.id, l.queue, w.lock FROM hubbub_jobs.later AS w"
                " LEFT JOIN hubbub_jobs.lane AS l ON l.id = w.lane"
                " WHERE w.due <= now() ORDER BY w.due LIMIT %(limit)s FOR UPDATE OF w SKIP LOCKED",
                {"limit": limit},
            )
            if found:
                locks: dict[str, set[str]] = defaultdict(set)
                for _, queue, lock in found:
                    if queue is not None and lock is not None:
                        locks[queue].add(lock)
                most = {queue: lock_queue(link, queue) for queue in sorted(locks)}
                link.put(MOVE_DUE.format(segment=current_segment(link)), {"ids": [row[0] for row in found]})
                for queue, each in most.items():
                    release_next(link, queue, each, sorted(locks[queue]))
            return len(found)

    def prune(self, keep: KeepTimes, limit: int) -> int:
        """See :class:`hub.jobs.storage.Storage`."""
        old = (
            ("error", "at", keep.errors, ""),
            ("dead", "died", keep.dead, ""),
            ("live_key", "finished", keep.finished, ""),
            ("cancelled", "at", keep.finished, NOWHERE),
            ("taken", "at", keep.finished, PASSED),
            ("note", "at", keep.finished, "AND t.kind = 'result'"),
        )
        pruned = 0
        for table, moment, seconds, condition in old:
            with suppress(Unavailable), self._database.begin_upkeep(LOCK_WAIT) as link:
                found = link.rows(
                    f"""
                    DELETE FROM hubbub_jobs.{table} WHERE ctid = ANY (ARRAY(
                        SELECT t.ctid FROM hubbub_jobs.{table} AS t
                        WHERE t.{moment} < now() - make_interval(secs => %(seconds)s) {condition}
                        ORDER BY t.{moment} LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
                    RETURNING {"id" if table == "dead" else "1"}
                    """,  # noqa: S608 - names of ours
                    {"seconds": float(seconds), "limit": limit},
                )
                pruned += len(found)
                if table == "dead" and found:
                    link.run(
                        "DELETE FROM hubbub_jobs.live_key WHERE job = ANY (CAST(%(ids)s AS bigint[]))",
                        {"ids": [job for (job,) in found]},
                    )
                    forget_notes(link, [job for (job,) in found])
        return pruned + self._drop_outcomes(keep)

    def _drop_outcomes(self, keep: KeepTimes) -> int:
        """Drop whole tables of outcomes: all in them is older than the moment when their segment was dropped."""
        dropped = 0
        with suppress(Unavailable), self._database.begin_upkeep(LOCK_WAIT) as link:
            for (number,) in link.rows(
                "SELECT number FROM hubbub_jobs.segment WHERE dropped < now() - make_interval(secs => %(seconds)s)"
                " ORDER BY number LIMIT 10 FOR UPDATE SKIP LOCKED",
                {"seconds": float(keep.finished)},
            ):
                link.run(f"DROP TABLE hubbub_jobs.outcome_{int(number)}")
                link.run("DELETE FROM hubbub_jobs.segment WHERE number = %(number)s", {"number": number})
                dropped += 1
        return dropped
