"""A consumer's source in a database of jobs, driven step by step or by its thread."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hub.deadletter import DeadLetter
from hub.job_database.dispatcher import Dispatcher
from hub.job_database.messages import message_of
from hub.job_database.source import JobSource
from hub.jobs import Jobs
from hub.message import Message
from hub.partlog import part_log
from hub.queue.delivery import Delivery

QUEUE = "work"


class JobRig:
    """A source, its dispatcher, and their file of SQLite, whose numbers begin with 0.

    :ivar running: whether a thread drives it; else each ``take`` does.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._directory = tempfile.TemporaryDirectory()
        self.jobs = Jobs(f"sqlite:///{self._directory.name}/jobs.db", lease=3600, clock=clock)
        storage: Any = self.jobs._storage
        storage._wall = clock
        self.jobs.counts()  # makes the file
        with storage._database.begin() as link:
            link.run("UPDATE counter SET jobs = -1")
        self.away: list[Exception | None] = []
        log = part_log("jobs", "main")
        self.dispatcher = Dispatcher("main", self.jobs, clock, log, self.away.append)
        self.source = DrivenSource(self, clock)
        self.dispatcher.attach(self.source)
        self.running = False
        self._thread = threading.Thread(target=self.dispatcher.run, daemon=True)

    @property
    def file(self) -> Path:
        return Path(self._directory.name, "jobs.db")

    def run(self) -> None:
        self.running = True
        self._thread.start()

    def end(self) -> None:
        self.dispatcher.end()
        if self.running:
            self._thread.join()
        self.jobs.close()
        self._directory.cleanup()

    def put(self, batch: Sequence[Message]) -> None:
        self.jobs.insert_many(QUEUE, [message.body for message in batch])
        self.dispatcher.look_again()

    def drive(self) -> None:
        """Have everything written, and claimed."""
        if not self.running:
            self.jobs.maintain()
            self.dispatcher.look_again()
            while self.dispatcher._waiting:
                self.dispatcher._since = float("-inf")
                self.dispatcher.round()
            self.dispatcher.round()

    @property
    def left(self) -> int:
        self.drive()
        counts = self.jobs.counts().get(QUEUE)
        return 0 if counts is None else counts.waiting + counts.delayed + counts.running

    @property
    def letters(self) -> list[DeadLetter]:
        self.drive()
        dead = self.jobs.peek(QUEUE, "dead")
        return [DeadLetter(message_of(job, "main"), job.reason, job.attempt, 0.0) for job in dead]


class DrivenSource(JobSource):
    """A source that asks its database itself, unless a thread does, and a worker does not wait."""

    def __init__(self, rig: JobRig, clock: Callable[[], float]) -> None:
        super().__init__("jobs", QUEUE, None, clock, clock)
        self._rig = rig

    def take(self, limit: int, timeout: float | None = None, linger: float = 0.0) -> Delivery | None:
        if timeout == 0 and not self.closed:
            self._wanted += limit
            self._rig.drive()
            self._wanted -= limit
        return super().take(limit, timeout, linger)

    def retry(self, delivery: Delivery, delay: float, failed: bool, why: str = "", killed: bool = False) -> None:
        super().retry(delivery, delay, failed, why, killed)
        self._rig.drive()  # the delay begins when it is written
