"""The manager of a hub's views of clusters."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.task import LoopingCall

from hub.cluster_access import CHECK_EVERY, ClusterContext, ClusterView
from hub.configuration.schema import Part
from hub.errors import ConfigError, HubError, Unavailable
from hub.failure import told
from hub.interfaces import Broadcasting
from hub.message import NO_HEADERS, Message
from hub.partlog import part_log
from hub.parts.former_counts import FormerCounts
from hub.parts.manager import Manager, status_of
from hub.parts.resources import Resources
from hub.parts.waiting import within

LEAVE_TIMEOUT = 1.0
"""Seconds for the bus to take the last announcement."""


def random_start() -> str:
    """A random number of 128 bits, in hexadecimal digits."""
    return secrets.token_hex(16)


class Clusters(Manager[ClusterView]):
    """Runs the views of clusters; see :class:`hub.parts.manager.Manager`.

    :param hub: the resources. :param token: makes the random number of a start, of 32 hexadecimal digits.
    """

    def __init__(self, hub: Resources, token: Callable[[], str] = random_start) -> None:
        super().__init__()
        self.running: dict[str, ClusterView] = {}
        self._hub = hub
        self._token = token
        self._loops: dict[str, list[LoopingCall]] = {}
        self._topics: dict[str, str] = {}
        self._prepared: WeakKeyDictionary[ClusterView, str] = WeakKeyDictionary()
        self._starts: dict[str, str] = {}
        self._former = FormerCounts("clusters")
        self._log = part_log("hub", "clusters")

    @classmethod
    def of(cls, hub: Resources) -> Clusters:
        """Make the manager for a hub."""
        return cls(hub)

    def prepare(self, part: Part) -> ClusterView:
        """Make the instance of a part."""
        hub, name = self._hub, part.config.backend
        clocks = (hub.runtime.monotonic, hub.runtime.wall)
        start = self._token()
        context = ClusterContext(
            part.name,
            part.config,
            part_log("cluster", part.name),
            *clocks,
            start,
            hub.state_dir,
            hub.snapshot,
            lambda: frozenset(hub.queues.jobs),
            partial(self._send, name),
            partial(self._deaf, name),
            partial(self._echoes, name),
            self._starts.get(part.name),
        )
        view: ClusterView = part.plugin.make(f"clusters.{part.name}", context)
        self._prepared[view] = start
        return view

    def announce(self, prepared: Mapping[str, tuple[Part, ClusterView]]) -> None:
        """Reserve the topics before any message arrives."""
        for _, view in prepared.values():
            self._hub.enqueuer.reserved[view.topic] = view.hear

    def start(self, part: Part, prepared: ClusterView) -> None:
        """Start a prepared part: it hears others, and announces this hub."""
        start = self._prepared.pop(prepared)
        try:
            prepared.start()
        except ConfigError as error:
            raise ConfigError([f"clusters.{part.name}: {problem}" for problem in error.problems]) from error
        except HubError as error:
            raise HubError(f"clusters.{part.name}: {error}") from error
        hub = self._hub
        taken = [name for name, view in self.running.items() if view.topic == prepared.topic]
        if taken:
            raise HubError(f"clusters.{part.name}: the topic {prepared.topic} is that of clusters.{taken[0]} already")
        self._release_topic(part.name)
        self._topics[part.name] = prepared.topic
        hub.enqueuer.reserved[prepared.topic] = prepared.hear
        hub.enqueuer.subscriptions.follow([prepared.topic], [])
        self.running[part.name], self.parts[part.name] = prepared, part
        self._starts[part.name] = start
        calls = [(prepared.announce, prepared.interval), (prepared.check, CHECK_EVERY)]
        self._loops[part.name] = [hub.periodic.begin(call, every) for call, every in calls]
        prepared.check()
        prepared.announce()

    def retire(self, names: Collection[str]) -> Deferred[Any]:
        """Leave clusters: the others are told."""
        return self._leave([name for name in names if name in self.running], LEAVE_TIMEOUT, stops=False)

    def remove(self, names: Collection[str]) -> None:
        """Remove parts that were retired and have no successors: their topics are ordinary ones again."""
        for name in names:
            self._release_topic(name)
            self._starts.pop(name, None)

    def _release_topic(self, name: str) -> None:
        topic, reserved = self._topics.pop(name, ""), self._hub.enqueuer.reserved
        if reserved.get(topic) is _ignore:  # else another part has it by now: a reload may exchange topics
            del reserved[topic]

    def stop(self, timeout: float) -> Deferred[Any]:
        """Leave all clusters, as the hub stops."""
        return self._leave(list(self.running), min(timeout, LEAVE_TIMEOUT), stops=True)

    def _leave(self, names: Collection[str], timeout: float, stops: bool) -> Deferred[Any]:
        leaving = []
        for name in names:
            view, part = self.running.pop(name), self.parts.pop(name)
            for loop in self._loops.pop(name):
                if loop.running:
                    loop.stop()
            leaving.append(maybeDeferred(view.leave, stops))
            self._former.keep(name, status_of(part, view))
            self._hub.enqueuer.subscriptions.follow([], [view.topic])
            self._hub.enqueuer.reserved[view.topic] = _ignore  # still no queue's, until a successor begins
        return within(self._hub.reactor, DeferredList(leaving, consumeErrors=True), timeout)

    def status(self) -> dict[str, Any]:
        """Status rows of the running parts."""
        rows = {name: status_of(self.parts[name], view) for name, view in self.running.items()}
        return {name: self._former.added(name, row) for name, row in rows.items()}

    # -- the bus

    def _send(self, name: str, topic: str, body: bytes) -> Deferred[None] | None:
        backend = self._hub.flow.backends.get(name)
        if backend is None:
            raise Unavailable(f"no backend is called {name!r}")
        message: Message = self._hub.publisher.message(topic, body, NO_HEADERS)
        try:
            return backend.publish(message)
        except HubError:
            raise
        except Exception as error:
            raise Unavailable(f"backend {name!r} fails: {told(error)}") from error  # a plugin's code

    def _deaf(self, name: str) -> str | None:
        """Why the bus gives this hub no messages. A bus without a broker can't tell: there, a peer that is away is a
        node that is."""
        backend = self._hub.flow.backends.get(name)
        if backend is None:
            return f"no backend is called {name!r}"
        if self._hub.flow.paused:
            return "this hub holds its buses back"
        try:
            why = backend.status().get("not_ready")
        except Exception as error:  # noqa: BLE001 - a plugin's code
            return f"backend {name!r} fails: {told(error)}"
        return None if why is None else str(why)

    def _echoes(self, name: str) -> bool:
        """True if the backend knows that what it publishes reaches every hub that listens: this one, too."""
        return isinstance(self._hub.flow.backends.get(name), Broadcasting)


def _ignore(messages: Sequence[Message]) -> None:
    """Take in messages, and do nothing with them."""
