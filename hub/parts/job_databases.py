"""The manager of a hub's databases of jobs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from hub.configuration.schema import Part
from hub.errors import HubError
from hub.job_access import JobContext, JobKeeper
from hub.partlog import part_log
from hub.parts.former_counts import FormerCounts
from hub.parts.job_sources import JobSources
from hub.parts.manager import Manager, status_of
from hub.parts.resources import Resources
from hub.parts.waiting import all_set, within
from hub.workers.callback_event import CallbackEvent
from hub.workers.crew import Spawn, spawn
from hub.workers.runtime import Runtime

STOP_TIMEOUT = 5.0
"""Seconds for a database that a reload replaces to write what it has."""


class JobDatabases(Manager[JobKeeper]):
    """Runs the databases of jobs; see :class:`hub.parts.manager.Manager`.

    :param spawn: starts a thread.
    """

    def __init__(
        self, reactor: Any, runtime: Runtime, state_dir: Path, sources: JobSources, spawn: Spawn = spawn
    ) -> None:
        super().__init__()
        self._reactor = reactor
        self._runtime = runtime
        self._state_dir = state_dir
        self._sources = sources
        self._spawn = spawn
        self._former = FormerCounts("jobs")
        self._log = part_log("hub", "jobs")

    @classmethod
    def of(cls, hub: Resources) -> JobDatabases:
        """Make the manager for a hub."""
        return cls(hub.reactor, hub.runtime, hub.state_dir, hub.job_sources)

    def prepare(self, part: Part) -> JobKeeper:
        """Make the instance of a part."""
        log = part_log("jobs", part.name)
        clocks = (self._runtime.monotonic, self._runtime.wall)
        trace = partial(self._runtime.tracing.headers, {})
        context = JobContext(part.name, part.config, log, self._state_dir, *clocks, trace)
        database: JobKeeper = part.plugin.make(f"jobs.{part.name}", context)
        return database

    def start(self, part: Part, prepared: JobKeeper) -> None:
        """Start a prepared part, and have it claim for its consumers."""
        try:
            prepared.start()
        except HubError as error:
            raise HubError(f"jobs.{part.name}: {error}") from error
        self.parts[part.name] = part
        self._sources.begin(part.name, prepared)

    def hand_over(self, names: Collection[str], timeout: float) -> Deferred[Any]:
        """Let workers finish the jobs that they have from these databases; they claim no more."""
        running = self._sources.running
        return self._in_threads([partial(running[name].drain, timeout) for name in names if name in running], timeout)

    def retire(self, names: Collection[str]) -> Deferred[Any]:
        """Stop databases. What is in hand then is given back."""
        return self._stop([name for name in names if name in self.parts], STOP_TIMEOUT)

    def stop(self, timeout: float) -> Deferred[Any]:
        """Stop all databases."""
        return self._stop(list(self.parts), timeout)

    def _stop(self, names: Collection[str], timeout: float) -> Deferred[Any]:
        leaving = [self._sources.end(name) for name in names]
        for name, database in zip(names, leaving, strict=True):
            self._former.keep(name, status_of(self.parts.pop(name), database))
        return self._in_threads([partial(database.stop, timeout) for database in leaving], timeout)

    def _in_threads(self, calls: Collection[Callable[[], None]], timeout: float) -> Deferred[bool]:
        """Make calls that may wait for a database. Fires when all have returned, or after ``timeout`` seconds."""
        return within(self._reactor, all_set([self._in_thread(call) for call in calls], self._reactor), timeout)

    def _in_thread(self, call: Callable[[], None]) -> CallbackEvent:
        returned = CallbackEvent()

        def run() -> None:
            try:
                call()
            except Exception as error:  # noqa: BLE001 - a plugin's code: the hub goes on
                self._log.error("a database of jobs did not stop in order", exc_info=error, extra={"action": "stop"})
            finally:
                returned.set()

        self._spawn(run, "hubbub-jobs-stop")
        return returned

    def status(self) -> dict[str, Any]:
        """Status rows of the running parts."""
        running = self._sources.running
        rows = {name: status_of(part, running[name]) for name, part in self.parts.items()}
        return {name: self._former.added(name, row) for name, row in rows.items()}
