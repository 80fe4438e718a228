"""A small AMQP broker in the test's own reactor, whose answers a test may change.

It has one queue, whatever its name: tests/system/test_amqp_client.py runs against RabbitMQ.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import msgspec
from pika import BasicProperties, frame, spec
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOFactory

from tests.unit.backends.support import REACTOR, turn_until

Answer = Callable[["Client", int, Any], object]
PLAIN_ANSWERS: dict[str, Any] = {
    "Connection.StartOk": lambda: spec.Connection.Tune(2047, 131072, 0),
    "Connection.Open": spec.Connection.OpenOk,
    "Channel.Open": spec.Channel.OpenOk,
    "Channel.Close": spec.Channel.CloseOk,
    "Basic.Qos": spec.Basic.QosOk,
    "Queue.Bind": spec.Queue.BindOk,
    "Exchange.Declare": spec.Exchange.DeclareOk,
    "Confirm.Select": spec.Confirm.SelectOk,
}

CAPABILITIES = ("publisher_confirms", "basic.nack", "consumer_cancel_notify", "connection.blocked")
PROPERTIES = {"product": "double", "version": "1", "capabilities": dict.fromkeys(CAPABILITIES, True)}


class Kept(msgspec.Struct, eq=False):
    """A message that the broker has."""

    routing_key: str
    body: bytes
    properties: Any
    deliveries: int = 0


class Consuming(msgspec.Struct, eq=False):
    """A consumer in a channel."""

    client: Client
    channel: int
    tag: str
    numbers: Any
    unacked: dict[int, Kept] = {}


class Broker(Factory):
    """``with Broker() as broker:``; it listens on ``port`` of loopback, and may be stopped and started again.

    :ivar methods: all methods that it was sent. :ivar published: what it was sent. :ivar buried: NACKed bodies.
    :ivar answers: what is done instead, by the name of the method. :ivar connections: how often somebody connected.
    """

    noisy = False

    def __init__(self, tls: Any = None) -> None:
        self.port = 0
        self.methods: list[Any] = []
        self.published: list[Kept] = []
        self.buried: list[bytes] = []
        self.answers: dict[str, Answer] = {}
        self.clients: list[Client] = []
        self.consumers: list[Consuming] = []
        self.connections = 0
        self._queue: deque[Kept] = deque()
        self._tls = tls
        self._listening: Any = None

    def __enter__(self) -> Broker:
        factory: Any = self if self._tls is None else TLSMemoryBIOFactory(self._tls, False, cast(Any, self), REACTOR)
        self._listening = REACTOR.listenTCP(self.port, factory, interface="127.0.0.1")
        self.port = self._listening.getHost().port
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more, and disconnect everybody."""
        stopped: list[object] = []
        self._listening.stopListening().addBoth(stopped.append)
        turn_until(lambda: stopped, "the broker's end")
        self.disconnect()
        turn_until(lambda: not self.clients, "the end of all connections")

    def disconnect(self) -> None:
        """End all connections, without a word."""
        for client in list(self.clients):
            client.transport.abortConnection()

    def buildProtocol(self, addr: object) -> Client:
        self.connections += 1
        return Client(self)

    def of(self, name: str) -> list[Any]:
        return [method for method in self.methods if name == method.NAME]

    @property
    def unacked(self) -> int:
        return sum(len(one.unacked) for one in self.consumers)

    def send(self, routing_key: str, body: bytes, **properties: Any) -> None:
        """Take a message, as if somebody had published it."""
        self._queue.append(Kept(routing_key, body, BasicProperties(**properties)))
        self.deliver()

    def deliver(self) -> None:
        while self._queue and self.consumers:
            consumer, message = self.consumers[0], self._queue.popleft()
            number = next(consumer.numbers)
            consumer.unacked[number] = message
            message.deliveries += 1
            method = spec.Basic.Deliver(consumer.tag, number, message.deliveries > 1, "e", message.routing_key)
            consumer.client.content(consumer.channel, method, message.properties, message.body)

    def settle(self, client: Client, channel: int, method: Any) -> None:
        for one in self.consumers:
            if (one.client, one.channel) == (client, channel):
                upto = [tag for tag in one.unacked if tag <= method.delivery_tag] if method.multiple else []
                for tag in upto or [method.delivery_tag]:
                    message = one.unacked.pop(tag)  # an unknown tag is an error of the client
                    if method.NAME == "Basic.Nack":
                        self.buried.append(message.body)

    def forget(self, client: Client, channel: int | None = None) -> None:
        """Take back what a consumer that is gone has not acknowledged."""
        gone = [one for one in self.consumers if one.client is client and channel in (None, one.channel)]
        for one in gone:
            self.consumers.remove(one)
            self._queue.extendleft(reversed(one.unacked.values()))
        self.deliver()


