"""Keeps every message in a database: what datanommer does for fedmsg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NoReturn

from sqlalchemy.exc import SQLAlchemyError, StatementError

from hub import Consumer, Context, Message, Reject, Retry
from hub.consumers.archive.database import Database, SchemaError, of_its_content, passes, reason_of
from hub.consumers.archive.row import plain_row, row_of
from hub.consumers.archive.settings import Config as _Config
from hub.settings import Settings

__all__ = ["Archive"]


class Archive(Consumer):
    """Keeps every message in a database, PostgreSQL or SQLite. ``hubbub archive search`` reads it back.

    A redelivered message makes no second row. While the database is away, messages wait; one that the database refuses
    is a dead letter, and does not take its batch with it.
    """

    Config: ClassVar[type[Settings]] = _Config
    batch_size = 500
    batch_wait = 0.05

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._database = Database(context.config.url(context.state_dir), connections=8)

    def consume_batch(self, messages: Sequence[Message]) -> None:
        """One transaction. A batch that fails through some row's fault is given again message by message.

        :raises Retry: the database is away, or not as it should be; the connections are rebuilt.
        :raises Reject: the database refuses this one message.
        """
        try:
            self._database.add([row_of(message) for message in messages])
        except SchemaError as error:
            self._away(str(error), error)
        except SQLAlchemyError as error:
            reason = reason_of(error)
            if passes(error):
                self._away(reason, error)
            if len(messages) > 1 or not isinstance(error, StatementError):
                raise
            if not (of_its_content(error) and self._added_plainly(messages[0])):
                raise Reject(f"the database refuses it: {reason}") from error

    def _added_plainly(self, message: Message) -> bool:
        """The same row for a database that can't hold it as JSON, or not these letters."""
        try:
            self._database.add([plain_row(message)])
        except SchemaError as error:
            self._away(str(error), error)
        except SQLAlchemyError as error:
            if passes(error):
                self._away(reason_of(error), error)
            return False
        return True

    def _away(self, reason: str, error: Exception) -> NoReturn:
        self._database.forget_connections()
        raise Retry(reason=f"the database: {reason}") from error

    def stop(self) -> None:
        """Close the connections."""
        self._database.close()
