"""The servers of a running hub, such as the web page."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, maybeDeferred
from twisted.python.failure import Failure

from hub.configuration.schema import Part
from hub.errors import HubError
from hub.interfaces import Server, ServerContext
from hub.partlog import part_log
from hub.parts.fallback import start_or_fall_back
from hub.parts.patience import wait_for
from hub.parts.reports import status_of

STOP_TIMEOUT = 2.0
"""Seconds for a server to let go of who is connected."""


class Servers:
    """Belongs to the reactor's thread.

    :ivar parts: what the servers were made of.
    :param context_of: what a server is given when it is made.
    """

    def __init__(self, reactor: Any, context_of: Callable[[Part], ServerContext]) -> None:
        self.servers: dict[str, Server] = {}
        self.parts: dict[str, Part] = {}
        self._reactor = reactor
        self._context_of = context_of
        self._log = part_log("hub", "servers")

    def make(self, part: Part) -> Server:
        """:raises ConfigError: it can't be made."""
        server: Server = part.plugin.make(f"servers.{part.name}", self._context_of(part))
        return server

    @inlineCallbacks
    def start(self, part: Part, server: Server) -> Generator[Deferred[Any], Any, None]:
        """:raises HubError: it can't listen."""
        try:
            yield maybeDeferred(server.start)
        except HubError as error:
            raise HubError(f"servers.{part.name}: {error}") from error
        self.servers[part.name], self.parts[part.name] = server, part

    @inlineCallbacks
    def stop(self, names: Iterable[str]) -> Generator[Deferred[Any], Any, None]:
        """Those of them that run, all at once; one that takes too long is left behind."""
        leaving = [self.servers.pop(name) for name in names if self.parts.pop(name, None)]
        stops = [maybeDeferred(server.stop).addErrback(self._failed_to_stop) for server in leaving]
        together = DeferredList(stops, consumeErrors=True)
        yield wait_for(self._reactor, lambda: bool(together.called), STOP_TIMEOUT)

    def _failed_to_stop(self, failure: Failure) -> None:
        self._log.error("a server did not stop in order: %s", failure.value, extra={"action": "stop"})

    @inlineCallbacks
    def apply(
        self, parts: Mapping[str, Part], made: Mapping[str, Server], removed: Iterable[str]
    ) -> Generator[Deferred[Any], Any, list[str]]:
        """A reload: stop those that go or change, start what was made.

        :returns: a line for each that could not start: it goes on as it was, if it was there.
        """
        before = dict(self.parts)
        problems: list[str] = []
        yield self.stop([*removed, *made])
        for name, server in made.items():
            problems += yield start_or_fall_back(parts[name], server, before.get(name), self.make, self.start)
        return problems

    def status(self) -> dict[str, Any]:
        """What each says, with its type."""
        return {name: status_of(self.parts[name], server) for name, server in self.servers.items()}
