"""Each backend with the bus's other end: what the contract of backends is tested with."""

from __future__ import annotations

import io
import itertools
import json
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import zmq

from hub import jsontext
from hub.backends.memory import Memory
from hub.backends.redis.client import Redis
from hub.backends.stomp.limits import Limits
from hub.backends.stomp.parser import Parser
from hub.backends.stomp.publication import Publication
from hub.backends.stomp.server import StompServer
from hub.backends.stomp.settings import Config as ServerConfig
from hub.backends.zeromq import ZeroMQ
from hub.enqueuer import Enqueuer
from hub.interfaces import Answer, Backend
from hub.message import Message
from hub.settings import Settings
from tests.support import free_port
from tests.unit.backends.amqp import clients as amqp_clients
from tests.unit.backends.amqp.broker import Broker as AmqpBroker
from tests.unit.backends.redis import clients as redis_clients
from tests.unit.backends.redis.double import Double
from tests.unit.backends.stomp.broker import Broker
from tests.unit.backends.stomp.clients import connected, make
from tests.unit.backends.support import (
    REACTOR,
    Recorder,
    configured,
    hub_context,
    new_enqueuer,
    publisher,
    real_endpoint,
    subscribed,
    turn_until,
)


class HubOfTheServer(Recorder):
    """What the server publishes goes to the hub: it shows that to the server's clients, and confirms it."""

    def __init__(self, server: StompServer, enqueuer: Enqueuer) -> None:
        super().__init__()
        self._server = server
        self._enqueuer = enqueuer

    def receive(self, messages: list[Message], tokens: Sequence[Any] = (), answer: Answer | None = None) -> None:
        super().receive(messages, tokens, answer)
        self._enqueuer.receive(messages, None)
        own = [token for token in tokens if isinstance(token[0], Publication)]
        REACTOR.callLater(0, self._server.confirm, own)


class StompSubscriber:
    """A client that reads all topics, over a real connection.

    :ivar messages: topic and body of each.
    """

    def __init__(self, stack: ExitStack, port: int) -> None:
        self.messages: list[Heard] = []
        self._socket = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        self._socket.sendall(b"CONNECT\naccept-version:1.2\n\n\0")
        self._socket.sendall(b"SUBSCRIBE\nid:0\nreceipt:r\ndestination:/topic/#\n\n\0")
        self._socket.setblocking(False)
        self._parser = Parser(Limits())
        self._parser.logged_in()
        self._commands: list[str] = []
        turn_until(lambda: self.read() is not None and "RECEIPT" in self._commands, "the subscription")

    def read(self) -> list[Heard]:
        """Read what has come, and return all messages."""
        with suppress(BlockingIOError):
            while data := self._socket.recv(1 << 16):
                for frame in self._parser.feed(data):
                    self._commands.append(frame.command)
                    if frame.command == "MESSAGE":
                        topic = frame.headers["destination"].removeprefix("/topic/")
                        self.messages.append((topic, frame.body))
        return self.messages


def fedmsg_body(envelope: bytes) -> bytes:
    """The body that was published in fedmsg's envelope."""
    return jsontext.write(json.loads(envelope)["msg"])


Heard = tuple[str, bytes]


@dataclass
class Bench:
    """A backend, its intake, and the bus's other end."""

    backend: Backend
    intake: Recorder
    send: Callable[[str, bytes], object]
    unsendable: Message
    """One that it can never publish."""
    heard: Callable[[], list[Heard]]
    """What was published, as it has arrived at the other end: topic and body of each message."""
    spoil: Callable[[], object] | None
    """Sends one malformed input; ``None``: the bus has no format that one could break."""
    has_sockets: bool = True
    """Whether a forked child has to be told of open sockets."""

    def arrived(self, count: int) -> None:
        turn_until(lambda: len(self.intake.messages) >= count, f"{count} messages")


def memory(stack: ExitStack) -> Bench:
    backend, intake = Memory(hub_context(Settings())), Recorder()
    backend.subscribe(["#"])
    backend.start(intake)
    backend.refuses = {"never"}

    def heard() -> list[Heard]:
        return [(message.topic, message.body) for message in backend.published]

    return Bench(backend, intake, backend.deliver, Message("x", "never", b"{}"), heard, None, has_sockets=False)


def zeromq(stack: ExitStack) -> Bench:
    backend, intake = (
        ZeroMQ(hub_context(configured(bind=["tcp://127.0.0.1:*"], publish_bind=["tcp://127.0.0.1:*"]))),
        Recorder(),
    )
    backend.subscribe(["#"])
    backend.start(intake)
    bus = stack.enter_context(publisher(real_endpoint(backend.status())))
    subscribed(bus)
    reader = zeromq_subscriber(stack, backend)
    found: list[Heard] = []

    def heard() -> list[Heard]:
        while reader.poll(0):
            topic, body = reader.recv_multipart()
            found.append((topic.decode(), fedmsg_body(body)))
        return found

    def send(topic: str, body: bytes) -> None:
        bus.send_multipart([topic.encode(), body])

    unsendable = Message("x", "a.b", b"no JSON")
    return Bench(backend, intake, send, unsendable, heard, lambda: send("a.b", b"no JSON"))


def zeromq_subscriber(stack: ExitStack, backend: ZeroMQ) -> Any:
    """A plain pyzmq subscriber, of which the backend knows."""
    context: Any = zmq.Context()
    stack.callback(context.destroy, linger=0)
    reader = context.socket(zmq.SUB)
    reader.subscribe(b"")
    reader.connect(real_endpoint(backend.status(), 1))

    def reached() -> bool:
        backend.publish(Message("x", "first", b"{}"))
        return bool(reader.poll(10))

    turn_until(reached, "the subscriber")
    while reader.poll(100):
        reader.recv_multipart()
    return reader


