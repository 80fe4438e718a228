"""STOMP client backend: receives from a broker (RabbitMQ, ActiveMQ, another hubbub), and publishes to it."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from twisted.internet.defer import Deferred, DeferredList

from hub.backends.client_tls import ClientTLS, tls_extra
from hub.backends.failover import Failover
from hub.backends.stomp import client_settings
from hub.backends.stomp.client_connection import Connection
from hub.backends.stomp.client_ledger import Delivery
from hub.backends.stomp.client_login import Login
from hub.backends.stomp.client_message import check, envelopes_of
from hub.backends.stomp.client_publisher import Publisher
from hub.backends.stomp.client_subscriber import Subscriber
from hub.backends.stomp.client_tools import Sender, listen
from hub.backoff import Uniform
from hub.errors import Unavailable
from hub.extra import Extra
from hub.interfaces import BackendContext, Intake
from hub.message import Message
from hub.settings import Settings
from hub.status.states import BackendState

EXTRA = tls_extra("stomp")


class StompClient:
    """Client of a STOMP broker. It receives over one connection and publishes over another one: a broker that is short
    of memory or disk stops reading from those who publish, and must go on to read acknowledgements.

    :ivar confirms: false with ``ack = "auto"``. :ivar publish_window: messages that may be unconfirmed at once.
    """

    Config: type[Settings] = client_settings.Config
    confirms: bool = True
    holds_back: bool = True

    def __init__(self, context: BackendContext, uniform: Uniform = random.uniform) -> None:
        config: client_settings.Config = context.config
        self.confirms = config.ack != "auto"
        self.publish_window = config.publish_window
        self._context = context
        self._config = config
        self._uniform = uniform
        self._state: Literal["running", "stopping", "stopped"] = "stopped"
        self._paused = False
        self._subscriber = Subscriber(context)
        self._envelopes = envelopes_of(config, context.wall)
        self._publisher = Publisher(config, self._envelopes)
        self._links: dict[str, Failover[Connection]] = {}

    def start(self, intake: Intake) -> None:
        """Begin to connect. A broker that is away is waited for.

        :raises ConfigError: a file or secret can't be read. :raises MissingExtra: TLS needs the extra ``stomp``.
        """
        config = self._config
        tls = ClientTLS(config, EXTRA) if config.tls else None
        login = Login.of(config)
        self._state = "running"
        self._warn_of_readers()
        if config.destinations:
            # ActiveMQ admits a client-id once: it is that of the durable subscriptions.
            named = replace(login, client_id=config.durable_name or "")
            self._subscriber.link = self._links["subscribe"] = self._link(named, tls, self._subscriber)
            self._subscriber.start(intake)
        if config.publish is not None:
            self._publisher.link = self._links["publish"] = self._link(login, tls, self._publisher)
            self._publisher.start()

    def _warn_of_readers(self) -> None:
        if self._config.passcode is not None:
            for address in self._config.addresses:
                if not address.is_private:
                    text = "%s: passcode and messages are sent unencrypted: use 'stomp+ssl:' beyond this machine"
                    self._context.log.warning(text, address, extra={"action": "expose"})

    def _link(self, login: Login, tls: ClientTLS | None, user: Subscriber | Publisher) -> Failover[Connection]:
        context, config = self._context, self._config

        def make(failover: Failover[Connection]) -> Connection:
            return Connection(config, login, failover, context.reactor)

        return Failover(config, make, tls, user, context.reactor, context.log, self._uniform)

    def subscribe(self, patterns: Collection[str]) -> None:
        """Do nothing: the broker's destinations are configured."""

    def unsubscribe(self, patterns: Collection[str]) -> None:
        """Do nothing; see :meth:`subscribe`."""

    def confirm(self, tokens: Sequence[Delivery]) -> None:
        """Acknowledge messages. Those of an earlier connection are left out: the broker delivers them again."""
        if self._state == "running":
            self._subscriber.confirm(tokens)

    def check(self, message: Message) -> None:
        """Check that the message could be published; see :class:`hub.interfaces.Checking`.

        :raises CannotPublish: it could not.
        """
        check(message, self._config)
        if self._envelopes is not None:
            self._envelopes.check(message)

    def publish(self, message: Message) -> Deferred[None]:
        """Send a message. :returns: fires when the broker has sent its RECEIPT.

        :raises CannotPublish: it can never be sent. :raises Unavailable: there is no connection now. The Deferred may
            fail with either.
        """
        if self._state != "running":
            raise Unavailable(f"backend {self._context.name!r} does not run")
        return self._publisher.publish(message)

    def pause(self) -> None:
        """Stop reading: the broker keeps what is beyond its prefetch."""
        if not self._paused:
            self._paused = True
            self._subscriber.pause()

    def resume(self) -> None:
        """Read again."""
        if self._paused:
            self._paused = False
            self._subscriber.resume()

    def stop(self) -> Deferred[Any]:
        """Say goodbye to the broker. It delivers unacknowledged messages again, to whoever subscribes."""
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

    def _rows(self, role: str, link: Failover[Connection]) -> Iterator[dict[str, Any]]:
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
        return "connected" if all(link.usable for link in self._links.values()) else "connecting"

    def _not_ready(self) -> str | None:
        """The reason why the broker sends no messages, or takes none; ``None``: all is well, or paused."""
        if self._state != "running" or self._paused:
            return None
        for role, link in self._links.items():
            if not link.usable:
                waits = link.connection is not None and role == "subscribe"
                return f"{link.address}: the broker has not confirmed all subscriptions" if waits else link.error
        return None

    @classmethod
    def needed_extras(cls, config: client_settings.Config) -> Iterable[Extra]:
        """Return that of TLS; see :class:`hub.interfaces.NeedingExtras`."""
        return [EXTRA] if config.tls else []

    @classmethod
    def sender(cls, config: client_settings.Config) -> Sender:
        """Open a publisher that the hub receives from; see :class:`hub.interfaces.BusTools`.

        :raises Unavailable: there are no destinations, or no broker answers. :raises ConfigError: a secret can't be
            read.
        """
        return Sender(config)

    @classmethod
    def listener(cls, config: client_settings.Config, patterns: Sequence[str]) -> Iterator[Message]:
        """Yield the messages of the hub's topics. They may include topics that no pattern matches.

        :raises Unavailable: there are only queues, or no broker answers. :raises ConfigError: a secret can't be read.
        """
        return listen(config)
