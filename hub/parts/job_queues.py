"""The job queues of one backend: what it inserts, and what it reads for its clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred, DeferredList

from hub.job_access import JobKeeper
from hub.job_database.inserter import Inserter
from hub.job_queues import Done, JobReader
from hub.partlog import PartLog
from hub.parts.job_sources import JobSources
from hub.parts.waiting import within
from hub.workers.crew import Spawn, spawn

if TYPE_CHECKING:  # the package brings SQLAlchemy, which a hub without jobs need not load
    from hub.jobs.job import NewJob


class BackendJobQueue:
    """One queue; see :class:`hub.job_queues.JobQueue`."""

    def __init__(self, owner: BackendJobQueues, name: str, database: str | None) -> None:
        self.name = name
        self._owner, self._database = owner, database
        self._inserter = owner.inserter(database)

    @property
    def away(self) -> str:
        """See :class:`hub.job_queues.JobQueue`."""
        return self._inserter.away

    @property
    def full(self) -> bool:
        """See :class:`hub.job_queues.JobQueue`."""
        return self._inserter.full

    @property
    def max_body(self) -> int | None:
        """See :class:`hub.job_queues.JobQueue`."""
        database = self._owner.find(self._database)
        return None if database is None else database.max_body

    def check(self, options: Mapping[str, Any]) -> None:
        """See :class:`hub.job_queues.JobQueue`."""
        _jobs_of(self.name, [(b"", options)])

    def put(self, jobs: Sequence[tuple[bytes, Mapping[str, Any]]], done: Done) -> None:
        """See :class:`hub.job_queues.JobQueue`."""
        self._inserter.put(_jobs_of(self.name, jobs), done)

    def when_room(self, call: Callable[[], None]) -> None:
        """See :class:`hub.job_queues.JobQueue`."""
        self._inserter.when_room(call)

    def reader(self, on_ready: Callable[[], None]) -> JobReader:
        """See :class:`hub.job_queues.JobQueue`."""
        return self._owner.make_reader(self.name, self._database, on_ready)


class BackendJobQueues:
    """The queues of one backend; see :class:`hub.job_queues.JobQueues`. Belongs to the reactor's thread.

    :param backend: its name. :param spawn: starts a thread.
    """

    def __init__(self, backend: str, sources: JobSources, reactor: Any, log: PartLog, spawn: Spawn = spawn) -> None:
        self._backend = backend
        self._sources = sources
        self._reactor = reactor
        self._log = log
        self._spawn = spawn
        self._inserters: dict[str | None, Inserter] = {}
        self._readers: list[JobReader] = []

    def open(self, name: str, database: str | None) -> BackendJobQueue:
        """See :class:`hub.job_queues.JobQueues`."""
        return BackendJobQueue(self, name, database)

    @property
    def waiting(self) -> int:
        """See :class:`hub.job_queues.JobQueues`."""
        return sum([one.waiting for one in self._inserters.values()])

    def find(self, database: str | None) -> JobKeeper | None:
        """The running part of that name; ``None``: there is none. Any thread may call it."""
        running = self._sources.running
        if database is not None:
            return running.get(database)
        return next(iter(list(running.values())), None)

    def inserter(self, database: str | None) -> Inserter:
        """What inserts into a database, with its thread."""
        found = self._inserters.get(database)
        if found is None:
            name = database or "of the hub"
            calls = partial(self.find, database), self._reactor.callFromThread
            found = self._inserters[database] = Inserter(name, *calls, self._log)
            self._spawn(found.run, f"hubbub-{self._backend}-insert")
        return found

    def make_reader(self, queue: str, database: str | None, on_ready: Callable[[], None]) -> JobReader:
        """Read a queue, from whatever part has it as the hub goes on."""
        from hub.job_database.reader import DatabaseReader

        in_reactor = partial(self._reactor.callFromThread, on_ready)
        reader = DatabaseReader(f"{queue} of {self._backend}", queue, database, in_reactor, self._sources.remove)
        self._sources.add(reader)
        self._readers.append(reader)
        return reader

    def close(self, timeout: float) -> Deferred[Any]:
        """See :class:`hub.job_queues.JobQueues`."""
        readers, self._readers = self._readers, []
        for reader in readers:
            reader.close()
        inserters, self._inserters = list(self._inserters.values()), {}
        idle = []
        for one in inserters:
            fired: Deferred[None] = Deferred()
            one.when_idle(partial(fired.callback, None))
            idle.append(fired)
        waited: Deferred[Any] = within(self._reactor, DeferredList(idle), timeout)
        return waited.addCallback(partial(_end, inserters))


def _end(inserters: Sequence[Inserter], in_time: bool) -> bool:
    for one in inserters:
        one.end()
    return in_time


def _jobs_of(queue: str, jobs: Sequence[tuple[bytes, Mapping[str, Any]]]) -> list[NewJob]:
    """Make jobs of bodies and options. Those of one sender share their options, which are checked once.

    :raises BadJob: one of the values can't be used.
    """
    from hub.jobs.checks import JobOptions, check_key, filled, template

    made: list[NewJob] = []
    last: Mapping[str, Any] | None = None
    for body, options in jobs:
        if options is not last:
            last, key = options, options.get("key")
            given = cast(JobOptions, {name: value for name, value in options.items() if name != "key"})
            check_key(queue, key, given)
            shared = template(queue, None, **given)
        made.append(filled(shared, body, key, len(body)))
    return made
