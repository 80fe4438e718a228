"""The registry of running databases of jobs, and of the sources of work that consumers have in them."""

from __future__ import annotations

from hub.errors import HubError
from hub.job_access import JobKeeper
from hub.job_database.interfaces import Source
from hub.text import some_of


class JobSources:
    """Brings sources and databases together, in whatever order they come and go. Belongs to the reactor's thread.

    :ivar running: databases by name.
    """

    def __init__(self) -> None:
        self.running: dict[str, JobKeeper] = {}
        self._sources: list[Source] = []

    def database(self, name: str | None) -> JobKeeper:
        """Find a database. Thread-safe. :param name: ``None``: the only one. :raises HubError: there is none."""
        running = dict(self.running)
        if name is None and len(running) == 1:
            return next(iter(running.values()))
        if name is None:
            raise HubError(f"name the database of jobs: there are {some_of(running)}")
        if name not in running:
            raise HubError(f"no database of jobs is called {name!r}: there are {some_of(running)}")
        return running[name]

    def add(self, source: Source) -> None:
        """Add the source of a consumer that starts."""
        self._sources.append(source)
        for name, database in self.running.items():
            if source.database in (None, name):
                database.attach(source)

    def remove(self, source: Source) -> None:
        """Remove the source of a consumer that is gone."""
        if source in self._sources:
            self._sources.remove(source)
            for database in self.running.values():
                database.detach(source)

    def begin(self, name: str, database: JobKeeper) -> None:
        """Add a database that has started."""
        self.running[name] = database
        for source in self._sources:
            if source.database in (None, name):
                database.attach(source)

    def end(self, name: str) -> JobKeeper:
        """Remove a database that is about to stop."""
        database = self.running.pop(name)
        for source in self._sources:
            database.detach(source)
        return database
