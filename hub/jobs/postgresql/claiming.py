"""Claims jobs: appends how far a lane is claimed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from hub.interfaces import Clock
from hub.jobs.company import until_alone
from hub.jobs.connections import Link, Rows
from hub.jobs.job import Ending, Job
from hub.jobs.postgresql.database import Database, lanes_of_queue
from hub.jobs.postgresql.frontiers import (
    NOT_CANCELLED,
    Frontier,
    Numbers,
    begin_claim,
    read_numbers,
    window,
)
from hub.jobs.postgresql.limits import lock_lane, pay
from hub.jobs.postgresql.locks import LOCK_OF, lock_for, locked_rows, release_locks, take_locks
from hub.jobs.postgresql.looking import Looks
from hub.jobs.postgresql.notes import forget_notes
from hub.jobs.postgresql.rows import ALL_COLUMNS, ALONE_OF, READ, Lane, job_of
from hub.jobs.postgresql.snapshots import DatabaseSnapshot

REMEMBERED = 1.0
"""Seconds for which it is remembered which lanes had jobs: then one of a higher priority is looked for."""
TAKEN = """
    FROM hubbub_jobs.taken AS t WHERE (t.job, t.xid) IN (
        SELECT * FROM unnest(CAST(%(ids)s AS bigint[]), CAST(%(xids)s AS xid8[])))
