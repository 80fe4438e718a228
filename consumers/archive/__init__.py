"""Archive consumer: stores every message in a database, as datanommer does for fedmsg."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, NoReturn

from sqlalchemy.exc import SQLAlchemyError, StatementError

from hub import Consumer, Context, Message, Reject, Retry
from hub.consumers.archive.database import EXTRAS, Database, SchemaError, of_its_content, passes
from hub.consumers.archive.row import plain_row, row_of
from hub.consumers.archive.settings import Config as _Config
from hub.extra import Extra
from hub.postgres import reason_of
from hub.settings import Settings

__all__ = ["Archive"]


class Archive(Consumer):
    """Store every message in a database, PostgreSQL or SQLite. ``hubbub archive search`` reads it.

    A redelivered message adds no second row. While the database is away, messages wait; one that the database rejects
    becomes a dead letter, and the others of its batch are stored.
    """

    Config: ClassVar[type[Settings]] = _Config
    batch_size = 500
    batch_wait = 0.05

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._database = Database(context.config.url(context.state_dir), connections=8)

    @classmethod
    def needed_extras(cls, config: _Config) -> Iterable[Extra]:
        """Return that of the database's driver; see :class:`hub.interfaces.NeedingExtras`."""
        return [EXTRAS[config.driver]] if config.driver in EXTRAS else []

    def consume_batch(self, messages: Sequence[Message]) -> None:
        """Store the batch in one transaction. If a row is rejected, the batch is delivered again one by one.

        :raises Retry: the database is away, or not set up as it should be; the connections are opened anew.
        :raises Reject: the database rejects this one message.
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
                raise Reject(f"the database rejects it: {reason}") from error

    def _added_plainly(self, message: Message) -> bool:
        """Store the message as bytes and ASCII texts, if the database can't store its JSON or its characters.

        :returns: whether that succeeded.
        """
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
