"""The hub as a whole: builds its parts, starts them, stops them, reloads them. In the reactor's thread, all of it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock, inlineCallbacks

from hub import __version__
from hub.configuration.schema import Configuration, Part
from hub.consumer import Consumer
from hub.control.api import Api
from hub.control.audit import AUDIT_FILE, Audit
from hub.control.beginning import Beginnings
from hub.control.socket import ControlSocket
from hub.control.standing import STANDING_FILE, StandingOrders
from hub.control.steering import Steering
from hub.duplicates import Duplicates
from hub.enqueuer import Enqueuer
from hub.errors import ConfigError
from hub.interfaces import Clock, ServerContext
from hub.logs.logs import flush, lost, set_levels
from hub.memory import Memory
from hub.partlog import part_log
from hub.parts.changes import Changes, Outcome, forget_modules, in_force, read_anew
from hub.parts.departure import tell_the_end
from hub.parts.exports import EXPORT_TIMEOUT, Exports
from hub.parts.fleet import Fleet
from hub.parts.made import Made
from hub.parts.patience import wait_for
from hub.parts.roster import Roster
from hub.parts.running import DRAIN_TIMEOUT, Running, hand_over
from hub.parts.servers import Servers
from hub.publisher import Publisher
from hub.resident import Resident
from hub.rounds import Rounds
from hub.router import Router
from hub.statelock import StateLock
from hub.stats.headline import headline
from hub.stats.lag import Lag
from hub.status import RUNS, consumers_status, intake_status, not_ready, pinned_by
from hub.store import Store
from hub.storekeeper import Storekeeper, durable_store
from hub.systemd import Notifier
from hub.workers.supervisor import PERIOD, Supervisor
from hub.workers.worker import Surroundings

SAMPLE_EVERY = 1.0
LIMIT_EVERY = 60.0
"""Seconds between two looks at the ages of dead letters."""
START_TIMEOUT = 60.0
"""Seconds for the consumers to start. One that takes longer, or can't, must not keep the others from being of use: a
hub that never says that it is ready is ended by systemd, again and again."""


class Service:
    """See the module.

    :param load: reads the configuration anew, for a reload.
    :param on_fatal: called when the disk can't be trusted any more: the hub must end at once.
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
        self.state = "starting"
        self.load = load
        self.log = part_log("hub", "service")
        self._notifier = notifier
        self._rounds = Rounds(reactor, self.log)
        self._monotonic, self._wall = monotonic, wall
        self._began = monotonic()
        self.lock = StateLock(configuration.state_dir)
        self.store: Store = durable_store(configuration)
        self.enqueuer = self._make_enqueuer()
        self.fleet = Fleet(configuration.backends, reactor, self.enqueuer, wall)
        self.publisher = Publisher(self.fleet.backends, reactor.callFromThread, wall)
        self.keeper = Storekeeper(self.store, reactor, self.publisher, self.fleet.hold_back, self._let_go, on_fatal)
        self.roster = self._make_roster(Surroundings(monotonic, wall, uniform, self.publisher.tracing))
        self.supervisor = Supervisor(self.roster.crews, monotonic, self._notifier.watchdog)
        self.lag, self.memory = Lag(PERIOD), Memory(Resident())
        standing = StandingOrders(configuration.state_dir / STANDING_FILE, configuration.consumers)
        parts = (self.roster, self.fleet, self.enqueuer, self.store, self.supervisor, standing, wall)
        self.steering = Steering(*parts)
        self._beginnings = Beginnings(self, self.store, lambda: self.state in ("starting", *RUNS), wall)
        self.audit = Audit(configuration.state_dir / AUDIT_FILE, wall)
        self.exports = Exports(self.snapshot, self._rounds.begin, self.publisher.tracing)
        self.servers = Servers(reactor, self._server_context)
        self._running = Running(self.roster, self.fleet, self.exports, self.servers, self._hire)
        self._control = ControlSocket(self, configuration.control_socket, int(configuration.hub.control_mode, 8))
        self._reloads = DeferredLock()
        self._applying = False

    def _make_enqueuer(self) -> Enqueuer:
        window = self.configuration.hub.deduplicate
        duplicates = Duplicates(window, self._monotonic) if window else None
        in_reactor = self.reactor.callFromThread
        return Enqueuer(Router([]), self.store, self._wall, self._hold_back, duplicates, in_reactor)

    def _make_roster(self, surroundings: Surroundings) -> Roster:
        return Roster(
            surroundings,
            self.store,
            self.keeper.memory,
            self.publisher.publish,
            self.configuration.state_dir,
            self._made_room,
            self.fleet.holds_back,
        )

    # -- start

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Fires when every backend receives, and every consumer has started, or has failed to, or takes too long.

        :raises ConfigError: a part can't be made, or the control socket is another hub's.
        :raises HubError: a backend can't start (an address in use).
        """
        configuration = self.configuration
        consumers = {name: self.roster.make(part) for name, part in configuration.consumers.items()}
        exporters = {name: self.exports.make(part) for name, part in configuration.exporters.items()}
        servers = {name: self.servers.make(part) for name, part in configuration.servers.items()}
        self._control.listen()
        for name, exporter in exporters.items():
            self.exports.start(configuration.exporters[name], exporter)
        for name, part in configuration.consumers.items():
            self._hire(part, consumers[name])
        self.reroute()
        self._rounds.begin(self._sample, SAMPLE_EVERY)
        self._rounds.begin(flush, SAMPLE_EVERY)
        self._limit_letters()
        self._rounds.begin(self._limit_letters, LIMIT_EVERY)
        self._rounds.begin(self.audit.flush, SAMPLE_EVERY)
        self._rounds.begin(self._look_after, PERIOD)
        for name, server in servers.items():
            yield self.servers.start(configuration.servers[name], server)
        self.fleet.draining = self.steering.standing.hub_draining
        yield self.fleet.start()
        self.keeper.open_outbox()
        yield wait_for(self.reactor, self._all_tried, START_TIMEOUT)
        if self.state == "starting":
            self.state = "running"
            self.memory.begin(self.roster.members.values(), self.store.status())
            self._notifier.ready()
            names = ", ".join(self.roster.members) or "none"
            self.log.info("hubbub %s is ready, consumers: %s", __version__, names, extra={"action": "ready"})
            for name, member in self.roster.members.items():
                if not member.crew.started.is_set():
                    self.log.warning("consumer %s has not started yet", name, extra={"action": "ready"})

    def _hire(self, part: Part, consumer: Consumer) -> None:
        self.roster.hire(part, consumer)
        if self.state == "starting":
            for problem in self.roster.succession.take_problems():
                self.log.warning("%s", problem, extra={"action": "start"})
        self._beginnings.hired(part)

    def reroute(self) -> None:
        """Route, and subscribe to, what the consumers want now."""
        self.enqueuer.router = self.roster.router()
        self.fleet.subscribe(self.roster.patterns())

    def _all_tried(self) -> bool:
        return self.state != "starting" or all(crew.tried for crew in self.roster.crews())

    def _server_context(self, part: Part) -> ServerContext:
        log, directory = part_log("server", part.name), self.configuration.state_dir
        api = partial(Api, self)
        return ServerContext(
            part.name, part.config, self.reactor, log, self._wall, directory, self.snapshot, api, self.audit
        )

    # -- stop

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Backends hand over what they hold, workers finish what is in hand; fires when it is over, in time."""
        if self.state in ("stopping", "stopped"):
            return
        self.state = "stopping"
        self._notifier.stopping()
        yield wait_for(self.reactor, lambda: not self._applying, DRAIN_TIMEOUT)
        self.keeper.close_outbox()
        timeout = self.configuration.hub.stop_timeout
        self.log.info("stopping, within %.0f s", timeout, extra={"action": "stop"})
        yield self.fleet.stop(DRAIN_TIMEOUT)
        for name in self.roster.members:
            self.roster.stop(name)
        gone = yield wait_for(self.reactor, lambda: not self.roster.leaving or not self._still_leaving(), timeout)
        self._sample()
        tell_the_end(self.roster, self.log, gone)
        self.exports.stop(list(self.exports.threads))
        yield wait_for(self.reactor, lambda: self.exports.gone, EXPORT_TIMEOUT)
        self._rounds.stop()
        yield self.servers.stop(list(self.servers.servers))
        yield self._control.close()
        self.keeper.close()
        self.lock.release()
        self.audit.flush(final=True)
        self.state = "stopped"

    def _still_leaving(self) -> bool:
        return any(not crew.gone.is_set() for crew in self.roster.leaving)

    # -- reload

    def reload(self) -> Deferred[Outcome]:
        """Read the configuration anew and apply what changed; one at a time, in the order asked for.

        :returns: fires when it is over. Fails with ``ConfigError``: nothing was changed.
        """
        return self._reloads.run(self._reload)

    @inlineCallbacks
    def _reload(self) -> Generator[Deferred[Any], Any, Outcome]:
        try:
            return (yield from self._read_and_apply())
        finally:
            forget_modules(self._running.parts())

    def _read_and_apply(self) -> Generator[Deferred[Any], Any, Outcome]:
        """All that can fail comes first: the file is checked, and every new part made, before one is stopped."""
        if self.state != "running":
            raise ConfigError([f"the hub is {self.state}: it can't be reloaded now"])
        new = read_anew(self.load, self.configuration)
        old, changes = self.configuration, Changes.between(self.configuration, new)
        made = self._running.make(changes, new)
        self.state = "reloading"
        self._notifier.reloading()
        names = (*changes.consumers.changed, *changes.consumers.removed)
        leaving = [self.roster.stop(name) for name in names if name in self.roster.members]
        held_up = partial(self.supervisor.is_held_up, stopped=self._monotonic())
        yield hand_over(self.reactor, leaving, held_up, new.hub.stop_timeout)
        problems: list[str] = []
        try:
            if self.state == "reloading":
                self._applying = True
                problems += yield from self._apply(new, changes, made)
        finally:
            if self._applying:
                self.configuration = in_force(old, new, self._running.parts())
            self._applying = False
            if self.state == "reloading":
                self.state = "running"
                self._notifier.ready()
        problems += yield self._running.await_started(made, lambda: self.state != "running", self.reactor)
        outcome = Outcome(replace(Changes.between(old, self.configuration), hub=changes.hub).lines, problems)
        for line in outcome.changes:
            self.log.info("reload: %s", line, extra={"action": "reload"})
        for line in problems:
            self.log.error("reload: %s", line, extra={"action": "reload"})
        return outcome

    def _apply(self, new: Configuration, changes: Changes, made: Made) -> Generator[Deferred[Any], Any, list[str]]:
        problems = self._running.replace_consumers(new, made, changes)
        self.roster.limit_letters(new.hub.max_disk)
        self.reroute()
        self._let_go()
        set_levels(new.hub.log_level, new.hub.log_levels)
        self.keeper.hold_outbox()
        try:
            problems += yield self._running.replace_backends(new, made, changes)
        finally:
            if self.state == "reloading":
                self.keeper.open_outbox()
        return [*problems, *(yield self._running.replace_watchers(new, made, changes, self.reactor))]

    # -- while it runs

    def snapshot(self) -> dict[str, Any]:
        """The status of everything; see :mod:`hub.status`."""
        consumers = consumers_status(self.roster, self.supervisor, self.steering, self.store, self._wall)
        store = {**self.store.status(), "pinned_by": pinned_by(consumers), "squeezed": self.keeper.squeezed}
        reasons = list(not_ready(self.state, consumers, store, self.fleet.draining))
        hub = {
            "name": "hubbub",
            "version": __version__,
            "state": self.state,
            "ready": not reasons,
            "not_ready": reasons,
            "uptime": self._monotonic() - self._began,
            "time": self._wall(),
            "config": str(self.configuration.file) if self.configuration.file else None,
            "pid": os.getpid(),
            **self.memory.status(self.roster.members.values(), store),
            **intake_status(self.enqueuer),
            "published": self.publisher.counters.published,
            "publish_failed": self.publisher.counters.failed,
            "backlog": sum(consumer["backlog"] for consumer in consumers.values()),
            "headline": headline(consumers),
            "held_back": self.fleet.held_back,
            "held_back_by": self.fleet.held_back_by or None,
            "draining": self.fleet.draining,
            "lag": self.lag.worst,
            "log_lost": lost(),
            "store": store,
        }
        return {
            "hub": hub,
            "backends": self.fleet.status(),
            "consumers": consumers,
            "exporters": self.exports.status(),
            "servers": self.servers.status(),
        }

    def _limit_letters(self) -> None:
        self.roster.limit_letters(self.configuration.hub.max_disk)

    def _look_after(self) -> None:
        self.lag.called(self._monotonic())
        self.supervisor.round()

    def _sample(self) -> None:
        now = self._monotonic()
        backlog = 0
        for member in [*self.roster.members.values(), *self.roster.orphans.values()]:
            backlog += member.sample(now).counters.backlog
            member.queue.expire()
        for name in self.steering.end_pauses():
            self.log.info("consumer %s goes on: its pause is over", name, extra={"action": "resume"})
        self.keeper.squeeze(self.configuration.hub.max_disk, self.roster.squeeze)
        self._notifier.status(f"{self.state}, backlog {backlog}, received {self.enqueuer.counters.received}")

    def _hold_back(self) -> None:
        self.fleet.hold_back("a queue is full")

    def _made_room(self) -> None:
        self.reactor.callFromThread(self._let_go)

    def _let_go(self) -> None:
        if not self.roster.full() and not self.keeper.full:
            self.fleet.let_go()