class Client(Protocol):
    """A connection of the broker's."""

    transport: Any

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._data = b""
        self._numbers: dict[int, Any] = {}
        self._publishing: dict[int, Any] = {}

    def connectionMade(self) -> None:
        self._broker.clients.append(self)

    def connectionLost(self, reason: object = None) -> None:
        self._broker.clients.remove(self)
        self._broker.forget(self)

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        while self._data:
            used, one = frame.decode_frame(self._data)
            if one is None:
                return
            self._data = self._data[used:]
            if isinstance(one, frame.ProtocolHeader):
                self.send(0, spec.Connection.Start(0, 9, PROPERTIES, b"PLAIN EXTERNAL", b"en_US"))
            elif isinstance(one, frame.Method):
                self._method(one.channel_number, one.method)
            elif isinstance(one, frame.Header):
                self._publishing[one.channel_number][1:] = [one.properties, one.body_size, b""]
                self._publish(one.channel_number)
            elif isinstance(one, frame.Body):
                self._publishing[one.channel_number][3] += one.fragment
                self._publish(one.channel_number)

    def _method(self, channel: int, method: Any) -> None:
        self._broker.methods.append(method)
        name = method.NAME
        if name in self._broker.answers:
            self._broker.answers[name](self, channel, method)
        elif name == "Basic.Publish":
            self._publishing[channel] = [method]
        elif name in ("Basic.Ack", "Basic.Nack"):
            self._broker.settle(self, channel, method)
        elif name == "Queue.Declare":
            self.send(channel, spec.Queue.DeclareOk(method.queue, 0, 0))
        elif name == "Basic.Consume":
            self.send(channel, spec.Basic.ConsumeOk(method.consumer_tag))
            self._broker.consumers.append(Consuming(self, channel, method.consumer_tag, itertools.count(1), {}))
            self._broker.deliver()
        elif name == "Connection.Close":
            self.send(0, spec.Connection.CloseOk())
            self.transport.loseConnection()
        elif name in PLAIN_ANSWERS:
            self.send(channel, PLAIN_ANSWERS[name]())
        if name in ("Channel.Close", "Channel.CloseOk"):
            self._broker.forget(self, channel)
            self._numbers.pop(channel, None)  # the next one counts from 1 again

    def _publish(self, channel: int) -> None:
        method, properties, size, body = self._publishing[channel]
        if len(body) < size:
            return
        message = Kept(method.routing_key, body, properties)
        self._broker.published.append(message)
        number = next(self._numbers.setdefault(channel, itertools.count(1)))
        answer = self._broker.answers.get("published")
        if answer is None:
            self.send(channel, spec.Basic.Ack(number))
        else:
            answer(self, channel, (number, message))

    def send(self, channel: int, method: Any) -> None:
        self.transport.write(frame.Method(channel, method).marshal())

    def content(self, channel: int, method: Any, properties: Any, body: bytes) -> None:
        self.send(channel, method)
        self.transport.write(frame.Header(channel, len(body), properties).marshal())
        for start in range(0, len(body), 100_000):
            self.transport.write(frame.Body(channel, body[start : start + 100_000]).marshal())

    def close_channel(self, channel: int, code: int, text: str) -> None:
        """Close a channel as on an error."""
        self.send(channel, spec.Channel.Close(code, text, 0, 0))
        self._broker.forget(self, channel)
