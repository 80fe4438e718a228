"""A database that was restored from a dump on another server, where the numbers of transactions lie in the future."""

from __future__ import annotations

from hub.jobs.connections import Link
from hub.jobs.postgresql.database import all_lanes, current_segment
from hub.jobs.postgresql.frontiers import PIECES, WAITS, frontier
from hub.jobs.postgresql.processes import UNSETTLED
from hub.jobs.postgresql.rows import ALL_COLUMNS

MOST = 2**62


def from_the_future(link: Link) -> bool:
    """True if a job or a claim has the number of a transaction that this server has not come to."""
    reached = 0
    for lane in all_lanes(link):
        newest = link.rows(
            "SELECT j.xid::text FROM hubbub_jobs.job AS j WHERE j.lane = %(lane)s"
            " ORDER BY j.lane DESC, j.xid DESC LIMIT 1",
            {"lane": lane.id},
        )
        reached = max(reached, int(newest[0][0]) + 1 if newest else 0, frontier(link, lane.id).snap.upper)
    # Read last: meanwhile others write, with numbers that this server has come to since.
    ((upper,),) = link.rows("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
    return reached > int(upper)


def stamp_anew(link: Link) -> None:
    """Append all jobs again that wait or run, without claims; give up all processes."""
    link.run("LOCK TABLE hubbub_jobs.job, hubbub_jobs.claim, hubbub_jobs.process IN ACCESS EXCLUSIVE MODE")
    if not from_the_future(link):  # another program has done it
        return
    columns = ALL_COLUMNS
    link.run(f"CREATE TEMPORARY TABLE hubbub_waiting ON COMMIT DROP AS SELECT {columns} FROM hubbub_jobs.job LIMIT 0")  # noqa: S608
    for lane in all_lanes(link):
        at = frontier(link, lane.id)
        for piece in PIECES:
            link.run(
                f"INSERT INTO pg_temp.hubbub_waiting SELECT {columns} FROM hubbub_jobs.job AS j"  # noqa: S608
                f" WHERE {WAITS.format(piece=piece)}",
                at.values(),
            )
    link.run(
        f"""
        INSERT INTO pg_temp.hubbub_waiting
        SELECT DISTINCT ON (id) {columns} FROM hubbub_jobs.job
        WHERE id IN (SELECT job FROM ({UNSETTLED}) AS u) ORDER BY id, xid DESC
        """  # noqa: S608 - names of ours
    )
    link.run(f"INSERT INTO pg_temp.hubbub_waiting SELECT {columns} FROM hubbub_jobs.parked")  # noqa: S608
    link.run("TRUNCATE hubbub_jobs.job, hubbub_jobs.claim")
    link.run(
        f"INSERT INTO hubbub_jobs.job_{current_segment(link)} ({columns})"  # noqa: S608 - names of ours
        f" SELECT {columns} FROM pg_temp.hubbub_waiting ORDER BY id"
    )
    link.run("DELETE FROM hubbub_jobs.taken")
    link.run("DELETE FROM hubbub_jobs.parked")
    link.run("DELETE FROM hubbub_jobs.lock_holder")
    link.run("UPDATE hubbub_jobs.live_key SET running = false")
    link.run("DELETE FROM hubbub_jobs.process")