"""
"""Rows that were claimed before their turn, among some."""
MOST_READ = 1000
"""Rows that a claim reads at most, to pass those that wait for their locks."""
KEY_OF = 5
"""Place of the key in a row that was read by ``READ``."""
KEY_BUSY = 1.0
"""Seconds after which a job comes again whose key a transaction has locked."""


class _NothingWaits(Exception):
    """Ends a transaction without a commit."""


class TakenJobs(NamedTuple):
    """What a claim has taken of a lane.

    :ivar passed: how many rows were passed. :ivar more: whether there may be more.
    :ivar alone: whether the jobs are one that is claimed alone, or the next one is such.
    """

    passed: int = 0
    jobs: Sequence[Job] = ()
    more: bool = False
    alone: bool = False


class Claims:
    """Claims jobs."""

    def __init__(self, database: Database, clock: Clock = time.monotonic) -> None:
        self._database = database
        self._turns = itertools.count()
        self._clock = clock
        self._looks = Looks(database, clock)
        self._known: tuple[float, list[Lane]] = 0.0, []
        self._emptied: frozenset[int] = frozenset()

    def tell(self) -> None:
        """Have the next claim try all lanes that had jobs lately, without a look: there is news."""
        self._emptied = frozenset()

    def claim(self, process: int, limit: int, queues: Sequence[str] | None) -> list[Job]:
        """See :class:`hub.jobs.storage.Storage`.

        Each lane is a transaction of its own: no two claims wait for each other both ways.
        """
        turn = next(self._turns) if queues is None else 0
        read, known = self._known
        if self._clock() - read < REMEMBERED and any(lane.id not in self._emptied for lane in known):
            jobs = self._take_all(process, _in_turn(known, queues, turn), limit)
            if jobs:
                return jobs
        began, busy = self._looks.busy(queues)
        # Idle lanes are not locked again and again.
        if busy:
            self._known, self._emptied = (began, busy), frozenset()
        return self._take_all(process, _in_turn(busy, queues, turn), limit)

    def _take_all(self, process: int, lanes: Sequence[Lane], limit: int) -> list[Job]:
        jobs: list[Job] = []
        for lane in lanes:
            ahead = 1
            while len(jobs) < limit:
                left = limit - len(jobs)
                taken = self._take(process, lane, left, max(left, ahead), others=bool(jobs))
                jobs += taken.jobs
                if jobs and taken.alone:  # it has one alone, or the next one is to be
                    return jobs
                if not taken.more:
                    self._emptied |= {lane.id}
                    break
                # Many that wait for their locks are passed in few transactions.
                ahead = min(MOST_READ, 4 * taken.passed) if taken.passed > len(taken.jobs) else 1
        return jobs

    def _take(self, process: int, lane: Lane, limit: int, ahead: int, others: bool) -> TakenJobs:
        """Claim what one window has. :param ahead: rows to read. :param others: whether the call has jobs already."""
        alone = False
        with suppress(_NothingWaits), self._database.begin(flushed=False) as link:
            allowed, paid = lock_lane(link, process, lane, limit)
            if not allowed:
                if paid:
                    return TakenJobs()  # which commits
                raise _NothingWaits
            last, now, numbers = begin_claim(link, lane.id)
            asked = max(ahead, allowed)
            at, rows = _next(link, last, now, asked)
            all_of_it = len(rows) < asked
            rows, alone = until_alone(rows, lambda row: bool(row[ALONE_OF]), others)
            if not rows:
                raise _NothingWaits  # it has locked a row: a commit would wait for the disk
            passed, mine, numbers = _claimable(link, lane, rows, numbers, allowed)
            if paid:
                pay(link, lane, len(mine))
            if all_of_it and not alone and len(passed) == len(rows):
                at, place = at.opened(at.snap), (0, 0)  # the window has no more: the next claim need not look there
            else:
                place = _place(passed)
            ids = [row[0] for row in mine]
            append_claim(link, numbers.segment, at, *place, number=numbers.claim, process=process, ids=ids)
            # Beyond a window that ends now there is nothing yet, unless one that was left out has let another go on.
            more = alone or at.snap == last.snap or not all_of_it or len(mine) < len(rows)
            return TakenJobs(len(passed), [job_of(row, lane, numbers.claim, process) for row in mine], more, alone)
        return TakenJobs(alone=alone)

    def purge(self, queue: str, limit: int) -> int:
        """Cancel jobs that wait, also those of a paused queue: the lane's next claims have none of them. Each lane is a
        transaction of its own. :returns: how many."""
        with self._database.begin() as link:
            lanes = lanes_of_queue(link, queue)
            purged = _cancel_parked(link, [lane.id for lane in lanes], limit)
        for lane in lanes:
            while purged < limit:
                read, cancelled = self._drop(lane, limit - purged)
                purged += cancelled
                if not read:
                    break
        return purged

    def _drop(self, lane: Lane, limit: int) -> tuple[int, int]:
        """Cancel what one window has. :returns: how many rows were read, and how many jobs were cancelled."""
        with self._database.begin() as link:
            link.rows("SELECT 1 FROM hubbub_jobs.lane WHERE id = %(lane)s FOR UPDATE", {"lane": lane.id})
            last, now, numbers = begin_claim(link, lane.id)
            at, rows = _next(link, last, now, limit)
            if not rows:
                return 0, 0
            _, mine, numbers = _claimable(link, lane, rows, numbers)
            if mine:
                append_cancelled(link, numbers.segment, lane.id, [row[0] for row in mine], numbers.claim)
                release_locks(link, locked_rows(lane, mine))
            append_claim(link, numbers.segment, at, *_place(rows), number=numbers.claim)
            return len(rows), len(mine)


def _claimable(
    link: Link, lane: Lane, rows: Rows, numbers: Numbers, limit: int | None = None
) -> tuple[Rows, Rows, Numbers]:
    """Rows that are passed, those that the claim may have, and its numbers.

    :param limit: how many it may have at most, which take their locks; ``None``: all, without their locks.
    """
    most = lock_for(link, lane, rows)
    if any(row[LOCK_OF] is not None for row in rows):
        numbers = read_numbers(link)  # others have changed what waits, until the queue was locked
    gone = _taken(link, rows) if numbers.taken else set()
    found = [row for row in rows if (row[0], row[-1]) not in gone]
    passed = rows
    if limit is not None:
        runs, count = take_locks(link, lane, found, limit, most)
        if count < len(found):
            passed = rows[: rows.index(found[count])]
        found = runs
    if gone:
        link.put(f"DELETE {TAKEN}", values_of(passed))
    left_out = put_off_busy(link, found)
    # One that was replaced by its key just now was cancelled by whoever had the key locked, without the lane's lock.
    if numbers.cancelled or any(row[KEY_OF] is not None for row in found):
        left = [row[0] for row in found if row[0] not in left_out]
        left_out |= _cancelled(link, lane, left, numbers.segment, numbers.claim)
    release_locks(link, locked_rows(lane, [row for row in found if row[0] in left_out]))
    return passed, [row for row in found if row[0] not in left_out], numbers


def _place(rows: Rows) -> tuple[int, int]:
    """Where the cursor stands after them: the transaction and the number of the last one."""
    return int(rows[-1][-1]), rows[-1][0]


def append_claim(
    link: Link,
    segment: int,
    at: Frontier,
    at_xid: int,
    at_id: int,
    *,
    number: int,
    process: int = 0,
    ids: Sequence[int] = (),
) -> None:
    """Write the lane's next claim. :param ids: of its jobs; without any, it is a frontier alone."""
    link.put(
        f"""
        INSERT INTO hubbub_jobs.claim_{int(segment)} (id, lane, seq, prev, snap, at_xid, at_id, process, ids)
        VALUES (%(number)s, %(lane)s, %(seq)s, CAST(%(prev)s AS pg_snapshot), CAST(%(snap)s AS pg_snapshot),
            CAST(%(at_xid)s AS xid8), %(at_id)s, %(process)s, CAST(%(ids)s AS bigint[]))
        """,  # noqa: S608 - names of ours
        {
            **at.values(),
            "number": number,
            "seq": at.seq + 1,
            "at_xid": str(at_xid),
            "at_id": at_id,
            "process": process,
            "ids": "{" + ",".join(map(str, ids)) + "}",
        },
    )


