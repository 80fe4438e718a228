"""The bench of the STOMP server, with a queue of jobs: the hub's own code on a file of SQLite, driven step by step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, cast

from hub.backends.stomp.job_destinations import JobDestinations
from hub.errors import Unavailable
from hub.jobs.job import NewJob
from hub.parts.job_queues import BackendJobQueues
from hub.parts.job_sources import JobSources
from tests.contracts.job_sources import QUEUE as QUEUE
from tests.contracts.job_sources import JobRig
from tests.unit.backends.stomp.bench import Bench
from tests.unit.doubles import RecordingLog

DESTINATION = f"/queue/{QUEUE}"
MOST_BODY = 1000


class AtOnce:
    """A reactor for those who call from threads: here these are the test's own."""

    def __init__(self, clock: Any) -> None:
        self.callLater = clock.callLater

    def callFromThread(self, call: Callable[..., object], *given: object) -> None:
        call(*given)


class Keeper:
    """The part ``[jobs.main]``, around a rig's dispatcher. :ivar away: whether its database is."""

    max_body = MOST_BODY

    def __init__(self, rig: JobRig) -> None:
        self._rig = rig
        self.away = False
        self.attach, self.detach = rig.dispatcher.attach, rig.dispatcher.detach

    def insert(self, jobs: Sequence[NewJob]) -> None:
        if self.away:
            raise Unavailable("the database restarts")
        self._rig.jobs.insert_jobs(jobs)


class JobBench(Bench):
    """A broker whose ``/queue/work`` is of jobs. :ivar jobs: the database. :ivar queues: those of the broker."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(queues={QUEUE: {"jobs": True}}, **settings)
        self.rig = JobRig(self.reactor.seconds)
        self.rig.dispatcher.detach(self.rig.source)
        self.jobs = self.rig.jobs
        sources = JobSources()
        self.keeper = cast(Any, Keeper(self.rig))
        sources.begin("main", self.keeper)
        self.queues = BackendJobQueues("stomp", sources, AtOnce(self.reactor), RecordingLog(), _no_thread)
        self.broker.jobs = JobDestinations(self.queues, self.config, self.reactor)

    def end(self) -> None:
        self.rig.end()

    def drive(self) -> None:
        """Have everything inserted, written, claimed and dealt out."""
        for _ in range(2):
            self.turn()
            for inserter in self.queues._inserters.values():
                inserter.round()
            self.rig.drive()
        self.turn()

    def states(self) -> tuple[int, int, int, int]:
        """Jobs that wait, are delayed, run, and are dead."""
        self.drive()
        found = self.jobs.counts().get(QUEUE)
        return (found.waiting, found.delayed, found.running, found.dead) if found else (0, 0, 0, 0)


def _no_thread(target: Callable[[], None], name: str) -> threading.Thread:
    return threading.Thread(target=target, name=name)
