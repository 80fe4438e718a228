"""AMQP client backend: receives from queues of RabbitMQ, and publishes to an exchange."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterable, Iterator, Sequence

from hub.backends.amqp import settings
from hub.backends.amqp.broadcast import hindrance
from hub.backends.amqp.cloud_events import CloudEvents
from hub.backends.amqp.connection import Connection
from hub.backends.amqp.fedora import FedoraMessaging
from hub.backends.amqp.formats import Format, Plain
from hub.backends.amqp.login import Login
from hub.backends.amqp.publisher import Publisher
from hub.backends.amqp.settings import PLACEHOLDER
from hub.backends.amqp.subscriber import Subscriber
from hub.backends.amqp.tools import Sender, listen
from hub.backends.broker_client import BrokerClient
from hub.backends.client_tls import ClientTLS, tls_extra
from hub.backends.failover import Failover
from hub.backoff import Uniform
from hub.extra import Extra
from hub.interfaces import BackendContext, Clock, Intake
from hub.message import Message
from hub.settings import Settings

TLS = tls_extra("amqp")
PIKA = Extra("AMQP", "amqp", ("pika",))


class AmqpClient(BrokerClient[Connection]):
    """Client of an AMQP broker.

    :ivar publish_window: messages that may be unconfirmed at once.
    """

    Config: type[Settings] = settings.Config
    confirms: bool = True
    holds_back: bool = True
    _subscriber: Subscriber
    _publisher: Publisher

    def __init__(self, context: BackendContext, uniform: Uniform = random.uniform) -> None:
        super().__init__(context)
        config: settings.Config = context.config
        self.publish_window = config.publish_window
        self._config = config
        self._uniform = uniform
        self._format = format_of(config, context.wall)
        self._subscriber = Subscriber(context, self._format, uniform)
        self._publisher = Publisher(context, self._format, uniform)

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

    def check(self, message: Message) -> None:
        """Check that the message could be published; see :class:`hub.interfaces.Checking`.

        :raises CannotPublish: it could not.
        """
        self._format.write(message)

    def at_bound(self) -> str | None:
        """Return which queue's prefetch is used up; see :class:`hub.held_places.Bounding`."""
        return self._subscriber.at_bound()

    def _reason(self, role: str, link: Failover[Connection]) -> str | None:
        if link.connection is None:
            return link.error
        reason = (self._subscriber if role == "subscribe" else self._publisher).not_ready()
        return None if reason is None else f"{link.address}: {reason}"

    @classmethod
    def no_broadcast(cls, config: settings.Config, topic: str) -> str | None:
        """Return why not every hub would receive a message; see :class:`hub.interfaces.Broadcasting`."""
        return hindrance(config, topic)

    @classmethod
    def needed_extras(cls, config: settings.Config) -> Iterable[Extra]:
        """Return pika, and that of TLS; see :class:`hub.interfaces.NeedingExtras`."""
        return [PIKA, TLS] if config.tls else [PIKA]

    @classmethod
    def sender(cls, config: settings.Config) -> Sender:
        """Open a publisher that the hub receives from; see :class:`hub.interfaces.BusTools`.

        :raises Unavailable: there are no queues, or no broker answers. :raises ConfigError: a secret can't be read.
        :raises MissingExtra: pika is not installed.
        """
        PIKA.check()
        # What the hub publishes may go elsewhere, by another key; it reads the key as the topic.
        direct = config.model_copy(update={"publish": "", "routing_key": PLACEHOLDER})
        return Sender(config, format_of(direct, time.time))

    @classmethod
    def listener(cls, config: settings.Config, patterns: Sequence[str]) -> Iterator[Message]:
        """Yield messages that the bindings of the hub's queues bring, beside it: the hub misses none.

        :raises Unavailable: there are no bindings, or no broker answers. :raises ConfigError: a secret can't be read.
        :raises MissingExtra: pika is not installed.
        """
        PIKA.check()
        return listen(config, format_of(config, time.time))


def format_of(config: settings.Config, wall: Clock) -> Format:
    """The configured format. :param wall: returns epoch seconds."""
    if config.format == "fedora-messaging":
        return FedoraMessaging(config, wall)
    return CloudEvents(config, wall) if config.format == "cloudevents" else Plain(config)
