"""The hub as a whole: builds its parts, starts them, stops them, reloads them. In the reactor's thread, all of it."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Generator
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock, inlineCallbacks
from twisted.internet.task import LoopingCall, cooperate

from hub import __version__
from hub.changes import Changes
from hub.configuration.schema import Configuration, Part
from hub.consumer import Consumer
from hub.control import ControlSocket
from hub.duplicates import Duplicates
from hub.enqueuer import Enqueuer
from hub.errors import ConfigError, HubError
from hub.exports import ExportThread
from hub.fleet import Fleet
from hub.interfaces import Clock, ExporterContext
from hub.logs import set_level
from hub.partlog import part_log
from hub.patience import wait_for
from hub.publisher import Publisher
from hub.roster import Roster
from hub.router import Router
from hub.statelock import StateLock
from hub.status import consumer_status, process_status, stored_status
from hub.steering import ReplayOrder, Steering
from hub.store import Store
from hub.storekeeper import Storekeeper, durable_store
from hub.supervisor import PERIOD, Supervisor
from hub.systemd import Notifier
from hub.worker import Surroundings

SAMPLE_EVERY = 1.0
DRAIN_TIMEOUT = 5.0
"""Seconds for the backends to hand over what they hold."""


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
        self._monotonic, self._wall = monotonic, wall
        self._began = monotonic()
        self._lock = StateLock(configuration.state_dir)
        self.store: Store = durable_store(configuration)
        window = configuration.hub.deduplicate
        duplicates = Duplicates(window, monotonic) if window else None
        self.enqueuer = Enqueuer(Router([]), self.store, wall, self._hold_back, duplicates, reactor.callFromThread)
        self.fleet = Fleet(configuration.backends, reactor, self.enqueuer, wall)
        self.publisher = Publisher(self.fleet.backends, reactor.callFromThread, wall)
        self.keeper = Storekeeper(self.store, reactor, self.publisher, self.fleet.hold_back, self._let_go, on_fatal)
        self.roster = self._make_roster(Surroundings(monotonic, wall, uniform))
        self.steering = Steering(self.roster, self.enqueuer, self.store, wall)
        self.supervisor = Supervisor(self.roster.crews, monotonic, self._notifier.watchdog)
        self.exports: dict[str, ExportThread] = {}
        self._control = ControlSocket(self, configuration.control_socket, int(configuration.hub.control_mode, 8))
        self._loops: list[LoopingCall] = []
        self._reloads = DeferredLock()

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
        """Fires when every consumer's ``start`` has returned and every backend receives.

        :raises ConfigError: a part can't be made, or the control socket is another hub's.
        :raises HubError: a backend can't start (an address in use).
        """
        consumers = {name: self.roster.make(part) for name, part in self.configuration.consumers.items()}
        self._control.listen()
        for name, part in self.configuration.consumers.items():
            self._hire(part, consumers[name])
        self.reroute()
        self._start_exporters()
        self._loop(self._sample, SAMPLE_EVERY)
        self._loop(self.supervisor.round, PERIOD)
        yield self.fleet.start()
        self.keeper.open_outbox()
        yield wait_for(self.reactor, self._all_started, None)
        if self.state == "starting":
            self.state = "running"
            self._notifier.ready()
            names = ", ".join(self.roster.members) or "none"
            self.log.info("hubbub %s is ready, consumers: %s", __version__, names, extra={"action": "ready"})

    def _hire(self, part: Part, consumer: Consumer) -> None:
        self.roster.hire(part, consumer)
        begin = part.settings.begin
        if begin and self.roster.members[part.name].queue.next_position == 0:
            now = self._wall()
            cooperate(self.steering.replay(ReplayOrder(part.name, now - begin, now)))

    def reroute(self) -> None:
        """Route, and subscribe to, what the consumers want now."""
        self.enqueuer.router = self.roster.router()
        self.fleet.subscribe(self.roster.patterns())

    def _all_started(self) -> bool:
        return self.state != "starting" or all(crew.started.is_set() for crew in self.roster.crews())

    def _start_exporters(self) -> None:
        for name, part in self.configuration.exporters.items():
            log = part_log("exporter", name)
            context = ExporterContext(name, part.config, part.settings.interval, log)
            try:
                thread = ExportThread(name, lambda cls=part.plugin.cls, c=context: cls(c), log)  # type: ignore[misc]
            except HubError as error:
                raise ConfigError([f"exporters.{name}: {error}"]) from error
            self.exports[name] = thread
            self._loop(lambda thread=thread: thread.offer(self.snapshot()), part.settings.interval)  # type: ignore[misc]

    def _loop(self, call: Callable[[], object], every: float) -> None:
        def guarded() -> None:
            try:
                call()
            except Exception as error:
                self.log.error("the hub itself failed", exc_info=error, extra={"action": "bug"})

        loop = LoopingCall(guarded)
        loop.clock = self.reactor
        loop.start(every, now=False)
        self._loops.append(loop)

    # -- stop

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Backends hand over what they hold, workers finish what is in hand; fires when it is over, in time."""
        if self.state in ("stopping", "stopped"):
            return
        self.state = "stopping"
        self._notifier.stopping()
        self.keeper.close_outbox()
        timeout = self.configuration.hub.stop_timeout
        self.log.info("stopping, within %.0f s", timeout, extra={"action": "stop"})
        yield self.fleet.stop(DRAIN_TIMEOUT)
        for name in self.roster.members:
            self.roster.stop(name)
        gone = yield wait_for(self.reactor, lambda: not self.roster.leaving or not self._still_leaving(), timeout)
        self._sample()
        if not gone:
            self._name_the_late()
        self._tell_what_is_left()
        yield self._stop_exporters()
        for loop in self._loops:
            loop.stop()
        yield self._control.close()
        self.keeper.close()
        self._lock.release()
        self.state = "stopped"

    def _still_leaving(self) -> bool:
        return any(not crew.gone.is_set() for crew in self.roster.leaving)

    def _name_the_late(self) -> None:
        for crew in self.roster.leaving:
            if not crew.gone.is_set():
                self.log.error(
                    "consumer %s did not finish its message in time", crew.queue.name, extra={"action": "stop"}
                )

    def _tell_what_is_left(self) -> None:
        for name, member in [*self.roster.members.items(), *self.roster.orphans.items()]:
            counts = member.queue.stats().counters
            self.log.log(
                logging.WARNING if counts.backlog else logging.INFO,
                "consumer %s: received %d, finished %d, dead %d, dropped %d, left %d",
                *(name, counts.received, counts.finished, counts.dead, counts.dropped, counts.backlog),
                extra={"action": "stop", "consumer": name},
            )

    def _stop_exporters(self) -> Deferred[bool]:
        for thread in self.exports.values():
            thread.offer(self.snapshot())
            thread.close()
        return wait_for(self.reactor, lambda: all(thread.gone for thread in self.exports.values()), 2.0)

    # -- reload

    def reload(self) -> Deferred[list[str]]:
        """Read the configuration anew and apply what changed; one at a time, in the order asked for.

        :returns: fires with a line for each change. Fails with ``ConfigError``: nothing was changed.
        """
        return self._reloads.run(self._reload)

    @inlineCallbacks
    def _reload(self) -> Generator[Deferred[Any], Any, list[str]]:
        """All that can fail comes first: the file is checked, and every new consumer made, before one is stopped."""
        if self.state != "running":
            raise ConfigError([f"the hub is {self.state}: it can't be reloaded now"])
        new = self.load()
        changes = Changes.between(self.configuration, new)
        consumers = {name: self.roster.make(new.consumers[name]) for name in changes.changed}
        self.state = "reloading"
        self._notifier.reloading()
        leaving = [
            self.roster.stop(name) for name in (*changes.changed, *changes.removed) if name in self.roster.members
        ]
        yield wait_for(self.reactor, lambda: all(crew.gone.is_set() for crew in leaving), new.hub.stop_timeout)
        if self.state == "reloading":
            for name in changes.removed:
                self.roster.dismiss(name)
            for name, consumer in consumers.items():
                self._hire(new.consumers[name], consumer)
            self.configuration = new
            self.reroute()
            self._let_go()
            set_level(new.hub.log_level)
            self.state = "running"
            self._notifier.ready()
        for line in changes.lines:
            self.log.info("reload: %s", line, extra={"action": "reload"})
        return changes.lines

    # -- while it runs

    def snapshot(self) -> dict[str, Any]:
        """The status of everything; see :mod:`hub.status`."""
        members = [(member, False) for member in self.roster.members.values()]
        members += [(member, True) for member in self.roster.orphans.values()]
        consumers = {
            member.part.name: consumer_status(member, self.supervisor, self._wall, orphan) for member, orphan in members
        }
        for name in self.steering.orphans():
            if name not in consumers:
                consumers[name] = stored_status(
                    self.store.stats(name), self.store.lost_dead_letters(name), self._wall()
                )
        counters, duplicates = self.enqueuer.counters, self.enqueuer.duplicates
        hub = {
            "name": "hubbub",
            "version": __version__,
            "state": self.state,
            "uptime": self._monotonic() - self._began,
            "time": self._wall(),
            "config": str(self.configuration.file) if self.configuration.file else None,
            **process_status(),
            "received": counters.received,
            "received_bytes": counters.received_bytes,
            "unrouted": counters.unrouted,
            "refused": counters.refused,
            "duplicates": duplicates.duplicates if duplicates else 0,
            "collisions": duplicates.collisions if duplicates else 0,
            "published": self.publisher.counters.published,
            "publish_failed": self.publisher.counters.failed,
            "backlog": sum(consumer["backlog"] for consumer in consumers.values()),
            "held_back": self.fleet.held_back,
            "held_back_by": self.fleet.held_back_by or None,
            "store": self.store.status(),
        }
        exporters = {name: thread.status() for name, thread in self.exports.items()}
        return {"hub": hub, "backends": self.fleet.status(), "consumers": consumers, "exporters": exporters}

    def _sample(self) -> None:
        now = self._monotonic()
        backlog = 0
        for member in [*self.roster.members.values(), *self.roster.orphans.values()]:
            counters = member.queue.stats().counters
            member.rates.sample(now, counters.received, counters.settled)
            backlog += counters.backlog
            member.queue.expire()
        self.keeper.squeeze(self.configuration.hub.max_disk, self.roster.squeeze)
        self._notifier.status(f"{self.state}, backlog {backlog}, received {self.enqueuer.counters.received}")

    def _hold_back(self) -> None:
        self.fleet.hold_back("a queue is full")

    def _made_room(self) -> None:
        self.reactor.callFromThread(self._let_go)

    def _let_go(self) -> None:
        if not self.roster.full() and not self.keeper.full:
            self.fleet.let_go()