def _next(link: Link, at: Frontier, now: DatabaseSnapshot, limit: int) -> tuple[Frontier, Rows]:
    """Next rows of a lane, from the open window or from the next one, which ends now."""
    rows = window(link, at, limit)
    if rows:
        return at, rows
    at = at.opened(now)
    return at, window(link, at, limit)


def _in_turn(lanes: Sequence[Lane], queues: Sequence[str] | None, turn: int) -> list[Lane]:
    """Lanes by queue, each queue's in the order of priorities; without a choice, another queue is first each time."""
    if queues is None:
        names = sorted({lane.queue for lane in lanes})
        start = turn % len(names) if names else 0
        queues = names[start:] + names[:start]
    return [lane for queue in queues for lane in lanes if lane.queue == queue]


def _cancelled(link: Link, lane: Lane, ids: Sequence[int], segment: int, claim: int) -> set[int]:
    """End those that were cancelled while they waited. :returns: their numbers."""
    found = link.rows(
        "DELETE FROM hubbub_jobs.cancelled WHERE job = ANY (CAST(%(ids)s AS bigint[])) RETURNING job",
        {"ids": list(ids)},
    )
    gone = [number for (number,) in found]
    if gone:
        append_cancelled(link, segment, lane.id, gone, claim)
    return set(gone)


def append_cancelled(link: Link, segment: int, lane: int, ids: Sequence[int], claim: int = 0) -> None:
    """Write that jobs were cancelled before they ran."""
    link.put(
        f"""
        INSERT INTO hubbub_jobs.outcome_{int(segment)} (claim, ending, status, lane, closes, ids, attempts)
        VALUES (%(claim)s, %(ending)s, 0, %(lane)s, false, CAST(%(ids)s AS bigint[]), CAST(%(none)s AS integer[]))
        """,  # noqa: S608 - names of ours
        {"claim": claim, "ending": Ending.CANCELLED.value, "lane": lane, "ids": list(ids), "none": [0] * len(ids)},
    )
    link.put(
        "DELETE FROM hubbub_jobs.live_key WHERE job = ANY (CAST(%(ids)s AS bigint[]))",
        {"ids": list(ids)},
    )
    forget_notes(link, ids)


