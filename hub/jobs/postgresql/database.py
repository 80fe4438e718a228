"""The database as all parts of the layout use it: transactions, lanes, the number of the current segment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import URL

from hub.errors import Unavailable
from hub.jobs.connections import POOL, Link, engine_of, library_errors
from hub.jobs.postgresql.answers import MARGIN, AnswerLimits
from hub.jobs.postgresql.rows import Lane, lanes_of
from hub.jobs.postgresql.transaction import transaction

SETTINGS = """
    SELECT set_config('statement_timeout', '{limit}', true), set_config('lock_timeout', '{wait}', true),
        set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
        set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true),
        set_config('idle_in_transaction_session_timeout', '60s', true), set_config('extra_float_digits', '1', true)
"""
"""Index scans are asked for: statistics of a table that has just been made would make PostgreSQL read and sort all of
it. A number comes back as the one that was read. The settings end with the transaction, also behind PgBouncer."""
BEGIN = f"BEGIN ISOLATION LEVEL READ COMMITTED; {SETTINGS}"
"""Whatever the role's own isolation level is: what is read after a lock is what others have committed."""
BEGIN_LOOK = f"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; {SETTINGS}"
UNFLUSHED = "; SELECT set_config('synchronous_commit', 'off', true)"
LOOK = 30.0
"""Seconds that a statement which only looks may take, or wait for a lock, at most."""
TIMEOUT = 30.0
"""Seconds that any other may take unless it is said."""
SOON = 5.0
"""Seconds that one may take which renews a lease, at most."""
UPKEEP = 30.0
"""Seconds that one of the upkeep may take, at most."""
PACE = 1000
"""Jobs for which an insertion or a completion may take a second longer."""
LOCK_WAIT = "100ms"
"""Limit of maintenance's wait for a table's lock: those who come after it wait as long."""
HELD_UP = POOL - 3
"""Connections that may wait for others' transactions at a time; the rest is for heartbeats, upkeep and claims."""
LONGEST_HELD_UP = 30.0
"""Seconds that one waits for its turn to do so."""
PLACE = """
    SELECT concat_ws(' ', (extract(epoch FROM pg_postmaster_start_time()) * 1e6)::bigint,
        to_regclass('hubbub_jobs.lane')::oid, (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
"""Tells one server, database and schema from all others, whatever their addresses; also one that was restored."""
KNOWN = """
    NOT EXISTS (
        SELECT FROM unnest(CAST(%(lanes)s AS integer[]), CAST(%(queues)s AS text[]), CAST(%(priorities)s AS integer[]))
            AS w (id, queue, priority)
        LEFT JOIN hubbub_jobs.lane AS l ON l.id = w.id
        WHERE (l.queue, l.priority) <> (w.queue, w.priority)
            OR l.id IS NULL AND current_setting('transaction_isolation') = 'read committed')
"""
"""Condition that lanes have the numbers that are remembered. A caller's older snapshot may not have a new lane."""
Lanes = dict[tuple[str, int], int]
"""Numbers of lanes by queue and priority."""
T = TypeVar("T")


class LanesChanged(Exception):
    """The lanes that are remembered are not those of the database, which was restored, or is another."""

    def __init__(self) -> None:
        super().__init__("the jobs' database is being restored")


