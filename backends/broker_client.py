"""Client of a broker: a connection to receive and one to publish, each kept by a failover."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar

from twisted.internet.defer import Deferred, DeferredList

from hub.backends.failover import BrokerConnection, Failover
from hub.errors import Unavailable
from hub.interfaces import BackendContext
from hub.message import Message
from hub.status.states import BackendState

C = TypeVar("C", bound=BrokerConnection)


class Receiving(Protocol):
    """The part of a client that receives."""

    def confirm(self, tokens: Sequence[Any]) -> None:
        """Acknowledge messages."""

    def pause(self) -> None:
        """Pass nothing on."""

    def resume(self) -> None:
        """Pass messages on again."""

    def status(self) -> Mapping[str, Any]:
        """Return its counters."""


class Publishing(Protocol):
    """The part of a client that publishes."""

    def publish(self, message: Message) -> Deferred[None]:
        """Send a message; see :meth:`BrokerClient.publish`."""

    def status(self) -> Mapping[str, Any]:
        """Return its counters."""


class BrokerClient(ABC, Generic[C]):
    """Client of a broker. It receives over one connection and publishes over another one: a broker that is short of
    memory or disk stops reading from those who publish, and must go on to read acknowledgements.

    A subclass makes the users of the connections, and has ``start``, which makes the links by their roles:
    ``subscribe`` and ``publish``.
    """

    _subscriber: Receiving
    _publisher: Publishing

    def __init__(self, context: BackendContext) -> None:
        self._context = context
        self._state: Literal["running", "stopped"] = "stopped"
        self._paused = False
        self._links: dict[str, Failover[C]] = {}

    def subscribe(self, patterns: Collection[str]) -> None:
        """Do nothing: what the broker sends is configured."""

    def unsubscribe(self, patterns: Collection[str]) -> None:
        """Do nothing; see :meth:`subscribe`."""

    def confirm(self, tokens: Sequence[Any]) -> None:
        """Acknowledge messages. Those of an earlier connection are left out: the broker delivers them again."""
        if self._state == "running":
            self._subscriber.confirm(tokens)

    def publish(self, message: Message) -> Deferred[None]:
        """Send a message. :returns: fires when the broker has confirmed it.

        :raises CannotPublish: it can never be sent. :raises Unavailable: there is no connection now. The Deferred may
            fail with either.
        """
        if self._state != "running":
            raise Unavailable(f"backend {self._context.name!r} does not run")
        return self._publisher.publish(message)

    def pause(self) -> None:
        """Pass nothing on: the broker keeps what is beyond its prefetch."""
        if not self._paused:
            self._paused = True
            self._subscriber.pause()

    def resume(self) -> None:
        """Pass messages on again."""
        if self._paused:
            self._paused = False
            self._subscriber.resume()

    def stop(self) -> Deferred[Any]:
        """Say goodbye to the broker. It delivers unacknowledged messages again, to whoever consumes."""
        self._state = "stopped"
        return DeferredList([link.stop() for link in self._links.values()])

    def release(self, detach: Callable[[int], None]) -> None:
        """Detach the connections' file descriptors in a forked child; see :class:`hub.interfaces.Releasing`."""
        for link in self._links.values():
            descriptor = link.descriptor()
            if descriptor is not None:
                detach(descriptor)

    def status(self) -> Mapping[str, Any]:
        """Counters (which only grow), state and brokers for the hub's status; never a passcode."""
        links = self._links.values()
        return {
            "state": self._describe(),
            **self._subscriber.status(),
            **self._publisher.status(),
            "peers": sum(link.usable for link in links),
            "disconnects": sum(link.disconnects for link in links),
            "handshake_failures": sum(link.failures for link in links),
            "endpoints": [row for role, link in self._links.items() for row in self._rows(role, link)],
            "not_ready": self._not_ready(),
        }

    def _rows(self, role: str, link: Failover[C]) -> Iterator[dict[str, Any]]:
        """A row for each broker that was tried."""
        state = "connected" if link.usable else "connecting" if self._state == "running" else self._state
        for address, error in link.tried():
            row = {"endpoint": str(address), "role": role, "state": state}
            yield {**row, "error": error} if error else row

    def _describe(self) -> BackendState:
        """State in one word: ``connecting`` until the broker has confirmed all subscriptions."""
        if self._state != "running":
            return self._state
        if self._paused:
            return "paused"
        return "connected" if self._not_ready() is None else "connecting"

    def _not_ready(self) -> str | None:
        """The reason why the broker sends no messages, or takes none; ``None``: all is well, or paused."""
        if self._state != "running" or self._paused:
            return None
        reasons = (self._reason(role, link) for role, link in self._links.items())
        return next((reason for reason in reasons if reason is not None), None)

    @abstractmethod
    def _reason(self, role: str, link: Failover[C]) -> str | None:
        """The reason why a connection does not work yet; ``None``: it does."""
