"""The manager of a hub's backends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, maybeDeferred

from hub.configuration.schema import Part
from hub.confirmations import Confirmations
from hub.enqueuer import Enqueuer
from hub.errors import ConfigError, HubError
from hub.held_places import LOOK_EVERY, HeldPlaces
from hub.intakes import BackendIntake, confirmer
from hub.interfaces import Backend, BackendContext, Clock, Intake, Reconfigurable
from hub.partlog import part_log
from hub.parts.declared import DeclaredQueues
from hub.parts.declared_queue import Owner
from hub.parts.flow_control import FlowControl
from hub.parts.former_counts import FormerCounts
from hub.parts.job_queues import BackendJobQueues
from hub.parts.job_sources import JobSources
from hub.parts.manager import Manager, release_all, status_of, stop_all
from hub.parts.replay import LogReplays
from hub.parts.resources import Resources
from hub.parts.waiting import within
from hub.pipeline import Checks, Pipeline, Target
from hub.reserved import ReservingIntake

STOP_TIMEOUT = 5.0
"""Seconds for a backend to pass on received messages when a reload replaces it."""
NOBODY_WAITS = "'settled' says when senders are told, and no sender on this bus waits to be told: leave it out"


class Backends(Manager[Backend]):
    """Runs the backends; see :class:`hub.parts.manager.Manager`.

    :param flow: pauses the running backends.
    :ivar running: backends by name; while the hub starts, also those not started yet.
    :ivar held_places: says when messages that are put off hold a bus up.
    :ivar checks_of: returns the stages for a backend's messages; ``None``: it has none.
    """

    def __init__(
        self,
        flow: FlowControl,
        reactor: Any,
        enqueuer: Enqueuer,
        wall: Clock,
        declared: DeclaredQueues,
        replays: LogReplays | None = None,
        job_sources: JobSources | None = None,
        state_dir: Path = Path(),
    ) -> None:
        super().__init__()
        self.running = flow.backends
        self._flow = flow
        self._reactor = reactor
        self._enqueuer = enqueuer
        self._declared, self._replays = declared, replays
        self._job_sources = job_sources or JobSources()
        self._state_dir = state_dir
        self._wall = wall
        self._log = part_log("hub", "backends")
        self._started: list[Backend] = []
        self._for_consumers: set[str] = set()
        self._wanted: Counter[str] = Counter()
        self._pipelines: dict[str, Pipeline] = {}
        self._former = FormerCounts("backends")
        self._confirmations = Confirmations(enqueuer, reactor)
        self.held_places = HeldPlaces(self._confirmations, self._log)
        self.checks_of: Callable[[Part], Checks | None] = lambda part: None
        enqueuer.subscriptions.follow = self.follow

    @classmethod
    def of(cls, hub: Resources) -> Backends:
        """Make the manager for a hub."""
        replays = LogReplays.of(hub.stores.store, hub.enqueuer, hub.reactor)
        given = (hub.reactor, hub.enqueuer, hub.runtime.wall, hub.declared, replays, hub.job_sources, hub.state_dir)
        made = cls(hub.flow, *given)
        hub.periodic.begin(lambda: made.held_places.look(made.running), LOOK_EVERY)
        return made

    def prepare(self, part: Part) -> Backend:
        """Make the instance of a part."""
        log, show = part_log("backend", part.name), self._enqueuer.subscriptions.add
        owner = Owner(part.name, part.settings.type)
        queues = self._declared.of(owner)
        settled = part.settings.confirm == "settled"
        jobs = BackendJobQueues(part.name, self._job_sources, self._reactor, log)
        given = (self._reactor, log, self._wall, show, queues, self._replays, jobs, settled, self._state_dir)
        context = BackendContext(part.name, part.config, *given)
        backend: Backend = part.plugin.make(f"backends.{part.name}", context)
        if settled and not backend.confirms:
            raise ConfigError([f"backends.{part.name}.confirm: {NOBODY_WAITS}"])
        owner.instance, owner.confirm = backend, confirmer(self._reactor, backend)
        owner.wait = partial(self._confirmations.wait, backend) if settled else None
        return backend

    def announce(self, prepared: Mapping[str, tuple[Part, Backend]]) -> None:
        """Register backends before they start: consumers may publish to them, and ``overflow = "auto"`` depends on
        them."""
        for part, backend in prepared.values():
            self._add(part, backend)

    def _add(self, part: Part, backend: Backend) -> None:
        if part.name in self.running:
            self._keep_counts(part.name)
        self.running[part.name], self.parts[part.name] = backend, part
        if self._wanted:
            backend.subscribe(sorted(self._wanted))

    def _keep_counts(self, name: str) -> None:
        """Keep the counts of an instance that is replaced, or removed."""
        self._former.keep(name, status_of(self.parts[name], self.running[name]))

    def subscribe(self, patterns: Collection[str]) -> None:
        """Subscribe all buses to the consumers' current patterns, and unsubscribe from former ones."""
        before, self._for_consumers = self._for_consumers, set(patterns)
        self.follow(self._for_consumers - before, before - self._for_consumers)

    def follow(self, added: Collection[str], removed: Collection[str]) -> None:
        """Update the buses for patterns added and removed. A pattern stays while anybody else wants it."""
        new = sorted(pattern for pattern in added if not self._wanted[pattern])
        self._wanted.update(added)
        self._wanted.subtract(removed)
        gone = sorted(pattern for pattern in removed if not self._wanted[pattern])
        for pattern in gone:
            del self._wanted[pattern]
        for backend in self.running.values():  # new before old: no gap for messages that both cover
            if new:
                backend.subscribe(new)
            if gone:
                backend.unsubscribe(gone)

    @inlineCallbacks
    def start(self, part: Part, prepared: Backend) -> Generator[Deferred[Any], Any, None]:
        """Start a prepared part."""
        if self.running.get(part.name) is not prepared:
            self._add(part, prepared)
        try:
            yield self._start(part.name, prepared)
        except Exception:
            self._keep_counts(part.name)
            del self.running[part.name], self.parts[part.name]
            self._confirmations.close(prepared)
            self._declared.end(prepared)
            raise
        self._started.append(prepared)
        if self._flow.paused:
            prepared.pause()

    @inlineCallbacks
    def _start(self, name: str, backend: Backend) -> Generator[Deferred[Any], Any, None]:
        try:
            yield maybeDeferred(backend.start, self._intake_of(name, backend))
        except ConfigError as error:
            raise ConfigError([f"backends.{name}: {problem}" for problem in error.problems]) from error
        except HubError as error:
            raise HubError(f"backends.{name}: {error}") from error

    def _intake_of(self, name: str, backend: Backend) -> Intake:
        confirm = confirmer(self._reactor, backend)
        return ReservingIntake(self._enqueuer.reserved, self._routing_intake_of(name, backend), confirm)

    def _routing_intake_of(self, name: str, backend: Backend) -> Intake:
        part = self.parts[name]
        intake: Target = BackendIntake(self._enqueuer, confirmer(self._reactor, backend))
        if part.settings.confirm == "settled":
            intake = self._confirmations.intake(backend)
        checks = self.checks_of(part)
        if checks is None:
            self._pipelines.pop(name, None)
            return intake
        hold, release = self._flow.source(f"checks of {name}")
        pipeline = Pipeline(checks, intake, self._reactor, hold, release, part_log("backend", name))
        self._pipelines[name] = pipeline
        return pipeline

    def reconfigure(self, part: Part) -> bool:
        """Apply new settings to a running backend, if it supports that."""
        running = self.running.get(part.name)
        if running is None or not isinstance(running, part.plugin.cls) or running not in self._started:
            return False
        if part.settings.confirm != self.parts[part.name].settings.confirm:
            return False  # its intake is another one
        if part.secrets != self.parts[part.name].secrets:
            return False  # it has read them at its start
        if not isinstance(running, Reconfigurable) or not running.reconfigure(part.config):
            return False
        self.parts[part.name] = part
        return True

    @inlineCallbacks
    def retire(self, names: Collection[str]) -> Generator[Deferred[Any], Any, None]:
        """Stop backends; each passes on what it has received."""
        leaving = [self.running[name] for name in names if name in self.running]
        yield self._stop(leaving, STOP_TIMEOUT)
        self._started = [backend for backend in self._started if backend not in leaving]

    def remove(self, names: Collection[str]) -> None:
        """Remove backends. Until then consumers may publish to them: the messages wait."""
        for name in names:
            self._keep_counts(name)
            del self.running[name], self.parts[name]

    def pause_told_after_work(self) -> bool:
        """Pause the backends that are told after the work, as the hub stops: they stay connected until the workers have
        ended. :returns: whether there are any."""
        told = [backend for backend in self._started if self._confirmations.concerns(backend)]
        self._pause(told)
        return bool(told)

    def _pause(self, backends: Sequence[Backend]) -> None:
        """Pause backends until they stop."""
        self._flow.stopping.update(backends)
        for backend in backends:
            try:
                backend.pause()
            except Exception as error:  # noqa: BLE001 - a plugin's code: the others are waited for all the same
                self._log.error("a backend could not be paused", exc_info=error, extra={"action": "stop"})

    @inlineCallbacks
    def stop(self, timeout: float) -> Generator[Deferred[Any], Any, None]:
        """Stop all backends, in parallel: they pass on what they have received, and close. Late ones are abandoned."""
        yield self._stop(self._started, timeout)

    @inlineCallbacks
    def _stop(self, leaving: Sequence[Backend], timeout: float) -> Generator[Deferred[Any], Any, None]:
        yield self._have_confirmed(leaving, timeout)
        finished = yield within(self._reactor, stop_all(leaving, "a backend", self._log), timeout)
        names = [name for name, backend in self.running.items() if backend in leaving and name in self._pipelines]
        checked = DeferredList([self._pipelines[name].idle() for name in names])
        finished = (yield within(self._reactor, checked, timeout)) and finished
        self._flow.stopping.difference_update(leaving)
        for backend in leaving:
            self._confirmations.close(backend)
            self._declared.end(backend)
        if not finished:
            self._log.error("a backend did not stop within %.0f s", timeout, extra={"action": "stop"})

    @inlineCallbacks
    def _have_confirmed(self, leaving: Sequence[Backend], timeout: float) -> Generator[Deferred[Any], Any, None]:
        """Wait until messages on their way to the disk are confirmed, while the connection is open; a bus would
        redeliver them otherwise. Messages that ``stop`` itself passes on are not confirmed, nor are unsettled ones to a
        bus that is told after the work."""
        confirming = [backend for backend in leaving if backend.confirms]
        self._pause(confirming)
        if confirming:
            stored: Deferred[None] = Deferred()
            self._enqueuer.when_stored(lambda: self._reactor.callFromThread(stored.callback, None))
            yield within(self._reactor, stored, timeout)

    def release(self, detach: Callable[[int], None]) -> None:
        """Release the parts' file descriptors in a forked child."""
        release_all(list(self.running.values()), detach)

    def status(self) -> dict[str, Any]:
        """The status row of each backend, with the counts of its former instances, and with its number of refused
        messages, which survives a restart of the hub."""
        totals = self._enqueuer.refused.totals()
        rows = {
            name: {**self._former.added(name, status_of(self.parts[name], backend)), "refused": totals.get(name, 0)}
            for name, backend in self.running.items()
        }
        for name, backend in self.running.items():
            if self._confirmations.concerns(backend):
                rows[name]["unconfirmed"] = self._confirmations.count(backend)
        for name in rows.keys() & self._pipelines:
            rows[name]["checks"] = self._pipelines[name].status()
        return rows
