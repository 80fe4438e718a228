"""The service: builds, starts, reloads and stops the parts of the hub."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock, inlineCallbacks

from hub import __version__
from hub.configuration.schema import Configuration
from hub.configuration.section import Phase
from hub.control.audit import AUDIT_FILE, Audit
from hub.control.backfill import Backfills
from hub.control.holds import HOLDS_FILE, Holds
from hub.control.socket import ControlSocket
from hub.duplicates import Duplicates
from hub.enqueuer import Enqueuer
from hub.errors import ConfigError
from hub.http.mounts import PluginMounts
from hub.http.verb import Verb
from hub.interfaces import Clock
from hub.logs.logs import flush, set_levels
from hub.memory import Memory
from hub.partlog import part_log
from hub.parts.backends import Backends
from hub.parts.changes import Changes, Outcome, forget_modules, in_force, read_anew
from hub.parts.consumers import QUEUES, Consumers
from hub.parts.declared import DeclaredQueues
from hub.parts.departure import tell_the_end
from hub.parts.flow_control import FlowControl
from hub.parts.parts import Parts, Prepared
from hub.parts.queues import Queues
from hub.parts.resources import Resources
from hub.parts.waiting import within
from hub.periodic import Periodic
from hub.publisher import Publisher
from hub.resident import Resident
from hub.router import Router
from hub.snapshot import RUNS, hub_status
from hub.statelock import StateLock
from hub.stats.lag import Lag
from hub.status.document import HubStatus
from hub.status.states import HubState
from hub.store import Store
from hub.stores import Stores, durable_store
from hub.systemd import Notifier
from hub.workers.callback_event import CallbackEvent
from hub.workers.runtime import Runtime
from hub.workers.supervisor import PERIOD, Supervisor

SAMPLE_EVERY = 1.0
LIMIT_EVERY = 60.0
"""Seconds between two checks of the limits of dead letters."""
START_TIMEOUT = 60.0
"""Seconds for the consumers to start. One that takes longer, or can't, must not hold up the others: systemd would end a
hub that never reports ready, again and again."""
TRY_TIMEOUT = 5.0
"""Seconds that a reload waits for the ``start`` of its consumers, to report those that fail."""
DRAIN_TIMEOUT = 5.0
"""Seconds for the backends to pass on received messages, as the hub stops."""
END_TIMEOUT = 2.0
"""Seconds for each further phase to end: exporters send the last numbers, servers disconnect."""


class Service:
    """A hub with all its parts. Belongs to the reactor's thread.

    :param load: reads the configuration anew, for a reload.
    :param on_fatal: called with the reason when the disk can't be trusted any more: the hub must end immediately.
    :ivar state: ``starting``, ``running``, ``reloading``, ``stopping`` or ``stopped``.
    """

    def __init__(
        self,
        configuration: Configuration,
        reactor: Any,
        notifier: Notifier,
        load: Callable[[], Configuration],
        monotonic: Clock = time.monotonic,
        wall: Clock = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
        on_fatal: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self.configuration = configuration
        self.reactor = reactor
        self.state: HubState = "starting"
        self.load = load
        self.log = part_log("hub", "service")
        self._notifier = notifier
        self._periodic = Periodic(reactor, self.log)
        self._monotonic, self.wall = monotonic, wall
        self._began = monotonic()
        state_dir = configuration.state_dir
        self.lock = StateLock(state_dir)
        self.store: Store = durable_store(configuration)
        self.flow = FlowControl()
        self.enqueuer = self._make_enqueuer()
        self.publisher = Publisher(self.flow.backends, reactor, self.store, wall, uniform)
        self.stores = Stores(self.store, reactor, self.publisher, *self.flow.source("disk"), on_fatal)
        self.audit = Audit(state_dir / AUDIT_FILE, wall)
        self.holds = Holds(state_dir / HOLDS_FILE, wall, configuration.of("consumers"))
        self.queues = Queues(self.store, self.holds)
        self.mounts = PluginMounts()
        self.declared = self._make_declared(runtime := Runtime(monotonic, wall, uniform, self.publisher.tracing))
        self.parts = self._make_parts(runtime)
        self.consumers, self.backends = self.parts.manager(Consumers), self.parts.manager(Backends)
        self.supervisor = Supervisor(self.consumers.crews, monotonic, notifier.watchdog)
        self.lag, self.memory = Lag(PERIOD), Memory(Resident())
        self._backfills = Backfills(self, self.store, lambda: self.state in ("starting", *RUNS), wall)
        self._control = ControlSocket(self, configuration.control_socket, int(configuration.hub.control_mode, 8))
        self._applying: Deferred[None] | None = None
        self._reloads, self._stop_asked = DeferredLock(), CallbackEvent()

    def _make_enqueuer(self) -> Enqueuer:
        window = self.configuration.hub.deduplicate
        duplicates = Duplicates(window, self._monotonic) if window else None
        hold_back = partial(self.flow.hold, QUEUES, "a queue is full")
        return Enqueuer(Router([]), self.store, self.wall, hold_back, duplicates, self.reactor.callFromThread)

    def _make_declared(self, runtime: Runtime) -> DeclaredQueues:
        release, stores = partial(self.flow.release, QUEUES), (self.store, self.stores.memory)
        return DeclaredQueues(
            self.queues, self.enqueuer, self.reactor, runtime, *stores, release, self.flow.backends.keys()
        )

    def _make_parts(self, runtime: Runtime) -> Parts:
        rooms = (self.stores, self.enqueuer, self.publisher, self.flow, self.queues, self.declared)
        calls = (self._periodic, self.snapshot, self._verbs, self.audit)
        resources = Resources(self.reactor, runtime, self.configuration.state_dir, *rooms, *calls)
        return Parts.of(replace(resources, mounts=self.mounts))

    def _verbs(self) -> Sequence[Verb]:
        from hub.control.verbs import verbs_of  # only the control socket and web servers need them, once they are asked

        return verbs_of(self)

    # -- start

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Start all parts. Fires when every backend receives, and every consumer has started, has failed to, or takes
        too long.

        :raises ConfigError: a part can't be made, or the control socket is another hub's.
        :raises HubError: a backend can't start (an address in use).
        """
        configuration = self.configuration
        self.declared.reopen()
        prepared = self.parts.prepare({name: parts.values() for name, parts in configuration.parts.items()})
        self.parts.announce(configuration, prepared)
        self._control.listen()
        self.flow.draining = self.holds.hub_draining
        for phase in Phase:
            for problem in (yield self.parts.start(phase, configuration, prepared)):
                self.log.warning("%s", problem, extra={"action": "start"})
            if phase is Phase.WORKERS:
                self._consumers_started(prepared, configuration.hub.max_disk)
                self._begin_periodic()
        self.publisher.open()
        yield within(self.reactor, self.parts.tried(prepared), START_TIMEOUT, stop=self._stop_asked)
        if self.state == "starting":
            self.state = "running"
            self.memory.begin(self.queues.active.values(), self.store.status())
            self._notifier.ready()
            self._tell_ready()

    def _consumers_started(self, prepared: Prepared, max_disk: int | None) -> None:
        """Begin the backfills of new consumers, then route to them, before any message arrives."""
        for name in prepared["consumers"]:
            if name in self.consumers.members:
                self._backfills.started(self.consumers.parts[name])
        self.queues.limit_letters(max_disk)
        self.stores.squeeze(max_disk, self.queues.over_quota)
        self.reroute()

    def reroute(self) -> None:
        """Update routes and subscriptions to the consumers' current patterns."""
        self.consumers.reroute(self.enqueuer.router)
        self.backends.subscribe(self.consumers.patterns())

    def _begin_periodic(self) -> None:
        self._periodic.begin(self._sample, SAMPLE_EVERY)
        self._periodic.begin(flush, SAMPLE_EVERY)
        self._periodic.begin(self._limit_letters, LIMIT_EVERY)
        self._periodic.begin(self.audit.flush, SAMPLE_EVERY)
        self._periodic.begin(self._look_after, PERIOD)

    def _tell_ready(self) -> None:
        names = ", ".join(self.consumers.parts) or "none"
        self.log.info("hubbub %s is ready, consumers: %s", __version__, names, extra={"action": "ready"})
        for name in self.consumers.parts:
            if not self.queues.consumer(name).crew.started.is_set():
                self.log.warning("consumer %s has not started yet", name, extra={"action": "ready"})

    # -- stop

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Stop all parts: backends pass on received messages, workers finish those in hand. Fires in bounded time."""
        if self.state in ("stopping", "stopped"):
            return
        self.state = "stopping"
        self._stop_asked.set()
        self._notifier.stopping()
        if self._applying is not None:
            yield within(self.reactor, self._applying, DRAIN_TIMEOUT)
        timeout = self.configuration.hub.stop_timeout
        self.log.info("stopping, within %.0f s", timeout, extra={"action": "stop"})
        phases = [*reversed(Phase)]
        if self.backends.pause_told_after_work():  # they stay connected: their buses are told of what is finished now
            phases.remove(Phase.WORKERS)
            phases.insert(0, Phase.WORKERS)
        for phase in phases:
            if phase is Phase.SOURCES:
                yield self.publisher.finish(DRAIN_TIMEOUT)
            if phase is Phase.OBSERVERS:
                self._sample()
                tell_the_end(self.consumers, self.log)
            yield self.parts.stop(phase, {Phase.SOURCES: DRAIN_TIMEOUT, Phase.WORKERS: timeout}.get(phase, END_TIMEOUT))
        self._periodic.stop()
        yield self._control.close()
        self.stores.close()
        self.lock.release()
        self.audit.flush(final=True)
        self.state = "stopped"

    # -- reload

    def reload(self) -> Deferred[Outcome]:
        """Read the configuration anew and apply what changed. Reloads run one at a time, in order.

        :returns: fires when it is done. Fails with ``ConfigError``: nothing was changed.
        """
        return self._reloads.run(self._reload)

    @inlineCallbacks
    def _reload(self) -> Generator[Deferred[Any], Any, Outcome]:
        try:
            return (yield from self._read_and_apply())
        finally:
            forget_modules(self.parts.in_force())

    def _read_and_apply(self) -> Generator[Deferred[Any], Any, Outcome]:
        """Check the file and make every new part, which may fail, before any part is stopped."""
        if self.state != "running":
            raise ConfigError([f"the hub is {self.state}: it can't be reloaded now"])
        new = read_anew(self.load, self.configuration)
        old, changes = self.configuration, Changes.between(self.configuration, new)
        prepared = self.parts.prepare(changes.wanted(new))
        self.state = "reloading"
        self._notifier.reloading()
        yield self.parts.hand_over(changes, new.hub.stop_timeout)
        problems: list[str] = []
        if self.state == "reloading":
            applying = self._applying = Deferred()
            try:
                problems = yield from self._apply(new, changes, prepared)
            finally:
                self.configuration = in_force(old, new, self.parts.in_force())
                if self.state == "reloading":
                    self.state = "running"
                    self._notifier.ready()
                self._applying = None
                applying.callback(None)
        yield within(self.reactor, self.parts.tried(prepared), TRY_TIMEOUT, stop=self._stop_asked)
        problems += self.parts.failing(prepared)
        outcome = Outcome(replace(Changes.between(old, self.configuration), hub=changes.hub).lines, problems)
        for line in outcome.changes:
            self.log.info("reload: %s", line, extra={"action": "reload"})
        for line in problems:
            self.log.error("reload: %s", line, extra={"action": "reload"})
        return outcome

    def _apply(
        self, new: Configuration, changes: Changes, prepared: Prepared
    ) -> Generator[Deferred[Any], Any, list[str]]:
        problems: list[str] = []
        set_levels(new.hub.log_level, new.hub.log_levels)
        try:
            for phase in Phase:
                if phase is Phase.SOURCES:
                    yield self.publisher.hold(changes.of("backends").names, DRAIN_TIMEOUT)
                problems += yield self.parts.apply(phase, new, changes, prepared)
                if phase is Phase.WORKERS:
                    self._consumers_started(prepared, new.hub.max_disk)
                    self.consumers.tell_room()
        finally:
            if self.state == "reloading":
                self.publisher.open()
        self.consumers.update_overflow()
        return problems

    # -- while it runs

    def snapshot(self) -> HubStatus:
        """Make the status document; see :mod:`hub.status.document`."""
        return hub_status(self, self.wall(), self._monotonic() - self._began)

    def _limit_letters(self) -> None:
        self.queues.limit_letters(self.configuration.hub.max_disk)

    def _look_after(self) -> None:
        self.lag.called(self._monotonic())
        self.supervisor.round()

    def _sample(self) -> None:
        now = self._monotonic()
        backlog = self.queues.sample(now)
        for name in self.holds.end_pauses(self.queues.active):
            self.log.info("consumer %s is resumed: its pause is over", name, extra={"action": "resume"})
        self.stores.squeeze(self.configuration.hub.max_disk, self.queues.over_quota)
        self._notifier.status(f"{self.state}, backlog {backlog}, received {self.enqueuer.counters.received}")
