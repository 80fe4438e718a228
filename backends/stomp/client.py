"""STOMP client backend: receives from a broker (RabbitMQ, ActiveMQ, another hubbub), and publishes to it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from hub.backends.broker_client import BrokerClient
from hub.backends.client_tls import ClientTLS, tls_extra
from hub.backends.failover import Failover
from hub.backends.stomp import client_settings
from hub.backends.stomp.client_connection import Connection
from hub.backends.stomp.client_destinations import destination_for, is_shared
from hub.backends.stomp.client_login import Login
from hub.backends.stomp.client_message import check, envelopes_of
from hub.backends.stomp.client_publisher import Publisher
from hub.backends.stomp.client_subscriber import Subscriber
from hub.backends.stomp.client_tools import Sender, listen
from hub.backoff import Uniform
from hub.extra import Extra
from hub.interfaces import BackendContext, Intake
from hub.message import Message
from hub.settings import Settings

EXTRA = tls_extra("stomp")


class StompClient(BrokerClient[Connection]):
    """Client of a STOMP broker.

    :ivar confirms: false with ``ack = "auto"``. :ivar publish_window: messages that may be unconfirmed at once.
    """

    Config: type[Settings] = client_settings.Config
    confirms: bool = True
    holds_back: bool = True
    _subscriber: Subscriber
    _publisher: Publisher

    def __init__(self, context: BackendContext, uniform: Uniform = random.uniform) -> None:
        super().__init__(context)
        config: client_settings.Config = context.config
        self.confirms = config.ack != "auto"
        self.publish_window = config.publish_window
        self._config = config
        self._uniform = uniform
        self._subscriber = Subscriber(context)
        self._envelopes = envelopes_of(config, context.wall)
        self._publisher = Publisher(config, self._envelopes)

    def at_bound(self) -> str | None:
        """Return which subscription's prefetch is used up; see :class:`hub.held_places.Bounding`."""
        return self._subscriber.at_bound()

    @classmethod
    def no_broadcast(cls, config: client_settings.Config, topic: str) -> str | None:
        """Return why not every hub would receive a message; see :class:`hub.interfaces.Broadcasting`."""
        if config.publish is None or not config.destinations:
            return "it needs destinations to receive from, and one to publish to"
        destination = destination_for(config.publish, topic)
        if is_shared(destination):
            return f"each message to {destination[:80]} goes to one of its readers: give a /topic/ or an /exchange/"
        return None

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

    def check(self, message: Message) -> None:
        """Check that the message could be published; see :class:`hub.interfaces.Checking`.

        :raises CannotPublish: it could not.
        """
        check(message, self._config)
        if self._envelopes is not None:
            self._envelopes.check(message)

    def _reason(self, role: str, link: Failover[Connection]) -> str | None:
        if link.usable:
            return None
        waits = link.connection is not None and role == "subscribe"
        return f"{link.address}: the broker has not confirmed all subscriptions" if waits else link.error

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
