"""A consumer of jobs in the registry of queues: its queue is in a database, its threads are the hub's."""

from __future__ import annotations

from hub.configuration.schema import Part
from hub.errors import HubError
from hub.job_database.source import JobSource
from hub.parts.queue_entry import THREADS, QueueEntry
from hub.queue.queue import Queue
from hub.queue.stored import StoredQueue
from hub.stats.counters import QueueStats
from hub.stats.rates import Rates
from hub.workers.crew import Crew


class JobLetters(StoredQueue):
    """The dead letters of a queue of jobs: they are in its database."""

    def __init__(self, source: JobSource) -> None:
        self.name, self.durable = source.name, False
        self._source = source

    def shown(self) -> None:
        """``None``: show current counters."""

    @property
    def outlives_hub(self) -> bool:
        """True: the queue is in a database."""
        return True

    @property
    def kept_letters(self) -> int:
        """Number of dead letters at the last look."""
        counts = self._source.counts
        return 0 if counts is None else counts.dead

    @property
    def lost_letters(self) -> int:
        """None: they are kept for a time, and not evicted."""
        return 0

    def limit_letters(self, count: int, size: int | None, age: float | None) -> None:
        """Do nothing: the database keeps them for ``keep_dead``."""


class JobMember(QueueEntry):
    """A consumer's queue in a database of jobs, which its crew, and perhaps those of other hubs, work off."""

    part: Part
    crew: Crew

    def __init__(self, part: Part, source: JobSource, crew: Crew, rates: Rates) -> None:
        super().__init__(JobLetters(source), None, THREADS, (), part.settings.type, rates=rates, part=part, crew=crew)
        self.source = source

    @property
    def opened(self) -> Queue:
        """There is none. :raises HubError: always."""
        text = "is a consumer of jobs: this can't be done to the queue of a database"
        where = f"'hubbub job --help' says what can be done to the jobs of {self.source.queue!r}"
        raise HubError(f"{self.name!r} {text}; {where}")

    @property
    def paused(self) -> bool:
        """True if the queue is paused, in the database."""
        return self.source.paused

    def stats(self, last: QueueStats | None = None) -> QueueStats:
        """The queue's numbers: its backlog as of the last look."""
        return self.source.stats()
