"""Segments of the tables that are appended to: made when the last one is full, dropped when they are not needed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from hub.errors import Unavailable
from hub.jobs.connections import Link
from hub.jobs.postgresql.claiming import append_claim
from hub.jobs.postgresql.database import LOCK_WAIT, Database, all_lanes, current_segment
from hub.jobs.postgresql.frontiers import Frontier, current_snapshot, frontier, waiting
from hub.jobs.postgresql.processes import UNSETTLED
from hub.jobs.postgresql.rows import ALL_COLUMNS
from hub.jobs.postgresql.schema import INDEX_OF_COALESCE

MOST_APPENDED = 10_000
"""Waiting jobs of a lane that are appended again at most, so that an old segment can go."""


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """When a segment is full, by jobs or by bytes, and the seconds after which nobody writes to it any more."""

    jobs: int = 250_000
    size: int = 64 << 20
    grace: float = 60.0


def make_segment(link: Link, number: int) -> None:
    """Make the tables of a segment. They are no partitions: dropping one would lock the table that all use."""
    number = int(number)
    for parent in ("job", "claim", "outcome"):
        link.run(
            f"CREATE TABLE hubbub_jobs.{parent}_{number} () INHERITS (hubbub_jobs.{parent})"
            " WITH (autovacuum_enabled = off)"  # there is nothing to clean, and it is dropped soon
        )
    for statement in (
        f"CREATE INDEX ON hubbub_jobs.job_{number} (lane, xid, id)",
        f"CREATE INDEX ON hubbub_jobs.job_{number} (id)",
        f"CREATE INDEX ON hubbub_jobs.job_{number} {INDEX_OF_COALESCE}",
        f"CREATE UNIQUE INDEX ON hubbub_jobs.claim_{number} (lane, seq)",
        f"CREATE INDEX ON hubbub_jobs.claim_{number} (process)",
        f"CREATE INDEX ON hubbub_jobs.claim_{number} (id)",
        f"CREATE INDEX ON hubbub_jobs.outcome_{number} (claim)",
    ):
        link.run(statement)
    link.run(
        "INSERT INTO hubbub_jobs.segment (number, first_job) SELECT %(number)s, last_value FROM hubbub_jobs.job_id",
        {"number": number},
    )


def use_segment(link: Link, number: int) -> None:
    """Have all write to that segment from now on: a sequence is set at once, whatever becomes of the transaction."""
    link.rows("SELECT setval('hubbub_jobs.segment_number', %(number)s)", {"number": number})
    link.run(
        "UPDATE hubbub_jobs.segment SET closed = now() WHERE number < %(number)s AND closed IS NULL", {"number": number}
    )


class Segments:
    """Makes and drops segments."""

    def __init__(self, database: Database, limits: SegmentLimits) -> None:
        self._database = database
        self._limits = limits

    def tend(self) -> None:
        """Do what is due. One program does it at a time; what another has locked is left for the next time."""
        with suppress(Unavailable):
            self._rotate()
            while self._drop_oldest():
                pass

    def _rotate(self) -> None:
        with self._database.begin(seconds=30, lock_wait=LOCK_WAIT) as link:
            if not _only_one(link):
                return
            newest, full = self._newest(link)
            if full:
                make_segment(link, newest + 1)
        with self._database.begin(seconds=30, lock_wait=LOCK_WAIT) as link:
            newest, _ = self._newest(link)
            if _only_one(link) and current_segment(link) < newest:
                use_segment(link, newest)

    def _newest(self, link: Link) -> tuple[int, bool]:
        """Number of the newest segment, and whether it is full."""
        ((number, first),) = link.rows("SELECT number, first_job FROM hubbub_jobs.segment ORDER BY number DESC LIMIT 1")
        ((last, size),) = link.rows(
            "SELECT last_value, pg_total_relation_size(to_regclass(%(table)s)) FROM hubbub_jobs.job_id",
            {"table": f"hubbub_jobs.job_{number}"},
        )
        return number, last - first >= self._limits.jobs or size >= self._limits.size

    def _drop_oldest(self) -> bool:
        """Drop the oldest segment if it is not needed. They go in order: an outcome is never gone before its claim."""
        with self._database.begin(seconds=30) as link:
            found = link.rows(
                "SELECT number FROM hubbub_jobs.segment WHERE dropped IS NULL"
                " AND closed < now() - make_interval(secs => %(grace)s)"
                " AND number = (SELECT min(number) FROM hubbub_jobs.segment WHERE dropped IS NULL)"
                " AND number < (SELECT last_value FROM hubbub_jobs.segment_number)",
                {"grace": self._limits.grace},
            )
            lanes = [lane.id for lane in all_lanes(link)]
        if not found:
            return False
        number = int(found[0][0])
        for lane in lanes:
            if not self._carry(number, lane):
                return False
        with self._database.begin(seconds=30, lock_wait=LOCK_WAIT) as link:
            if not _is_ours(link, number):
                return False
            link.run(
                f"LOCK TABLE hubbub_jobs.job_{number}, hubbub_jobs.claim_{number}, hubbub_jobs.outcome_{number}"
                " IN ACCESS EXCLUSIVE MODE"
            )
            if _needed(link, number, lanes):
                return False
            link.run(f"DROP TABLE hubbub_jobs.job_{number}, hubbub_jobs.claim_{number}")
            link.run(f"ALTER TABLE hubbub_jobs.outcome_{number} NO INHERIT hubbub_jobs.outcome")
            link.run(f"ALTER TABLE hubbub_jobs.outcome_{number} INHERIT hubbub_jobs.kept_outcome")
            link.run("UPDATE hubbub_jobs.segment SET dropped = now() WHERE number = %(number)s", {"number": number})
            return True

    def _carry(self, number: int, lane: int) -> bool:
        """Append a lane's frontier anew if it stands in that segment, and its waiting jobs if one of them does.

        :returns: false if these are too many, or another program tends the segments.
        """
        with self._database.begin(seconds=30, lock_wait="1s") as link:
            if not _is_ours(link, number):
                return False
            if not (_waits_in(link, number, frontier(link, lane)) or _stands_in(link, number, lane)):
                return True
        with self._database.begin(seconds=30, lock_wait="1s") as link:
            if not _is_ours(link, number):
                return False
            link.rows("SELECT 1 FROM hubbub_jobs.lane WHERE id = %(id)s FOR UPDATE", {"id": lane})
            at = frontier(link, lane)
            segment = current_segment(link)
            if not _waits_in(link, number, at):
                append_claim(link, segment, at, at.at_xid, at.at_id, number=0)
                return True
            # Our own transaction still runs in this snapshot, so that what is appended now is found after it.
            snap = current_snapshot(link)
            seen = "pg_visible_in_snapshot(j.xid, CAST(%(until)s AS pg_snapshot))"
            rows = waiting(link, at, MOST_APPENDED + 1, condition=seen, until=str(snap))
            if len(rows) > MOST_APPENDED:
                return False
            _append_again(link, segment, [row[0] for row in rows])
            append_claim(link, segment, at.opened(snap).opened(snap), 0, 0, number=0)
            return True


def _append_again(link: Link, segment: int, ids: Sequence[int]) -> None:
    link.run(
        f"""
        INSERT INTO hubbub_jobs.job_{int(segment)} ({ALL_COLUMNS})
        SELECT DISTINCT ON (id) {ALL_COLUMNS} FROM hubbub_jobs.job
        WHERE id = ANY (CAST(%(ids)s AS bigint[])) ORDER BY id, xid DESC
        """,  # noqa: S608 - names of ours
        {"ids": list(ids)},
    )


def _only_one(link: Link) -> bool:
    """True if nobody else tends the segments. A row is locked, for an advisory lock is not safe behind PgBouncer."""
    return bool(link.rows("SELECT 1 FROM hubbub_jobs.version FOR UPDATE SKIP LOCKED"))


def _is_ours(link: Link, number: int) -> bool:
    """True if nobody else tends the segments, or has dropped that one: its tables are there until the link ends."""
    values = {"number": number}
    there = "SELECT 1 FROM hubbub_jobs.segment WHERE number = %(number)s AND dropped IS NULL"
    return _only_one(link) and bool(link.rows(there, values))


def _waits_in(link: Link, number: int, at: Frontier) -> bool:
    return bool(waiting(link, at, 1, table=f"job_{int(number)}"))


def _stands_in(link: Link, number: int, lane: int) -> bool:
    """True if the lane's last claim is in that segment."""
    found = link.rows(
        "SELECT 1 FROM hubbub_jobs.claim WHERE lane = %(lane)s AND tableoid = to_regclass(%(table)s)"
        " AND seq = (SELECT max(seq) FROM hubbub_jobs.claim WHERE lane = %(lane)s)",
        {"lane": lane, "table": f"hubbub_jobs.claim_{int(number)}"},
    )
    return bool(found)


def _needed(link: Link, number: int, lanes: Sequence[int]) -> bool:
    """True if the segment, which the link has locked, has something that is not done."""
    if any(_waits_in(link, number, frontier(link, lane)) or _stands_in(link, number, lane) for lane in lanes):
        return True
    running = link.rows(
        f"""
        {UNSETTLED} AND (c.tableoid = to_regclass(%(claims)s)
            OR EXISTS (SELECT FROM ONLY hubbub_jobs.job_{int(number)} AS j WHERE j.id = n.job)) LIMIT 1
        """,
        {"claims": f"hubbub_jobs.claim_{int(number)}"},
    )
    return bool(running)
