"""A bench for a consumer of jobs: the daemon's own source, dispatcher and worker, with a database in memory.

Nothing runs by itself: the test inserts jobs, moves the clock and runs the consumer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Generic, Protocol

from hub.configuration.schema import Part
from hub.job_database.dispatcher import Dispatcher
from hub.job_database.source import JobSource
from hub.message import Message
from hub.partlog import part_log
from hub.parts.policies import crew_policy
from hub.store import Outgoing
from hub.testing.memory_jobs import MOST_ROUNDS, MemoryJobs
from hub.testing.stand_ins import AnyConsumer
from hub.workers.runtime import Runtime
from hub.workers.source import WorkSource
from hub.workers.worker import Worker

DATABASE = "jobs"
"""Name of the database, which a job's message has in the place of a bus."""


class ConsumerBench(Protocol[AnyConsumer]):
    """What is taken from :class:`hub.testing.bench.Bench`, which does all of a bench but the source of work."""

    consumer: AnyConsumer
    runtime: Runtime

    def start(self) -> None:
        """Call the consumer's ``start()``, once."""

    def advance(self, seconds: float) -> None:
        """Advance the clock."""

    def tick(self) -> None:
        """Call the consumer's ``tick()``."""

    def stop(self) -> None:
        """Call the consumer's ``stop()``, if it has started."""

    @property
    def published(self) -> list[Message]:
        """Messages that the consumer published."""

    def worker_on(self, source: WorkSource) -> Worker:
        """A worker of the consumer on a source of work."""

    def send(self, outbox: Sequence[Outgoing]) -> None:
        """Send what was published without a store."""


class JobBench(Generic[AnyConsumer]):
    """A consumer of jobs on a bench. One thread at a time may use it.

    :param bench: of the consumer, for what it publishes.
    :ivar consumer: the consumer; a test may give it fakes before ``start()``.
    :ivar jobs: the database, to insert into, and to look at: ``bench.jobs.insert("thumbnails", {"path": "/a.jpg"})``.
    """

    def __init__(self, bench: ConsumerBench[AnyConsumer], part: Part) -> None:
        self.consumer: AnyConsumer = bench.consumer
        self._bench = bench
        self._queue = str(part.settings.queue)
        self.jobs = MemoryJobs(bench.runtime.wall(), trace=partial(bench.runtime.tracing.headers, {}))
        self._limit = crew_policy(part).worker.batch_size or 1
        self._rounds = 0.0
        self._source = JobSource(part.name, self._queue, DATABASE, self._monotonic, bench.runtime.wall, send=bench.send)
        self._dispatcher = Dispatcher(DATABASE, self.jobs, self._monotonic, part_log("jobs", DATABASE), _raise)
        self._dispatcher.attach(self._source)
        self._worker = bench.worker_on(self._source)

    def start(self) -> None:
        """Call the consumer's ``start()``, once; ``run()`` and ``tick()`` begin with this. See :class:`Bench`."""
        self._bench.start()

    def run(self) -> None:
        """Run the consumer until no job waits; the clock does not move."""
        self.start()
        self.jobs.maintain()
        while self._round():
            pass

    def _round(self) -> bool:
        """Write what became of jobs, and work some more. :returns: whether there were any."""
        self._rounds += 1
        self._dispatcher.beaten(self._rounds)
        self._dispatcher.round()
        if not self._source.buffered():
            claimed = self.jobs.claim(self._limit, [self._queue])
            if not claimed:
                return False
            self._source.arrive(claimed, self._dispatcher)
        return self._worker.step(0)

    def advance(self, seconds: float) -> None:
        """Advance the clock. The next ``run()`` works jobs that are due then."""
        self._bench.advance(seconds)
        self.jobs.advance(seconds)

    def run_to_the_end(self) -> None:
        """Run the consumer, and advance the clock to each next job that is due, until none is left but dead letters.

        :raises AssertionError: it does not end.
        """
        for _ in range(MOST_ROUNDS):
            self.run()
            seconds = self.jobs.due_in([self._queue])
            if seconds is None:
                return
            self.advance(seconds)
        raise AssertionError(f"{self.consumer.context.name} is not done after {MOST_ROUNDS} rounds")

    def tick(self) -> None:
        """Call the consumer's ``tick()``. Its errors are raised here; the hub would log and count them."""
        self._bench.tick()

    def stop(self) -> None:
        """Call the consumer's ``stop()``, if it has started. The fixture calls this at the end of a test."""
        self._bench.stop()

    @property
    def published(self) -> list[Message]:
        """Messages that the consumer published, in order. One that was published while a job was worked is included if,
        and only if, that job is finished."""
        return self._bench.published

    def _monotonic(self) -> float:
        """A second per round: results wait for others for a while, and the test for none."""
        return self._rounds


def _raise(error: Exception | None) -> None:
    """Raise what the dispatcher would log, and try again after."""
    if error is not None:
        raise error
