"""How far a lane is claimed, and what waits beyond: see docs/jobs.rst."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hub.jobs.connections import Link, Rows
from hub.jobs.postgresql.rows import READ, Lane, lanes_of
from hub.jobs.postgresql.snapshots import DatabaseSnapshot

NOTHING = DatabaseSnapshot(1, 1)
WAITS = """
    j.lane = %(lane)s
    AND {piece}
    AND NOT (pg_visible_in_snapshot(j.xid, CAST(%(snap)s AS pg_snapshot))
        AND (j.xid, j.id) <= (CAST(%(at_xid)s AS xid8), %(at_id)s))
    AND NOT EXISTS (SELECT FROM hubbub_jobs.taken AS t WHERE t.job = j.id AND t.xid = j.xid)
"""
NOT_CANCELLED = "NOT EXISTS (SELECT FROM hubbub_jobs.cancelled AS c WHERE c.job = j.id)"
"""Condition of jobs that will run; a claim ends the others."""
LAST_CLAIM = """
    SELECT seq, prev::text, snap::text, at_xid::text, at_id FROM hubbub_jobs.claim
    WHERE lane = %(lane)s ORDER BY seq DESC LIMIT 1
"""
NUMBERS = """
    CAST(%(number)s AS bigint), s.last_value, EXISTS (SELECT FROM hubbub_jobs.cancelled),
    EXISTS (SELECT FROM hubbub_jobs.taken)
"""
SNAPSHOT = "pg_current_snapshot()::text, pg_current_xact_id_if_assigned()::text"
PIECES = ("j.xid >= CAST(%(upper)s AS xid8)", "j.xid = ANY (CAST(%(running)s AS xid8[]))")
"""Rows that were not visible in ``prev``, each by a condition that the index answers."""

REST = "(j.xid, j.id) > (f.at_xid, f.at_id) AND pg_visible_in_snapshot(j.xid, f.snap)"
MORE = (
    f"j.xid >= greatest(pg_snapshot_xmax(f.prev), f.at_xid) AND j.xid < pg_snapshot_xmax(f.snap) AND {REST}",
    f"j.xid = ANY (ARRAY(SELECT pg_snapshot_xip(f.prev))) AND {REST}",
    "j.xid >= coalesce(pg_snapshot_xmax(f.snap), '0'::xid8)",
    "j.xid = ANY (ARRAY(SELECT pg_snapshot_xip(f.snap)))",
)
"""Rows beyond a frontier. Each is a range of the index: the rest of the open window, of it those that ran in ``prev``,
those from ``snap``'s upper bound on, and those that ran in ``snap``."""
LANES_WITH_MORE = """
    SELECT s.oldest, m.id, m.queue, m.priority
    FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS oldest) AS s LEFT JOIN (
        SELECT l.id, l.queue, l.priority FROM (
            SELECT id, queue, priority FROM hubbub_jobs.lane AS n
            WHERE (CAST(%(queues)s AS text[]) IS NULL OR queue = ANY (CAST(%(queues)s AS text[])))
            AND (CAST(%(since)s AS xid8) IS NULL OR id = ANY (CAST(%(waited)s AS integer[])) OR (
                SELECT true FROM {table} AS r WHERE r.lane = n.id AND r.xid >= CAST(%(since)s AS xid8) LIMIT 1))
            OFFSET 0) AS l LEFT JOIN LATERAL (
            SELECT c.prev, c.snap, c.at_xid, c.at_id FROM hubbub_jobs.claim AS c
            WHERE c.lane = l.id ORDER BY c.seq DESC LIMIT 1) AS f ON true
        WHERE {more}) AS m ON true
    ORDER BY m.priority DESC, m.id
"""
"""Statement of :func:`look_at_lanes`, for a table and a condition. OFFSET 0: how far a lane is claimed is not to be
read where this leaves it out. LIMIT 1: PostgreSQL would read the whole index at once for an EXISTS."""


