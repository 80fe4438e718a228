"""AMQP client backend: receives from queues of RabbitMQ, and publishes to an exchange."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from twisted.internet.defer import Deferred, DeferredList

from hub.backends.amqp import settings
from hub.backends.amqp.cloud_events import CloudEvents
from hub.backends.amqp.connection import Connection
from hub.backends.amqp.fedora import FedoraMessaging
from hub.backends.amqp.formats import Format, Plain
from hub.backends.amqp.login import Login
from hub.backends.amqp.publisher import Publisher
from hub.backends.amqp.subscriber import Subscriber, Token
from hub.backends.client_tls import ClientTLS, tls_extra
from hub.backends.failover import Failover
from hub.backoff import Uniform
from hub.errors import Unavailable
from hub.extra import Extra
from hub.interfaces import BackendContext, Clock, Intake
from hub.message import Message
from hub.settings import Settings
from hub.status.states import BackendState

TLS = tls_extra("amqp")
PIKA = Extra("AMQP", "amqp", ("pika",))


class AmqpClient:
    """Client of an AMQP broker. It receives over one connection and publishes over another one: a broker that is short
    of memory or disk stops reading from those who publish, and must go on to read acknowledgements.

    :ivar publish_window: messages that may be unconfirmed at once.
    """

    Config: type[Settings] = settings.Config
    confirms: bool = True
    holds_back: bool = True

    def __init__(self, context: BackendContext, uniform: Uniform = random.uniform) -> None:
        config: settings.Config = context.config
        self.publish_window = config.publish_window
        self._context = context
        self._config = config
        self._uniform = uniform
        self._state: Literal["running", "stopping", "stopped"] = "stopped"
        self._paused = False
        self._format = format_of(config, context.wall)
        self._subscriber = Subscriber(context, self._format, uniform)
        self._publisher = Publisher(context, self._format, uniform)
        self._links: dict[str, Failover[Connection]] = {}

    def start(self, intake: Intake) -> None:
        """Begin to connect. A broker that is away is waited for.

        :raises ConfigError: a file or secret can't be read. :raises MissingExtra: pika is not installed, or TLS.
        """
        PIKA.check()
        # It logs each end of a connection several times, as errors; the hub says it once, with the broker's words.
        logging.getLogger("pika").setLevel(logging.CRITICAL)
        config, name = self._config, self._context.name
        tls = ClientTLS(config, TLS) if config.tls else None
        self._state = "running"
        self._warn_of_readers()
        if config.queues:
            link = self._link(Login.of(config, f"hubbub {name}: receives"), tls, self._subscriber)
            self._subscriber.link = self._links["subscribe"] = link
            self._subscriber.start(intake)
        if config.publish is not None:
            link = self._link(Login.of(config, f"hubbub {name}: publishes"), tls, self._publisher)
            self._publisher.link = self._links["publish"] = link
            self._publisher.start()

    def _warn_of_readers(self) -> None:
        for address in self._config.addresses:
            if not address.is_private:
                text = "%s: the login and messages are sent unencrypted: use 'amqps:' beyond this machine"
                self._context.log.warning(text, address, extra={"action": "expose"})

    def _link(self, login: Login, tls: ClientTLS | None, user: Subscriber | Publisher) -> Failover[Connection]:
        context = self._context

        def make(failover: Failover[Connection]) -> Connection:
            return Connection(login, failover, context.reactor)

        return Failover(self._config, make, tls, user, context.reactor, context.log, self._uniform)

    def subscribe(self, patterns: Collection[str]) -> None:
        """Do nothing: queues and bindings are configured."""

    def unsubscribe(self, patterns: Collection[str]) -> None:
        """Do nothing; see :meth:`subscribe`."""

    def confirm(self, tokens: Sequence[Token]) -> None:
        """Acknowledge messages."""
        if self._state == "running":
            self._subscriber.confirm(tokens)

    def check(self, message: Message) -> None:
        """Check that the message could be published; see :class:`hub.interfaces.Checking`.

        :raises CannotPublish: it could not.
        """
        self._format.write(message)

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
        return "connected" if self._not_ready() is None else "connecting"

    def _not_ready(self) -> str | None:
        """The reason why the broker sends no messages, or takes none; ``None``: all is well, or paused."""
        if self._state != "running" or self._paused:
            return None
        for role, link in self._links.items():
            if link.connection is None:
                return link.error
            user = self._subscriber if role == "subscribe" else self._publisher
            reason = user.not_ready()
            if reason is not None:
                return f"{link.address}: {reason}"
        return None

    @classmethod
    def needed_extras(cls, config: settings.Config) -> Iterable[Extra]:
        """Return pika, and that of TLS; see :class:`hub.interfaces.NeedingExtras`."""
        return [PIKA, TLS] if config.tls else [PIKA]


def format_of(config: settings.Config, wall: Clock) -> Format:
    """The configured format. :param wall: returns epoch seconds."""
    if config.format == "fedora-messaging":
        return FedoraMessaging(config, wall)
    return CloudEvents(config, wall) if config.format == "cloudevents" else Plain(config)
