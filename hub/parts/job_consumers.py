"""Starts and ends consumers of jobs, for the manager of all consumers."""

from __future__ import annotations

from collections.abc import Callable

from hub.configuration.schema import Part
from hub.consumer import Consumer
from hub.errors import ConfigError
from hub.job_database.source import JobSource, Send
from hub.partlog import part_log
from hub.parts.job_member import JobMember
from hub.parts.job_sources import JobSources
from hub.parts.policies import crew_policy
from hub.parts.queues import Queues
from hub.stats.rates import Rates
from hub.workers.crew import Crew
from hub.workers.runtime import Runtime

HAS_QUEUE = (
    "is a consumer of jobs now, and the hub has its queue of messages: give it another name, or take it out, reload, "
    "and 'hubbub queue delete' the queue"
)


class JobConsumers:
    """The consumers of jobs. Belongs to the reactor's thread.

    :ivar database: finds a database by its name; see :meth:`hub.parts.job_sources.JobSources.database`.
    :param sources: brings their sources to the databases. :param send: sends what jobs publish; thread-safe.
    """

    def __init__(self, queues: Queues, runtime: Runtime, sources: JobSources, send: Send) -> None:
        self.members = queues.jobs
        self.database = sources.database
        self._queues = queues
        self._runtime = runtime
        self._sources = sources
        self._send = send

    def check(self, part: Part) -> None:
        """:raises ConfigError: the hub has a queue of that name, which nobody would drain."""
        if part.settings.queue is not None and self._queues.has_messages_of(part.name):
            raise ConfigError([f"consumers.{part.name}: {HAS_QUEUE}"])

    def start(self, part: Part, prepared: Consumer, another: Callable[[], Consumer]) -> None:
        """Start a crew for a consumer of jobs. :raises RuntimeError: no thread can be started."""
        previous = self.members.pop(part.name, None)
        source, rates = self._source_of(part, previous)
        crew = Crew(prepared, source, crew_policy(part), self._runtime, part_log("consumer", part.name), make=another)
        if previous is not None:
            crew.follow(previous.crew)
        member = JobMember(part, source, crew, rates)
        try:
            crew.start()
        except BaseException:
            crew.stop()
            self._sources.remove(source)
            raise
        member.sample(self._runtime.monotonic())
        self.members[part.name] = member

    def _source_of(self, part: Part, previous: JobMember | None) -> tuple[JobSource, Rates]:
        """The consumer's old source if it is of the same queue, or a new one that continues its counts."""
        queue, database = part.settings.queue, part.settings.jobs
        if previous is not None and (previous.source.queue, previous.source.database) == (queue, database):
            return previous.source, previous.rates
        clocks = (self._runtime.monotonic, self._runtime.wall)
        source = JobSource(part.name, queue, database, *clocks, self._send)
        if previous is not None:
            source.follow(previous.source)
            self._sources.remove(previous.source)
        self._sources.add(source)
        return source, Rates()

    def remove(self, name: str) -> None:
        """Remove a consumer that is gone, or has messages now. Its jobs stay in their database."""
        if (member := self.members.pop(name, None)) is not None:
            self._sources.remove(member.source)