def stomp(stack: ExitStack) -> Bench:
    broker = stack.enter_context(Broker())
    client = make(broker.port, destinations=["/topic/#"], publish="/queue/{topic}", max_message_size=1024)
    intake = Recorder()
    client.subscribe(["#"])
    client.start(intake)
    connected(client)

    def send(topic: str, body: bytes) -> None:
        broker.send(f"/topic/{topic}", body)

    def heard() -> list[Heard]:
        return [(frame.headers["destination"].removeprefix("/queue/"), frame.body) for frame in broker.of("SEND")]

    oversize = b"x" * 1025
    return Bench(client, intake, send, Message("x", "a.b", oversize), heard, lambda: send("a.b", oversize))


def amqp(stack: ExitStack) -> Bench:
    broker, numbers = stack.enter_context(AmqpBroker()), itertools.count(1)
    client = amqp_clients.make(broker.port, publish="e", max_message_size=1024)
    intake = Recorder()
    client.subscribe(["#"])
    client.start(intake)
    amqp_clients.connected(client)

    def send(topic: str, body: bytes) -> None:
        broker.send(topic, body, message_id=f"m-{next(numbers)}")

    def heard() -> list[Heard]:
        return [(message.routing_key, message.body) for message in broker.published]

    oversize = b"x" * 1025
    return Bench(client, intake, send, Message("x", "a.b", oversize), heard, lambda: send("a.b", oversize))


def stomp_server(stack: ExitStack) -> Bench:
    port, enqueuer = free_port(), new_enqueuer()
    server = StompServer(hub_context(ServerConfig(listen=[f"127.0.0.1:{port}"]), enqueuer=enqueuer))
    intake = HubOfTheServer(server, enqueuer)
    server.start(intake)
    client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
    client.sendall(b"CONNECT\naccept-version:1.2\n\n\0")
    turn_until(lambda: server.status()["state"] == "connected", "the client to be connected")
    reader = StompSubscriber(stack, port)

    def send(topic: str, body: bytes) -> None:
        with suppress(OSError):  # the server has ended
            client.sendall(b"SEND\ndestination:/topic/%b\npersistent:true\n\n%b\0" % (topic.encode(), body))

    def spoil() -> None:
        other = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        other.sendall(b"NO STOMP\n\n\0")

    return Bench(server, intake, send, Message("x", "/nowhere", b"{}"), reader.read, spoil)


def redis(stack: ExitStack) -> Bench:
    """Streams; it names the topic in a field."""
    server = stack.enter_context(Double())
    backend, intake = redis_backend(server, publish="out", max_message_size=1024)

    def send(topic: str, body: bytes) -> None:
        server.do("XADD", "work", "*", "topic", topic, "body", body)

    def heard() -> list[Heard]:
        entries = server.do("XRANGE", "out", "-", "+")
        fields = [dict(zip(row[1][::2], row[1][1::2], strict=True)) for row in entries]
        return [(one[b"topic"].decode(), one[b"body"]) for one in fields]

    oversize = b"x" * 1025
    return Bench(backend, intake, send, Message("x", "a.b", oversize), heard, lambda: send("a.b", oversize))


def redis_channels(stack: ExitStack) -> Bench:
    """Pub/sub; the topic is the channel."""
    server = stack.enter_context(Double())
    given = {"streams": [], "channels": ["a.*"], "publish_channel": "out.{topic}", "max_message_size": 1024}
    backend, intake = redis_backend(server, **given)
    listener = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
    listener.sendall(b"*2\r\n$10\r\nPSUBSCRIBE\r\n$5\r\nout.*\r\n")
    listener.recv(1 << 16)
    listener.setblocking(False)
    reader, found = RespReader(), list[Heard]()

    def send(topic: str, body: bytes) -> None:
        server.do("PUBLISH", topic, body)

    def heard() -> list[Heard]:
        with suppress(BlockingIOError):
            while data := listener.recv(1 << 16):
                found.extend((row[2].decode().removeprefix("out."), row[3]) for row in reader.feed(data))
        return found

    oversize = b"x" * 1025
    return Bench(backend, intake, send, Message("x", "a.b", oversize), heard, lambda: send("a.b", oversize))


def redis_backend(server: Double, **given: Any) -> tuple[Redis, Recorder]:
    backend, intake = redis_clients.make(server.port, **given), Recorder()
    backend.subscribe(["#"])
    backend.start(intake)
    redis_clients.connected(backend)
    return backend, intake


class RespReader:
    """Reads arrays of texts."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> list[list[bytes]]:
        self._data += data
        rows = []
        while (row := self._next()) is not None:
            rows.append(row)
        return rows

    def _next(self) -> list[bytes] | None:
        stream = io.BytesIO(self._data)
        head, row = stream.readline(), list[bytes]()
        if not head.endswith(b"\n"):
            return None
        for _ in range(int(head[1:])):
            size = stream.readline()
            if not size.endswith(b"\n"):
                return None
            text = stream.read(int(size[1:]) + 2)
            if len(text) < int(size[1:]) + 2:
                return None
            row.append(text[:-2])
        self._data = self._data[stream.tell() :]
        return row


BENCHES = (memory, zeromq, stomp, amqp, stomp_server, redis, redis_channels)