class Database:
    """PostgreSQL. Thread-safe.

    :ivar url: of the database. :ivar timeout: seconds that a statement may take, and that its answer is waited for.
    """

    def __init__(self, url: URL, timeout: float = TIMEOUT) -> None:
        self.url = url
        self.timeout = timeout
        self._limits = AnswerLimits()
        self._engine = engine_of(url, timeout, isolation_level="AUTOCOMMIT", pool_timeout=timeout)
        self._limits.watch(self._engine)
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(HELD_UP)
        self._lanes: Lanes = {}
        self._place = ""

    @contextmanager
    def look(self) -> Iterator[Link]:
        """Open a transaction that only reads, and sees one state of the database, however many statements it has: a job
        that is claimed meanwhile is not missing among those that wait *and* those that run.

        :raises Unavailable: the database is away or busy. :raises BadDatabase: it can't be used.
        """
        with self._open(BEGIN_LOOK, min(LOOK, self.timeout)) as link:
            yield link

    @contextmanager
    def _open(self, opening: str, seconds: float, lock_wait: str | None = None) -> Iterator[Link]:
        """Open a transaction whose statements have a limit, here and at the server, which may not answer."""
        limit = int(seconds * 1000)
        sql = opening.format(limit=limit, wait=lock_wait or min(limit, int(LONGEST_HELD_UP * 1000)))
        patience = seconds + MARGIN
        with library_errors(self._engine), transaction(self._engine, sql, self._limits, patience) as link:
            yield link

    @contextmanager
    def begin(self, seconds: float | None = None, lock_wait: str | None = None, flushed: bool = True) -> Iterator[Link]:
        """Open a transaction, with limits for each statement and for each lock.

        :param seconds: ``None``: ``timeout``.
        :param flushed: false: its commit waits for no disk. A crash of the server within the next second may undo it,
            with all that was committed after it.
        :raises Unavailable: the database is away or busy. :raises BadDatabase: it can't be used.
        """
        opening = BEGIN + ("" if flushed else UNFLUSHED)
        with self._open(opening, self.timeout if seconds is None else seconds, lock_wait) as link:
            yield link

    @contextmanager
    def begin_upkeep(self, lock_wait: str | None = None) -> Iterator[Link]:
        """Open a transaction of the upkeep, which is done again soon. Parameters and errors are those of ``begin``."""
        with self.begin(min(UPKEEP, self.timeout), lock_wait) as link:
            yield link

    @contextmanager
    def begin_soon(self) -> Iterator[Link]:
        """Open a transaction of a process's lease: a late one is of no use. Errors are those of ``begin``."""
        with self.begin(min(SOON, self.timeout)) as link:
            yield link

    @contextmanager
    def begin_held_up(self, jobs: int) -> Iterator[Link]:
        """Open a transaction that may wait for a key which somebody's idle transaction holds. A few at a time: however
        many there are, the pool has a connection for the heartbeat.

        :param jobs: how many it writes, which takes its time.
        :raises Unavailable: as for ``begin``, or many wait.
        """
        if not self._turns.acquire(timeout=min(LONGEST_HELD_UP, self.timeout)):
            raise Unavailable("the jobs' database: many insertions wait for a key that a transaction holds")
        try:
            with self.begin(self.timeout + jobs / PACE) as link:
                yield link
        finally:
            self._turns.release()

    @contextmanager
    def statement(self) -> Iterator[Link]:
        """Open a link for one statement, which is a transaction of its own, at one round trip. It may run twice: where
        the connection had been broken, it is sent again.

        :raises Unavailable: the database is away or busy. :raises BadDatabase: it can't be used.
        """
        with self._open(SETTINGS, min(LOOK, self.timeout)) as link:
            yield link

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def lane(self, queue: str, priority: int) -> int:
        """Number of a lane, which is made if there is none."""
        return self.lanes([(queue, priority)])[queue, priority]

    def lanes(self, wanted: Iterable[tuple[str, int]], anew: bool = False) -> Lanes:
        """Numbers of lanes, which are made where there are none: in a transaction of its own, for nobody must wait for
        the caller's.

        :param anew: whether what is remembered of them is not to be used.
        """
        wanted = set(wanted)
        missing = sorted(wanted if anew else wanted - self._lanes.keys())
        if missing:
            with self.begin() as link:
                for queue, priority in missing:
                    link.run(
                        "INSERT INTO hubbub_jobs.lane (queue, priority) VALUES (%(queue)s, %(priority)s)"
                        " ON CONFLICT DO NOTHING",
                        {"queue": queue, "priority": priority},
                    )
            with self.begin() as link:
                ((place,),) = link.rows(PLACE)
                found = all_lanes(link)
            with self._lock:
                self._lanes, self._place = {(lane.queue, lane.priority): lane.id for lane in found}, place
        return self._lanes

    def with_lanes(self, wanted: Collection[tuple[str, int]], use: Callable[[Lanes], T]) -> T:
        """Use the numbers of lanes that are remembered; where they are not those of the database, it is done again with
        those that are read anew.

        :param use: raises :class:`LanesChanged`. :raises LanesChanged: again.
        """
        try:
            return use(self.lanes(wanted))
        except LanesChanged:
            return use(self.lanes(wanted, anew=True))

    def check_place(self, link: Link) -> str:
        """Pass a link to this database. :returns: its client's encoding, in PostgreSQL's words.

        :raises LanesChanged: it is to another than the lanes were read from.
        """
        ((place, encoding),) = link.rows(f"{PLACE}, current_setting('client_encoding')")
        if place != self._place:
            raise LanesChanged
        return str(encoding)


def values_of_lanes(lanes: Lanes, used: Iterable[tuple[str, int]]) -> dict[str, list[int] | list[str]]:
    """Values for ``KNOWN``. :param used: the lanes that are to be checked."""
    places = sorted(set(used))
    return {
        "lanes": [lanes[place] for place in places],
        "queues": [queue for queue, _ in places],
        "priorities": [priority for _, priority in places],
    }


def all_lanes(link: Link) -> list[Lane]:
    """Lanes of all queues, the highest priority first."""
    return lanes_of(link.rows("SELECT id, queue, priority FROM hubbub_jobs.lane ORDER BY priority DESC, id"))


def lanes_of_queue(link: Link, queue: str) -> list[Lane]:
    """Lanes of a queue, the highest priority first."""
    return [lane for lane in all_lanes(link) if lane.queue == queue]


def current_segment(link: Link) -> int:
    """Number of the segment that is written to. It is a sequence's: an old snapshot does not find an old one."""
    ((number,),) = link.rows("SELECT last_value FROM hubbub_jobs.segment_number")
    return int(number)
