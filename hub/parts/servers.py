"""The manager of a hub's servers, such as the web page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks, maybeDeferred

from hub.configuration.schema import Part
from hub.errors import HubError
from hub.interfaces import Server, ServerContext
from hub.partlog import part_log
from hub.parts.former_counts import FormerCounts
from hub.parts.manager import Manager, release_all, status_of, stop_all
from hub.parts.resources import Resources
from hub.parts.waiting import within

STOP_TIMEOUT = 2.0
"""Seconds for a server to disconnect its clients."""


class Servers(Manager[Server]):
    """Runs the servers; see :class:`hub.parts.manager.Manager`.

    :param context_of: makes the context of a server.
    """

    def __init__(self, reactor: Any, context_of: Callable[[Part], ServerContext]) -> None:
        super().__init__()
        self.running: dict[str, Server] = {}
        self._reactor = reactor
        self._context_of = context_of
        self._former = FormerCounts("servers")
        self._log = part_log("hub", "servers")

    @classmethod
    def of(cls, hub: Resources) -> Servers:
        """Make the manager for a hub."""

        def context_of(part: Part) -> ServerContext:
            given = (hub.reactor, part_log("server", part.name), hub.runtime.wall, hub.state_dir, hub.snapshot)
            return ServerContext(part.name, part.config, *given, hub.verbs(), hub.mounts.now, hub.audit)

        return cls(hub.reactor, context_of)

    def prepare(self, part: Part) -> Server:
        """Make the instance of a part."""
        server: Server = part.plugin.make(f"servers.{part.name}", self._context_of(part))
        return server

    @inlineCallbacks
    def start(self, part: Part, prepared: Server) -> Generator[Deferred[Any], Any, None]:
        """Start a prepared part."""
        try:
            yield maybeDeferred(prepared.start)
        except HubError as error:
            raise HubError(f"servers.{part.name}: {error}") from error
        self.running[part.name], self.parts[part.name] = prepared, part

    @inlineCallbacks
    def retire(self, names: Collection[str]) -> Generator[Deferred[Any], Any, None]:
        """Stop parts that change or go."""
        leaving = {name: (self.parts.pop(name), self.running.pop(name)) for name in names if name in self.parts}
        yield self._stop([server for _, server in leaving.values()], STOP_TIMEOUT)
        for name, (part, server) in leaving.items():
            self._former.keep(name, status_of(part, server))

    @inlineCallbacks
    def stop(self, timeout: float) -> Generator[Deferred[Any], Any, None]:
        """Stop all parts."""
        yield self._stop(list(self.running.values()), timeout)

    def _stop(self, leaving: Collection[Server], timeout: float) -> Deferred[bool]:
        """Stop servers in parallel; late ones are abandoned."""
        return within(self._reactor, stop_all(leaving, "a server", self._log), timeout)

    def release(self, detach: Callable[[int], None]) -> None:
        """Release the parts' file descriptors in a forked child."""
        release_all(list(self.running.values()), detach)

    def status(self) -> dict[str, Any]:
        """Status rows of the running parts."""
        rows = {name: status_of(self.parts[name], server) for name, server in self.running.items()}
        return {name: self._former.added(name, row) for name, row in rows.items()}
