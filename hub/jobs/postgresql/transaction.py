"""A transaction of the library's own, at few round trips: its BEGIN, its settings and what needs no answer are sent
with the next statement, and the last ones with COMMIT."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, PoolProxiedConnection

from hub.errors import Unavailable
from hub.jobs.connections import Rows, Values, copy_in
from hub.jobs.postgresql.answers import Answer, AnswerLimits, no_answer
from hub.postgres import code_of, reason_of

MOST_WAITING = 1 << 20
"""Characters of statements that wait for the next one, at most."""
ENDED = (None, "57P01", "57P02", "57P03")
"""Codes of errors with which a session ends: none of the server's, and those of its shutdown."""
MISUSES = ("ProgrammingError", "DataError", "NotSupportedError", "IntegrityError")
"""Classes of errors with which a driver refuses a statement itself: they have no code, and the session goes on."""
IDLE = 0
"""libpq's PQTRANS_IDLE: no transaction is open."""


class Transaction:
    """A link to PostgreSQL; see :class:`hub.jobs.connections.Link`.

    Its statements have their values put in by the driver, and go to the server in one text: so they are sent in one
    message by either driver, and need nothing of the session, also behind a pooler.

    :param engine: in autocommit mode. :param opening: the first statements: ``BEGIN`` and settings; without ``BEGIN``
        they and the first statement are a transaction, which the server ends.
    :param seconds: how long each answer may take; then the connection is shut, and nothing is tried again.
    """

    def __init__(self, engine: Engine, opening: str, limits: AnswerLimits, seconds: float) -> None:
        self._engine = engine
        self._limits = limits
        self._seconds = seconds
        self._silent = False
        self._opening = opening
        self._waiting = [opening]
        self._begun = False
        self._psycopg2 = engine.dialect.driver == "psycopg2"
        self._pooled = engine.pool.checkedin() > 0  # type: ignore[attr-defined]
        self._connection = self._connect()

    def _connect(self) -> PoolProxiedConnection:
        with self._limits.connecting(self._seconds):
            return self._engine.raw_connection()

    @property
    def _raw(self) -> Any:
        return self._connection.driver_connection

    def _cursor(self) -> Any:
        if self._psycopg2:
            return self._raw.cursor()
        return importlib.import_module("psycopg").ClientCursor(self._raw)

    def _text(self, sql: str, values: Values | None) -> str:
        cursor = self._cursor()
        found = cursor.mogrify(sql, dict(values or {}))
        cursor.close()
        return found if isinstance(found, str) else found.decode()

    def _send(self, *statements: str) -> Any:
        """Send what waits, and these. :returns: a cursor with the answer to the last one.

        A connection that was broken while it was idle is replaced, as nothing was done in it. (The pool's own check
        would be one more round trip.)
        """
        text = "; ".join([*self._waiting, *statements])
        while True:
            cursor = self._cursor()
            try:
                with self._checked():
                    cursor.execute(text)
                    while not self._psycopg2 and cursor.nextset():
                        pass  # to the last answer, which psycopg2 has alone
            except Unavailable:
                if self._begun or not self._pooled or self._silent:
                    raise
                self._replace()
                continue
            self._begun = True
            self._waiting.clear()
            return cursor

    def _replace(self) -> None:
        """Take a new connection. All that are idle were broken with this one, so it is done once."""
        self._connection.invalidate()
        self._engine.dispose()
        self._connection = self._connect()
        self._pooled = False

    @contextmanager
    def _checked(self) -> Iterator[None]:
        """Close a connection that breaks. psycopg2 does not notice this itself while it sends several statements.

        :raises Unavailable: it broke: then the server says that it ends the session, or says nothing.
        """
        answer: Answer | None = None
        try:
            answer = self._limits.begin(self._raw, self._seconds)
            yield
        except self._engine.dialect.loaded_dbapi.Error as error:
            if answer is not None and answer.passed:
                self._silent = True
                self._raw.close()
                raise no_answer(self._seconds) from error
            code = code_of(error)
            refused = code not in ENDED or (code is None and type(error).__name__ in MISUSES)
            if refused and not self._raw.closed:
                raise
            self._raw.close()
            raise Unavailable(f"the jobs' database: {reason_of(error)}") from error
        finally:
            if answer is not None:
                self._limits.end(answer)

    def rows(self, sql: str, values: Values | None = None) -> Rows:
        """See :class:`hub.jobs.connections.Link`."""
        cursor = self._send(self._text(sql, values))
        rows: Rows = list(cursor.fetchall())
        cursor.close()
        return rows

    def run(self, sql: str, values: Values | None = None) -> int:
        """See :class:`hub.jobs.connections.Link`."""
        cursor = self._send(self._text(sql, values))
        count = int(cursor.rowcount)
        cursor.close()
        return count

    def put(self, sql: str, values: Values | None = None) -> None:
        """See :class:`hub.jobs.connections.Link`."""
        text = self._text(sql, values)
        if self._waiting and sum(map(len, self._waiting)) + len(text) > MOST_WAITING:
            self._send().close()
        self._waiting.append(text)

    def many(self, sql: str, values: Sequence[Values]) -> int:
        """See :class:`hub.jobs.connections.Link`."""
        return sum(self.run(sql, each) for each in values)

    def copy(self, sql: str, text: str) -> None:
        """See :class:`hub.jobs.connections.Link`."""
        if self._waiting:
            self._send().close()
        with self._checked():
            copy_in(self._raw.cursor(), sql, text)

    def commit(self) -> None:
        """Commit what was done; nothing, if nothing was."""
        begins = self._opening.startswith("BEGIN")
        if self._waiting and self._waiting != [self._opening] and not (begins and self._begun):
            self._send().close()  # never with COMMIT: it is sent again where the connection was broken
        if begins and self._begun:
            self._send("COMMIT").close()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def abandon(self) -> None:
        """Roll back, and give the connection back; one that is of no use any more is closed, as all idle ones are."""
        if not self._connection.is_valid:  # it was broken, and could not be replaced
            return
        try:
            if not self._raw.closed and self._raw.info.transaction_status != IDLE:
                with self._checked():
                    self._cursor().execute("ROLLBACK")
        except (Unavailable, self._engine.dialect.loaded_dbapi.Error):
            pass
        finally:
            if self._raw.closed:
                self._connection.invalidate()
                self._engine.dispose()
            self._connection.close()


@contextmanager
def transaction(engine: Engine, opening: str, limits: AnswerLimits, seconds: float) -> Iterator[Transaction]:
    """Open one that is committed at the end of the block, and rolled back by an error. The parameters are those of
    :class:`Transaction`."""
    link = Transaction(engine, opening, limits, seconds)
    try:
        yield link
        link.commit()
    except BaseException:
        link.abandon()
        raise
    link.close()