@dataclass(frozen=True, slots=True)
class Frontier:
    """How far a lane is claimed: all that ``prev`` sees, and of what ``snap`` sees all up to the cursor.

    :ivar seq: number of the lane's last claim.
    """

    lane: int
    seq: int = 0
    prev: DatabaseSnapshot = NOTHING
    snap: DatabaseSnapshot = NOTHING
    at_xid: int = 0
    at_id: int = 0

    def opened(self, snap: DatabaseSnapshot) -> Frontier:
        """Frontier at the beginning of the next window, which ends with that snapshot."""
        return replace(self, prev=self.snap, snap=snap, at_xid=0, at_id=0)

    def values(self) -> dict[str, object]:
        """Values for the statements of this module."""
        return {
            "lane": self.lane,
            "prev": str(self.prev),
            "snap": str(self.snap),
            "at_xid": str(self.at_xid),
            "at_id": self.at_id,
            "upper": str(self.prev.upper),
            "running": _xids(self.prev.running),
        }


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a claim needs to know beside the frontier.

    :ivar claim: its own number. :ivar segment: that of the current segment.
    :ivar cancelled: whether any job was cancelled while it waited.
    :ivar taken: whether any was claimed before its turn.
    """

    claim: int
    segment: int
    cancelled: bool
    taken: bool


def frontier(link: Link, lane: int) -> Frontier:
    """Frontier after the lane's last claim."""
    found = link.rows(LAST_CLAIM, {"lane": lane})
    return _frontier(lane, found[0]) if found else Frontier(lane)


def begin_claim(link: Link, lane: int) -> tuple[Frontier, DatabaseSnapshot, Numbers]:
    """Read, in one round trip, what a claim begins with: the frontier, the current snapshot, and the numbers.

    The link has locked the lane.
    """
    ((number, segment, cancelled, taken, snap, own, *last),) = link.rows(
        f"SELECT {NUMBERS}, {SNAPSHOT}, f.* FROM hubbub_jobs.segment_number AS s"  # noqa: S608 - names of ours
        f" LEFT JOIN LATERAL ({LAST_CLAIM}) AS f ON true",
        {"lane": lane, "number": claim_number()},
    )
    at = Frontier(lane) if last[0] is None else _frontier(lane, last)
    return at, _snapshot(snap, own), Numbers(number, segment, cancelled, taken)


def claim_number() -> int:
    """Number for a new claim. It is drawn at random: a sequence may give the number of a claim that a crash has undone
    to another, while its first process still lives."""
    return secrets.randbits(63)


def read_numbers(link: Link) -> Numbers:
    """Numbers for a claim; each call draws a number for a new one."""
    sql = f"SELECT {NUMBERS} FROM hubbub_jobs.segment_number AS s"  # noqa: S608 - names of ours
    return Numbers(*link.rows(sql, {"number": claim_number()})[0])


def current_snapshot(link: Link) -> DatabaseSnapshot:
    """Snapshot of this moment, in which one's own transaction still runs: what it writes is claimed after it."""
    return _snapshot(*link.rows(f"SELECT {SNAPSHOT}")[0])


def _frontier(lane: int, row: Sequence[Any]) -> Frontier:
    seq, prev, snap, at_xid, at_id = row
    return Frontier(lane, seq, DatabaseSnapshot.parse(prev), DatabaseSnapshot.parse(snap), int(at_xid), at_id)


def _snapshot(text: str, own: str | None) -> DatabaseSnapshot:
    found = DatabaseSnapshot.parse(text)
    return found if own is None else found.without(int(own))


def window(link: Link, at: Frontier, limit: int) -> Rows:
    """Next rows of the window, in the order of their transactions; after ``READ`` the transaction's number as text.

    Transactions that ran in ``prev`` come first: their numbers are lower. Each is asked for on its own, so that
    PostgreSQL reads the index in order and sorts nothing.
    """
    rows: Rows = []
    late = [xid for xid in at.prev.running if xid >= at.at_xid and at.snap.sees(xid)]
    ranges = [*((xid, xid + 1) for xid in late), (at.prev.upper, at.snap.upper)]
    for lower, upper in ranges:
        if len(rows) < limit and max(lower, at.at_xid) < upper:
            # The order is by j.xid: the name of a column that is cast to text would sort the table, as text.
            rows += link.rows(
                f"""
                SELECT {READ}, j.xid::text FROM hubbub_jobs.job AS j
                WHERE j.lane = %(lane)s AND j.xid >= CAST(%(lower)s AS xid8) AND j.xid < CAST(%(below)s AS xid8)
                AND (j.xid, j.id) > (CAST(%(at_xid)s AS xid8), %(at_id)s)
                AND pg_visible_in_snapshot(j.xid, CAST(%(snap)s AS pg_snapshot))
                ORDER BY j.lane, j.xid, j.id LIMIT %(limit)s
                """,  # noqa: S608 - names of ours
                {**at.values(), "lower": str(lower), "below": str(upper), "limit": limit - len(rows)},
            )
    return rows


