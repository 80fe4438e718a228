"""Schema of the archive: one table."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import JSON

metadata = MetaData()

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Topic = Text().with_variant(Text(collation="C"), "postgresql")
"""Topic column, compared byte by byte: in any other collation PostgreSQL can't use an index for a prefix."""


class Moment(TypeDecorator[Any]):
    """Column type of a point in time: timestamptz on PostgreSQL, UTC text on SQLite, with a zone in Python."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Add the zone, UTC, which SQLite does not store."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


messages = Table(
    "messages",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True, comment="what makes a redelivery no second row"),
    Column("msg_id", Text, comment="the publisher's; absent in old messages, and repeated on some buses"),
    Column("topic", Topic, nullable=False),
    Column("category", Text, nullable=False, comment="the part of the topic that names the service"),
    Column("agent", Text, comment="the user who did it"),
    Column("timestamp", Moment, nullable=False, comment="the publisher's, or when it was received"),
    Column("received_at", Moment, nullable=False),
    Column("source", Text, nullable=False, comment="the bus, by its own name or the hub's"),
    Column("headers", Json, nullable=False),
    Column("body", Json, comment="the body, where the database can hold it as JSON"),
    Column("raw", LargeBinary, comment="the body, where it can not, or would alter it"),
    Index("messages_timestamp", "timestamp"),
    Index("messages_topic", "topic", "timestamp"),
    Index("messages_category", "category", "timestamp"),
    Index("messages_agent", "agent", "timestamp"),
    Index("messages_msg_id", "msg_id"),
    Index("messages_body", "body", postgresql_using="gin", postgresql_ops={"body": "jsonb_path_ops"}).ddl_if(
        dialect="postgresql"
    ),
)
