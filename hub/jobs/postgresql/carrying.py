"""Carries what is not done out of old segments into a newer one, so that these can be dropped.

A row that is carried stays as it is, with the number of its transaction, and so its place in the order of its lane. All
who read the tables together see it once, before and after. No outcome is ever in an older segment than its claim: all
that a claim has go with it, into a segment than which nobody writes to an older one any more.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.jobs.connections import Link, Values
from hub.jobs.postgresql.claiming import append_claim
from hub.jobs.postgresql.database import current_segment
from hub.jobs.postgresql.frontiers import frontier, lanes_with_more, waiting
from hub.jobs.postgresql.processes import UNSETTLED
from hub.jobs.postgresql.rows import ALL_COLUMNS

MOST_CARRIED = 10_000
"""Rows that are carried in one transaction."""
CLAIM = "id, lane, seq, prev, snap, at_xid, at_id, process, at, ids"
OUTCOME = "claim, ending, status, lane, at, closes, ids, attempts"
NOT_TAKEN = "NOT EXISTS (SELECT FROM hubbub_jobs.taken AS t WHERE t.job = j.id AND t.xid = j.xid)"


def carry_claims(link: Link, number: int, target: int) -> int:
    """Carry open claims of a segment, with all of their outcomes. :returns: how many; fewer than the most: all."""
    chosen = [claim for (claim,) in link.rows(f"{_open_claims(number)} LIMIT {MOST_CARRIED}")]
    if chosen:
        values = {"claims": chosen, "into": f"hubbub_jobs.outcome_{int(target)}"}
        _move(link, f"ONLY hubbub_jobs.claim_{int(number)}", f"claim_{int(target)}", CLAIM, "id", values)
        _move(link, "hubbub_jobs.outcome", f"outcome_{int(target)}", OUTCOME, "claim", values)
    return len(chosen)


def _move(link: Link, source: str, target: str, columns: str, key: str, values: Values) -> None:
    elsewhere = "true" if source.startswith("ONLY") else "tableoid <> CAST(%(into)s AS regclass)"
    link.run(
        f"""
        WITH moved AS (
            DELETE FROM {source} WHERE {key} = ANY (CAST(%(claims)s AS bigint[])) AND {elsewhere} RETURNING {columns})
        INSERT INTO hubbub_jobs.{target} ({columns}) SELECT {columns} FROM moved
        """,  # noqa: S608 - names of ours
        values,
    )


def has_open_claims(link: Link, number: int) -> bool:
    """True if a claim in that segment has a job that runs."""
    return bool(link.rows(f"{_open_claims(number)} LIMIT 1"))


def _open_claims(number: int) -> str:
    unsettled = UNSETTLED.replace("FROM hubbub_jobs.claim AS c", f"FROM ONLY hubbub_jobs.claim_{int(number)} AS c")
    return f"SELECT DISTINCT claim FROM ({unsettled}) AS u"  # noqa: S608 - names of ours


def lanes_that_stand_in(link: Link, number: int) -> list[int]:
    """Lanes whose last claim, which says how far they are claimed, is in that segment."""
    found = link.rows(
        f"""
        SELECT l.id FROM hubbub_jobs.lane AS l, LATERAL (
            SELECT c.tableoid FROM hubbub_jobs.claim AS c WHERE c.lane = l.id ORDER BY c.seq DESC LIMIT 1) AS f
        WHERE f.tableoid = CAST('hubbub_jobs.claim_{int(number)}' AS regclass)
        """  # noqa: S608 - names of ours
    )
    return [lane for (lane,) in found]


def carry_frontier(link: Link, lane: int) -> None:
    """Append a lane's last claim anew, without jobs."""
    lock_lane_row(link, lane)
    at = frontier(link, lane)
    append_claim(link, current_segment(link), at, at.at_xid, at.at_id, number=0)


def lock_lane_row(link: Link, lane: int) -> None:
    """Keep all claims of a lane waiting."""
    link.rows("SELECT 1 FROM hubbub_jobs.lane WHERE id = %(id)s FOR UPDATE", {"id": lane})


def lanes_that_wait_in(link: Link, number: int) -> list[int]:
    """Lanes that have waiting jobs in that segment."""
    return [lane.id for lane in lanes_with_more(link, None, f"ONLY hubbub_jobs.job_{int(number)}", NOT_TAKEN)]


def count_waiting_in(link: Link, number: int, lanes: Sequence[int], most: int) -> int:
    """How many jobs of these lanes wait in that segment. :param most: up to which they are counted."""
    count = 0
    for lane in lanes:
        count += len(waiting(link, frontier(link, lane), most - count, table=f"job_{int(number)}", columns="j.id"))
        if count >= most:
            break
    return count


def carry_waiting(link: Link, number: int, lane: int, target: int) -> int:
    """Carry waiting jobs of a lane. :returns: how many; fewer than the most: all."""
    lock_lane_row(link, lane)  # who reads the lane's window meanwhile, and waits for a table, may miss what moves
    at = frontier(link, lane)
    rows = waiting(link, at, MOST_CARRIED, table=f"job_{int(number)}", columns="j.id")
    return _carry_jobs(link, number, [row[0] for row in rows], target)


def carry_running(link: Link, number: int, target: int) -> int:
    """Carry the rows of jobs that run. :returns: how many; fewer than the most: all."""
    return _carry_jobs(link, number, running_in(link, number, MOST_CARRIED), target)


def running_in(link: Link, number: int, most: int) -> list[int]:
    """Jobs that run, and have a row in that segment."""
    found = link.rows(
        f"SELECT DISTINCT u.job FROM ({UNSETTLED}) AS u"  # noqa: S608 - names of ours
        f" WHERE EXISTS (SELECT FROM ONLY hubbub_jobs.job_{int(number)} AS j WHERE j.id = u.job) LIMIT %(most)s",
        {"most": most},
    )
    return [job for (job,) in found]


def _carry_jobs(link: Link, number: int, jobs: Sequence[int], target: int) -> int:
    if jobs:
        link.run(
            f"""
            WITH moved AS (
                DELETE FROM ONLY hubbub_jobs.job_{int(number)} WHERE id = ANY (CAST(%(jobs)s AS bigint[]))
                RETURNING {ALL_COLUMNS}, xid)
            INSERT INTO hubbub_jobs.job_{int(target)} ({ALL_COLUMNS}, xid) SELECT {ALL_COLUMNS}, xid FROM moved
            """,  # noqa: S608 - names of ours
            {"jobs": list(jobs)},
        )
    return len(jobs)
