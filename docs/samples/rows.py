import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing

from hub import Consumer, Message, Retry


class Rows(Consumer):
    """A row for each message, a transaction for each batch."""

    batch_size = 500
    batch_wait = "1s"

    def start(self) -> None:
        self.database = self.context.state_dir / "rows.db"
        with closing(sqlite3.connect(self.database)) as db, db:
            db.execute("create table if not exists rows (digest blob unique, topic text, body blob)")

    def consume_batch(self, messages: Sequence[Message]) -> None:
        rows = [(digest(message), message.topic, message.body) for message in messages]
        try:
            with closing(sqlite3.connect(self.database, timeout=5)) as db, db:
                db.executemany("insert or ignore into rows values (?, ?, ?)", rows)
        except sqlite3.OperationalError as error:
            raise Retry(reason=f"the database: {error}") from error


def digest(message: Message) -> bytes:
    """Another for every message, whatever ids the publishers give."""
    return hashlib.sha256(b"\0".join([message.id.encode(), message.topic.encode(), message.body])).digest()
