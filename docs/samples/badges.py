import sqlite3
from contextlib import closing

from hub import Consumer, Message, Reject, Retry, Settings, setting


class Badges(Consumer):
    """A badge for everybody who has pushed often."""

    topics = ("org.example.demo.git.receive",)

    class Config(Settings):
        wanted: int = setting(10, "Pushes that earn a badge.", ge=1)

    def start(self) -> None:
        self.database = self.context.state_dir / "badges.db"
        with closing(sqlite3.connect(self.database)) as db, db:
            db.execute("create table if not exists pushes (id text unique, agent text)")

    def consume(self, message: Message) -> None:
        agent = message.json()["msg"].get("agent")
        if not isinstance(agent, str):
            raise Reject("nobody pushed this")
        try:
            number = self.number(message.id, agent)
        except sqlite3.OperationalError as error:
            raise Retry(5, f"the database: {error}") from error
        if number == self.config.wanted:
            self.context.publish("org.example.demo.badges.award", {"badge": "Busy", "user": agent})

    def number(self, id_: str, agent: str) -> int:
        """Which of the agent's pushes it is, from 1; the same, however often one asks."""
        with closing(sqlite3.connect(self.database, timeout=5)) as db, db:
            db.execute("insert or ignore into pushes values (?, ?)", (id_, agent))
            upto = "select count(*) from pushes where agent = ? and rowid <= (select rowid from pushes where id = ?)"
            return int(db.execute(upto, (agent, id_)).fetchone()[0])
