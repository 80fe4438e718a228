"""Segments of the tables that are appended to: made when the last one is full, dropped when they are not needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from hub.errors import Unavailable
from hub.interfaces import Clock
from hub.jobs.connections import Link
from hub.jobs.postgresql.carrying import (
    MOST_CARRIED,
    carry_claims,
    carry_frontier,
    carry_running,
    carry_waiting,
    count_waiting_in,
    has_open_claims,
    lanes_that_stand_in,
    lanes_that_wait_in,
    running_in,
)
from hub.jobs.postgresql.database import LOCK_WAIT, Database, current_segment
from hub.jobs.postgresql.schema import INDEX_OF_COALESCE

ROUNDS = 20
"""Transactions that carry what one segment has left, each time."""
REST = 60.0
"""Seconds until a segment is looked at again whose jobs wait for the most part."""
T = TypeVar("T")


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
    """Makes and drops segments. :param clock: monotonic."""

    def __init__(self, database: Database, limits: SegmentLimits, clock: Clock = time.monotonic) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock
        self._resting: dict[int, float] = {}
        self._sizes: dict[int, int] = {}

    def tend(self) -> None:
        """Do what is due. One program does it at a time; what another has locked is left for the next time."""
        with suppress(Unavailable):
            self._rotate()
        with suppress(Unavailable):
            while self._drop_oldest():
                pass
        with suppress(Unavailable):
            numbers = self._old_jobs()
            for number in numbers:
                with suppress(Unavailable):  # who has one of them is in the way of no other
                    self._drop_jobs(number)

    def _rotate(self) -> None:
        with self._database.begin_upkeep(LOCK_WAIT) as link:
            if not _only_one(link):
                return
            newest, full = self._newest(link)
            if full:
                make_segment(link, newest + 1)
        with self._database.begin_upkeep(LOCK_WAIT) as link:
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
        """Drop the claims of the oldest segment, and put its outcomes aside. They go in order: an outcome is never gone
        before its claim. What is open is carried. :returns: whether the next one may be dropped, too."""
        with self._database.begin_upkeep() as link:
            found = link.rows(
                "SELECT number FROM hubbub_jobs.segment WHERE dropped IS NULL"
                " AND closed < now() - make_interval(secs => %(grace)s)"
                " AND number = (SELECT min(number) FROM hubbub_jobs.segment WHERE dropped IS NULL)"
                " AND number < (SELECT last_value FROM hubbub_jobs.segment_number)",
                {"grace": self._limits.grace},
            )
        if not found:
            return False
        number = int(found[0][0])
        lanes = self._do(number, lanes_that_stand_in) or []
        for lane in lanes:
            self._do(number, lambda link, _: carry_frontier(link, lane))  # noqa: B023 - called at once
        self._carry(number, carry_claims)
        with self._database.begin_upkeep(LOCK_WAIT) as link:
            if not _is_ours(link, number, "claim"):
                return False
            link.run(
                f"LOCK TABLE hubbub_jobs.claim_{number}, hubbub_jobs.outcome_{number} IN ACCESS EXCLUSIVE MODE",
            )
            if lanes_that_stand_in(link, number) or has_open_claims(link, number):
                return False
            link.run(f"DROP TABLE hubbub_jobs.claim_{number}")
            link.run(f"ALTER TABLE hubbub_jobs.outcome_{number} NO INHERIT hubbub_jobs.outcome")
            link.run(f"ALTER TABLE hubbub_jobs.outcome_{number} INHERIT hubbub_jobs.kept_outcome")
            link.run("UPDATE hubbub_jobs.segment SET dropped = now() WHERE number = %(number)s", {"number": number})
            return True

    def _old_jobs(self) -> list[int]:
        """Segments whose claims are dropped, and whose jobs are there. They go in any order."""
        with self._database.begin_upkeep() as link:
            found = link.rows(
                "SELECT CAST(substring(c.relname FROM '[0-9]+') AS integer) AS number"
                " FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
                " WHERE i.inhparent = CAST('hubbub_jobs.job' AS regclass) AND NOT EXISTS ("
                "SELECT FROM hubbub_jobs.segment WHERE 'job_' || number = c.relname AND dropped IS NULL) ORDER BY 1"
            )
        numbers = [number for (number,) in found]
        self._resting = {number: until for number, until in self._resting.items() if number in numbers}
        self._sizes = {number: size for number, size in self._sizes.items() if number in numbers}
        return [number for number in numbers if self._resting.get(number, 0.0) <= self._clock()]

    def _drop_jobs(self, number: int) -> None:
        """Drop the jobs of a segment. What waits or runs is carried, unless it is the most of it: that is no waste, and
        carrying it again and again would be."""
        lanes = self._do(number, lanes_that_wait_in, "job")
        if lanes is None:
            return
        if lanes:
            size = self._sizes[number] if number in self._sizes else self._do(number, _size, "job")
            if size is None:
                return
            self._sizes[number] = size
            most = size // 2 + 1
            if (self._do(number, lambda link, _: count_waiting_in(link, number, lanes, most), "job") or 0) >= most:
                self._resting[number] = self._clock() + REST
                return
        for lane in lanes:
            self._carry(number, lambda link, of, target: carry_waiting(link, of, lane, target), "job")  # noqa: B023
        self._carry(number, carry_running, "job")
        with self._database.begin_upkeep(LOCK_WAIT) as link:
            if _is_ours(link, number, "job"):
                link.run(f"LOCK TABLE hubbub_jobs.job_{number} IN ACCESS EXCLUSIVE MODE")
                if not lanes_that_wait_in(link, number) and not running_in(link, number, 1):
                    link.run(f"DROP TABLE hubbub_jobs.job_{number}")

    def _do(self, number: int, do: Callable[[Link, int], T], table: str = "claim") -> T | None:
        """Do something with a segment in a transaction. ``None``: another program tends it, or has dropped it."""
        with self._database.begin_upkeep("1s") as link:
            return do(link, number) if _is_ours(link, number, table) else None

    def _carry(self, number: int, carry: Callable[[Link, int, int], int], table: str = "claim") -> None:
        """Carry what is left in a segment, in bounded transactions; what is too much for now, the next time."""
        for _ in range(ROUNDS):
            carried = self._do(number, lambda link, of: carry(link, of, self._target(link)), table)
            if carried is None or carried < MOST_CARRIED:
                return

    def _target(self, link: Link) -> int:
        """Where to carry: the first segment than which nobody writes to an older one any more."""
        ((number,),) = link.rows(
            "SELECT max(number) + 1 FROM hubbub_jobs.segment WHERE closed < now() - make_interval(secs => %(grace)s)",
            {"grace": self._limits.grace},
        )
        self._sizes.pop(number, None)
        return int(number)


def _size(link: Link, number: int) -> int:
    """How many rows of jobs a segment has."""
    ((size,),) = link.rows(f"SELECT count(*) FROM ONLY hubbub_jobs.job_{int(number)}")  # noqa: S608 - a name of ours
    return int(size)


def _only_one(link: Link) -> bool:
    """True if nobody else tends the segments. A row is locked, for an advisory lock is not safe behind PgBouncer."""
    return bool(link.rows("SELECT 1 FROM hubbub_jobs.version FOR UPDATE SKIP LOCKED"))


def _is_ours(link: Link, number: int, table: str) -> bool:
    """True if nobody else tends the segments, or has dropped that table: it is there until the link ends."""
    there = "SELECT 1 WHERE to_regclass(%(table)s) IS NOT NULL"
    return _only_one(link) and bool(link.rows(there, {"table": f"hubbub_jobs.{table}_{int(number)}"}))
