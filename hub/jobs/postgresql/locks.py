"""Jobs with a lock: which of a claim's may run, and which is next when one ends. See docs/jobs.rst.

A job that meets its lock held is *parked*: it leaves its lane for the table ``parked``, so that it is in nobody's way.
When a holder ends, the next one of the lock waits in its lane again, and holds the lock from then on, so that none that
was inserted later comes before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from hub.jobs.connections import Link, Rows
from hub.jobs.postgresql.limits import lock_queue, release_next
from hub.jobs.postgresql.rows import ALL_COLUMNS, Lane

ALL_COLUMNS_OF_J = ", ".join(f"j.{column}" for column in ALL_COLUMNS.split(", "))
Held = tuple[str, str, int]
"""Queue, lock and number of a job."""
LOCK_OF = 9
"""Place of the lock in a row that was read by ``READ``."""


def lock_for(link: Link, lane: Lane, rows: Rows) -> int:
    """Be the only one that changes who holds the queue's locks, if one of the rows has any.

    What becomes of rows is decided after this: another may have parked them meanwhile.
    """
    return lock_queue(link, lane.queue) if any(row[LOCK_OF] is not None for row in rows) else 1


def take_locks(link: Link, lane: Lane, rows: Rows, limit: int, most: int) -> tuple[Rows, int]:
    """Find the rows of a claim that may run, which hold their locks from now on. The others are parked.

    :param most: what :func:`lock_for` returned.
    :returns: those that run, ``limit`` at most, and how many rows were passed for them.
    """
    locks = sorted({row[LOCK_OF] for row in rows if row[LOCK_OF] is not None})
    if not locks:
        return rows[:limit], min(limit, len(rows))
    held = _holders(link, lane.queue, locks)
    runs: Rows = []
    parked, begun, overtaken = [], [], []
    passed = 0
    for row in rows:
        if len(runs) == limit:
            break
        passed += 1
        lock, job = row[LOCK_OF], row[0]
        if lock is not None:
            holders = held[lock]
            lower = [one for one, (priority, running) in holders.items() if not running and priority < lane.priority]
            if job not in holders and len(holders) >= most:
                if not lower:
                    parked.append(job)
                    continue
                overtaken.append(lower[0])
                del holders[lower[0]]
            holders[job] = (lane.priority, True)
            begun.append((lock, job))
        runs.append(row)
    _overtake(link, lane.queue, locks, overtaken)
    _park(link, lane, parked)
    for lock, job in begun:
        link.put(
            "INSERT INTO hubbub_jobs.lock_holder (queue, lock, job, priority, running)"
            " VALUES (%(queue)s, %(lock)s, %(job)s, %(priority)s, true)"
            " ON CONFLICT (queue, lock, job) DO UPDATE SET running = true, priority = excluded.priority",
            {"queue": lane.queue, "lock": lock, "job": job, "priority": lane.priority},
        )
    return runs, passed


def release_locks(link: Link, ended: Iterable[Held], again: Iterable[Held] = ()) -> None:
    """Let jobs go that hold locks, and the next ones wait.

    :param again: those that wait at once again, and hold their locks on.
    """
    queues: dict[str, tuple[list[tuple[str, int]], list[tuple[str, int]]]] = defaultdict(lambda: ([], []))
    for which, jobs in enumerate((ended, again)):
        for queue, lock, job in jobs:
            queues[queue][which].append((lock, job))
    for queue, (gone, waiting) in sorted(queues.items()):
        most = lock_queue(link, queue)
        for lock, job in waiting:
            link.put(
                "UPDATE hubbub_jobs.lock_holder SET running = false"
                " WHERE queue = %(queue)s AND lock = %(lock)s AND job = %(job)s",
                {"queue": queue, "lock": lock, "job": job},
            )
        if gone:
            locks = sorted({lock for lock, _ in gone})
            _drop_holders(link, queue, locks, [job for _, job in gone])
            release_next(link, queue, most, locks)


def locked_rows(lane: Lane, rows: Rows) -> list[Held]:
    """Queue, lock and number of the rows that have a lock."""
    return [(lane.queue, row[LOCK_OF], row[0]) for row in rows if row[LOCK_OF] is not None]


def _holders(link: Link, queue: str, locks: Sequence[str]) -> dict[str, dict[int, tuple[int, bool]]]:
    held: dict[str, dict[int, tuple[int, bool]]] = defaultdict(dict)
    for lock, job, priority, running in link.rows(
        "SELECT lock, job, priority, running FROM hubbub_jobs.lock_holder"
        " WHERE queue = %(queue)s AND lock = ANY (CAST(%(locks)s AS text[])) ORDER BY priority, job DESC",
        {"queue": queue, "locks": list(locks)},
    ):
        held[lock][job] = (priority, running)
    return held


def _drop_holders(link: Link, queue: str, locks: Sequence[str], jobs: Sequence[int]) -> None:
    if jobs:
        link.put(
            "DELETE FROM hubbub_jobs.lock_holder WHERE queue = %(queue)s"
            " AND lock = ANY (CAST(%(locks)s AS text[])) AND job = ANY (CAST(%(jobs)s AS bigint[]))",
            {"queue": queue, "locks": list(locks), "jobs": list(jobs)},
        )


def _overtake(link: Link, queue: str, locks: Sequence[str], jobs: Sequence[int]) -> None:
    """Park jobs that wait in another lane, where the cursor passes them."""
    if jobs:
        _drop_holders(link, queue, locks, jobs)
        values = {"jobs": list(jobs)}
        link.put(
            f"""
            INSERT INTO hubbub_jobs.parked ({ALL_COLUMNS}, queue, priority)
            SELECT DISTINCT ON (j.id) {ALL_COLUMNS_OF_J}, l.queue, l.priority
            FROM hubbub_jobs.job AS j JOIN hubbub_jobs.lane AS l ON l.id = j.lane
            WHERE j.id = ANY (CAST(%(jobs)s AS bigint[])) ORDER BY j.id, j.xid DESC
            """,  # noqa: S608 - names of ours
            values,
        )
        link.put(
            "INSERT INTO hubbub_jobs.taken (job, xid) SELECT DISTINCT ON (id) id, xid FROM hubbub_jobs.job"
            " WHERE id = ANY (CAST(%(jobs)s AS bigint[])) ORDER BY id, xid DESC",
            values,
        )


def _park(link: Link, lane: Lane, jobs: Sequence[int]) -> None:
    if jobs:
        link.put(
            f"""
            INSERT INTO hubbub_jobs.parked ({ALL_COLUMNS}, queue, priority)
            SELECT DISTINCT ON (id) {ALL_COLUMNS}, %(queue)s, %(priority)s FROM hubbub_jobs.job
            WHERE id = ANY (CAST(%(jobs)s AS bigint[])) ORDER BY id, xid DESC
            """,  # noqa: S608 - names of ours
            {"queue": lane.queue, "priority": lane.priority, "jobs": list(jobs)},
        )