def lanes_with_more(
    link: Link, queues: Sequence[str] | None, table: str = "hubbub_jobs.job", condition: str = "true"
) -> list[Lane]:
    """Lanes where a claim would find a row, the highest priority first; see :func:`look_at_lanes`."""
    return look_at_lanes(link, queues, table, condition)[1]


def look_at_lanes(
    link: Link,
    queues: Sequence[str] | None,
    table: str = "hubbub_jobs.job",
    condition: str = "true",
    since: str | None = None,
    waited: Sequence[int] = (),
) -> tuple[str, list[Lane]]:
    """Look for lanes where a claim would find a row.

    It takes no lock, and no number of a transaction: idle programs ask often.

    :param queues: only theirs; ``None``: all. :param table: where. :param condition: more that a row ``j`` must meet.
    :param since: only lanes with a row of this transaction or a later one, and those that ``waited``.
    :returns: the number of a transaction, so that the next look need not look for what older ones wrote; and the lanes,
        the highest priority first.
    """
    more = " OR ".join(
        f"EXISTS (SELECT FROM {table} AS j WHERE j.lane = l.id AND {one} AND {condition})" for one in MORE
    )
    found = link.rows(
        LANES_WITH_MORE.format(table=table, more=more),
        {"queues": None if queues is None else list(queues), "since": since, "waited": list(waited)},
    )
    return str(found[0][0]), lanes_of([row[1:] for row in found if row[1] is not None])


def waiting(
    link: Link,
    at: Frontier,
    limit: int,
    table: str = "job",
    condition: str = "true",
    order: str = "j.xid, j.id",
    columns: str = READ,
    **values: object,
) -> Rows:
    """First rows that nobody has claimed, as they are to be claimed; after ``columns`` comes the transaction's number
    as text.

    :param condition: more that they must meet.
    """
    rows: Rows = []
    for piece in reversed(PIECES):
        rows += link.rows(
            f"SELECT {columns}, j.xid::text FROM hubbub_jobs.{table} AS j"  # noqa: S608 - names of ours
            f" WHERE {WAITS.format(piece=piece)} AND {condition} ORDER BY {order} LIMIT %(limit)s",
            {**at.values(), **values, "limit": limit - len(rows)},
        )
    return rows


def count_waiting(link: Link, at: Frontier) -> tuple[int, float]:
    """How many nobody has claimed, and the seconds since the oldest was inserted."""
    number, oldest = 0, 0.0
    for piece in PIECES:
        ((found, age),) = link.rows(
            "SELECT count(*), coalesce(extract(epoch FROM now() - min(j.created)), 0)::float8"  # noqa: S608
            f" FROM hubbub_jobs.job AS j WHERE {WAITS.format(piece=piece)} AND {NOT_CANCELLED}",
            at.values(),
        )
        number, oldest = number + found, max(oldest, age)
    return number, oldest


def is_waiting(link: Link, at: Frontier, job: int) -> bool:
    """True if nobody has claimed that job since it was appended last."""
    found = link.rows(
        """
        SELECT j.xid::text, j.id, EXISTS (SELECT FROM hubbub_jobs.taken AS t WHERE t.job = j.id AND t.xid = j.xid)
        FROM hubbub_jobs.job AS j WHERE j.id = %(job)s ORDER BY j.xid DESC LIMIT 1
        """,
        {"job": job},
    )
    return bool(found) and not found[0][2] and not claimed(at, int(found[0][0]), found[0][1])


def claimed(at: Frontier, xid: int, number: int) -> bool:
    """True if a row with that transaction and number is behind the frontier."""
    return at.prev.sees(xid) or (at.snap.sees(xid) and (xid, number) <= (at.at_xid, at.at_id))


def _xids(xids: tuple[int, ...]) -> str:
    return "{" + ",".join(map(str, xids)) + "}"