def _taken(link: Link, rows: Rows) -> set[tuple[object, ...]]:
    """Numbers, with those of their transactions, of rows that were claimed before their turn."""
    return set(link.rows(f"SELECT t.job, t.xid::text {TAKEN}", values_of(rows)))


def values_of(rows: Rows) -> dict[str, str]:
    """Numbers of rows, and of their transactions, as PostgreSQL's arrays."""
    return {
        "ids": "{" + ",".join(str(row[0]) for row in rows) + "}",
        "xids": "{" + ",".join(row[-1] for row in rows) + "}",
    }


def put_off_busy(link: Link, rows: Rows) -> set[int]:
    """Note that jobs with keys run. One whose key is locked, by a transaction that wants to replace it, is put off: a
    claim never waits for somebody's transaction. :returns: the numbers of these."""
    keyed = [row[0] for row in rows if row[KEY_OF] is not None]
    if not keyed:
        return set()
    values = {"ids": keyed}
    chosen = "WHERE job = ANY (CAST(%(ids)s AS bigint[]))"
    locked = link.rows(f"SELECT job, keeps FROM hubbub_jobs.live_key {chosen} FOR UPDATE SKIP LOCKED", values)  # noqa: S608
    held = {job for (job,) in link.rows(f"SELECT job FROM hubbub_jobs.live_key {chosen}", values)}  # noqa: S608
    ours = {job for job, _ in locked}
    link.put(
        "DELETE FROM hubbub_jobs.live_key WHERE job = ANY (CAST(%(ids)s AS bigint[])) AND keeps = 'waiting'",
        {"ids": list(ours)},
    )
    link.put(
        "UPDATE hubbub_jobs.live_key SET running = true WHERE job = ANY (CAST(%(ids)s AS bigint[]))",
        {"ids": list(ours)},
    )
    busy = held - ours
    if busy:
        link.put(
            f"""
            INSERT INTO hubbub_jobs.later ({ALL_COLUMNS}, due)
            SELECT DISTINCT ON (id) {ALL_COLUMNS}, clock_timestamp() + make_interval(secs => %(delay)s)
            FROM hubbub_jobs.job WHERE id = ANY (CAST(%(ids)s AS bigint[])) ORDER BY id, xid DESC
            """,  # noqa: S608 - names of ours
            {"ids": list(busy), "delay": KEY_BUSY},
        )
    return busy


def _cancel_parked(link: Link, lanes: Sequence[int], limit: int) -> int:
    """Cancel jobs that wait for their locks. They end when these come to them. :returns: how many."""
    found = link.rows(
        "INSERT INTO hubbub_jobs.cancelled (job) SELECT j.id FROM hubbub_jobs.parked AS j"  # noqa: S608
        f" WHERE j.lane = ANY (CAST(%(lanes)s AS integer[])) AND {NOT_CANCELLED} ORDER BY j.id LIMIT %(limit)s"
        " ON CONFLICT DO NOTHING RETURNING job",
        {"lanes": list(lanes), "limit": limit},
    )
    link.put(
        "DELETE FROM hubbub_jobs.live_key WHERE job = ANY (CAST(%(ids)s AS bigint[]))",
        {"ids": [job for (job,) in found]},
    )
    return len(found)


def latest_rows(link: Link, ids: Sequence[int]) -> dict[int, tuple[object, ...]]:
    """Last row of each job, by its number."""
    found = link.rows(
        f"SELECT DISTINCT ON (j.id) {READ} FROM hubbub_jobs.job AS j"  # noqa: S608 - names of ours
        " WHERE j.id = ANY (CAST(%(ids)s AS bigint[])) ORDER BY j.id, j.xid DESC",
        {"ids": list(ids)},
    )
    return {row[0]: row for row in found}
