"""Deletes what is kept for a time only, and moves what is due; each statement has a time limit and a number of rows."""

from __future__ import annotations

from contextlib import suppress

from hub.errors import Unavailable
from hub.jobs.postgresql.database import LOCK_WAIT, Database, current_segment
from hub.jobs.postgresql.notes import forget_notes
from hub.jobs.postgresql.rows import ALL_COLUMNS
from hub.jobs.storage import KeepTimes

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
            return link.run(
                f"""
                WITH due AS (
                    DELETE FROM hubbub_jobs.later WHERE id IN (SELECT id FROM hubbub_jobs.later
                        WHERE due <= now() ORDER BY due LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
                    RETURNING {ALL_COLUMNS})
                INSERT INTO hubbub_jobs.job_{current_segment(link)} ({ALL_COLUMNS}) SELECT {ALL_COLUMNS} FROM due
                """,  # noqa: S608 - names of ours
                {"limit": limit},
            )

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
