"""NOTIFY and LISTEN: processes that sleep are woken when there are jobs."""

from __future__ import annotations

import logging
import math
import random
import selectors
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from typing import Any

from sqlalchemy import URL
from sqlalchemy.pool import NullPool

from hub.backoff import Uniform, delay_after
from hub.errors import Unavailable
from hub.interfaces import Clock
from hub.jobs.connections import engine_of, library_errors
from hub.jobs.errors import BadDatabase
from hub.jobs.postgresql.answers import AnswerLimits
from hub.jobs.postgresql.database import Database
from hub.jobs.storage import Heard

CHANNEL = "hubbub_jobs"
NOTIFY_EVERY = 0.002
"""Seconds between two notifications of one queue by one program. One that is left out costs little: who was woken by
the last one looks again soon."""
REMEMBERED = 1000
"""Queues whose last notification is remembered."""
ANSWER = 30.0
"""Seconds that the answer to ``LISTEN`` may take."""
CLOSING = 1.0
"""Seconds."""
LONGEST_RECONNECT = 10.0
"""Seconds."""
NOTIFY = f"""
    SELECT set_config('lock_timeout', '1s', true), set_config('synchronous_commit', 'off', true),
        count(pg_notify('{CHANNEL}', name))
    FROM unnest(CAST(%(queues)s AS text[])) AS q (name)
    WHERE EXISTS (SELECT FROM hubbub_jobs.process WHERE asleep_until > now())
"""  # noqa: S608 - names of ours
"""Notifies if anybody sleeps. The limit holds for the wait at the commit, too: all who notify share one lock.
The commit does not wait for the disk: a crash of the server ends the sessions of all who listen, so nothing is lost."""
log = logging.getLogger("hub.jobs")


class Notifications:
    """Sends notifications, each in a transaction of its own, after the one that made jobs wait: NOTIFY holds a lock of
    the whole server until its transaction has reached the disk. Thread-safe."""

    def __init__(self, database: Database, clock: Clock = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: dict[str, float] = {}

    def send(self, queues: Iterable[str]) -> None:
        """Notify of jobs of these queues; an empty name stands for all. One that fails is left: they are looked for."""
        due = self._due(set(queues))
        if due:
            with suppress(Unavailable, BadDatabase), self._database.statement() as link:
                link.rows(NOTIFY, {"queues": due})

    def _due(self, queues: set[str]) -> list[str]:
        now = self._clock()
        with self._lock:
            due = [queue for queue in queues if now - self._sent.get(queue, -math.inf) >= NOTIFY_EVERY]
            if len(self._sent) > REMEMBERED:
                self._sent.clear()
            self._sent |= dict.fromkeys(due, now)
        return due


class NotificationListener:
    """Hears notifications on a connection of its own, in a thread, and listens anew whenever it was lost.

    Behind a pooler such as PgBouncer in transaction mode, LISTEN is of no use, and its notifications disturb others:
    there it hears nothing. A pooler makes up the number of the server's process that the driver is told at the start.

    :param heard: called in that thread with the name of a queue, or ``None`` where any queue may have jobs.
    """

    def __init__(self, url: URL, heard: Heard, uniform: Uniform = random.uniform) -> None:
        self._engine = engine_of(url, poolclass=NullPool)
        self._limits = AnswerLimits()
        self._limits.watch(self._engine)
        self._heard = heard
        self._uniform = uniform
        self._ended = threading.Event()
        self._end, self._ending = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="jobs-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._ended.set()
        self._ending.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSING)  # one that connects to a server that is away may take longer

    def _run(self) -> None:
        failures, useful = 0, True
        while useful and not self._ended.is_set():
            try:
                with library_errors(self._engine), closing(self._connect()) as connection:
                    with self._limits.within(connection, ANSWER):
                        useful = _is_direct(connection)
                        if useful:
                            connection.cursor().execute(f"LISTEN {CHANNEL}")
                    if useful:
                        failures = 0
                        self._heard(None)  # what was inserted meanwhile was not heard
                        self._hear(connection)
            except Exception as error:  # the thread must not end
                failures += 1
                if not isinstance(error, (Unavailable, BadDatabase, OSError)):
                    log.exception("unexpected error; listening again", extra={"action": "listen"})
                elif failures == 1:
                    log.warning("not listening for jobs: %s", error, extra={"action": "listen"})
                self._ended.wait(delay_after(failures, self._uniform, longest=LONGEST_RECONNECT))
        self._end.close()
        if not useful:
            log.warning(
                "a pooler is between this program and PostgreSQL: jobs are not listened for, but looked for",
                extra={"action": "listen"},
            )

    def _connect(self) -> Any:
        with self._limits.connecting(ANSWER):
            pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
        connection.autocommit = True
        return connection

    def _hear(self, connection: Any) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._end, selectors.EVENT_READ)
            while not self._ended.is_set():
                selector.select()
                if not self._ended.is_set():
                    for queue in _received(connection):
                        self._heard(queue or None)


def _is_direct(connection: Any) -> bool:
    """True if the server's process is the one that the driver was told of."""
    cursor = connection.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    ((process,),) = cursor.fetchall()
    return bool(process == connection.info.backend_pid)


def _received(connection: Any) -> list[str]:
    """Payloads of the notifications that have come."""
    if hasattr(connection, "poll"):  # psycopg2
        connection.poll()
        found = [notification.payload for notification in connection.notifies]
        connection.notifies.clear()
        return found
    connection.pgconn.consume_input()
    found = []
    while (notification := connection.pgconn.notifies()) is not None:
        found.append(notification.extra.decode(errors="replace"))
    return found
