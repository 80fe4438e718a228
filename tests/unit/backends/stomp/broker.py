"""A small STOMP broker in the test's own reactor, whose answers a test may change.

What it does of itself is what RabbitMQ and ActiveMQ do: tests/system/test_stomp_client.py runs against all three.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOFactory

from hub.backends.stomp.frame import Frame, Version, encode
from hub.backends.stomp.heartbeat import Beats, HeartBeat
from hub.backends.stomp.limits import Limits
from hub.backends.stomp.parser import Parser
from tests.unit.backends.support import REACTOR, turn_for, turn_until

Answer = Callable[["Client", Frame], object]


@dataclass
class Kept:
    """A message that the broker has."""

    headers: dict[str, str]
    body: bytes
    deliveries: int = 0


@dataclass
class Subscribed:
    """A subscription of a client."""

    client: Client
    id: str
    destination: str
    ack: str
    prefetch: int
    unacked: dict[str, Kept] = field(default_factory=dict)


class Broker(Factory):
    """``with Broker() as broker:``; it listens on ``port`` of loopback, and may be stopped and started again.

    :ivar frames: all that it was sent. :ivar answers: what is done instead, by command. :ivar buried: NACKed bodies.
    :ivar connections: how often somebody has connected.
    """

    noisy = False

    def __init__(self, version: str = "1.2", heart_beat: str = "0,0", tls: Any = None) -> None:
        self.version = version
        self.heart_beat = heart_beat
        self.port = 0
        self.frames: list[Frame] = []
        self.answers: dict[str, Answer] = {}
        self.buried: list[bytes] = []
        self.clients: list[Client] = []
        self.connections = 0
        self._tls = tls
        self._queues: dict[str, deque[Kept]] = {}
        self._subscriptions: list[Subscribed] = []
        self._numbers = itertools.count(1)
        self._listening: Any = None

    def __enter__(self) -> Broker:
        # Twisted's own listenSSL would have its timers in the reactor that is installed.
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

    def commands(self) -> list[str]:
        return [frame.command for frame in self.frames]

    def of(self, command: str) -> list[Frame]:
        return [frame for frame in self.frames if frame.command == command]

    # -- what it does

    def send(self, destination: str, body: bytes, **headers: str) -> None:
        """Take a message, as if somebody had sent it."""
        self.route(Kept({"destination": destination, **headers}, body))

    def route(self, message: Kept) -> None:
        destination = message.headers["destination"]
        if destination.startswith("/topic/"):
            for subscription in self._subscriptions:
                if subscription.destination in (destination, "/topic/#", "/topic/>"):
                    self._queues.setdefault(subscription.destination + subscription.id, deque()).append(message)
        else:
            self._queues.setdefault(destination, deque()).append(message)
        self.deliver()

    def deliver(self) -> None:
        """Hand out what there is to those with credit."""
        for subscription in self._subscriptions:
            shared = not subscription.destination.startswith("/topic/")
            name = subscription.destination if shared else subscription.destination + subscription.id
            queue = self._queues.get(name, deque())
            while queue and (subscription.ack == "auto" or len(subscription.unacked) < subscription.prefetch):
                self._hand_out(subscription, queue.popleft())

    def _hand_out(self, subscription: Subscribed, message: Kept) -> None:
        number = f"m-{next(self._numbers)}"
        message.deliveries += 1
        headers = {**message.headers, "subscription": subscription.id, "message-id": number}
        headers["redelivered"] = "true" if message.deliveries > 1 else "false"
        if subscription.ack != "auto":
            subscription.unacked[number] = message
            headers["ack"] = number
        subscription.client.send("MESSAGE", headers, message.body)

    def subscribe(self, client: Client, frame: Frame) -> None:
        headers = frame.headers
        prefetch = int(headers.get("prefetch-count", "1000000"))
        ack = headers.get("ack", "auto")
        self._subscriptions.append(Subscribed(client, headers["id"], headers["destination"], ack, prefetch))

    def settle(self, client: Client, frame: Frame) -> None:
        number = frame.headers.get("id") if self.version == "1.2" else frame.headers["message-id"]
        (mine,) = [one for one in self._subscriptions if one.client is client and number in one.unacked]
        order = list(mine.unacked)
        last = order.index(number or "")
        for settled in order[0 if mine.ack == "client" else last : last + 1]:
            message = mine.unacked.pop(settled)
            if frame.command == "NACK":
                self.buried.append(message.body)
        self.deliver()

    def gone(self, client: Client) -> None:
        """Take back what was not acknowledged, in order."""
        self.clients.remove(client)
        for subscription in [one for one in self._subscriptions if one.client is client]:
            self._subscriptions.remove(subscription)
            if not subscription.destination.startswith("/topic/"):
                back = self._queues.setdefault(subscription.destination, deque())
                back.extendleft(reversed(subscription.unacked.values()))
        self.deliver()

    def unacked(self) -> Counter[str]:
        """Messages that were handed out and not settled, by subscription."""
        return Counter({one.id: len(one.unacked) for one in self._subscriptions})


class Client(Protocol):
    """One connection to the broker."""

    transport: Any

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._parser = Parser(Limits())
        self._beats: HeartBeat | None = None

    def connectionMade(self) -> None:
        self._broker.clients.append(self)

    def _beat(self) -> None:
        self.transport.write(b"\n")

    def connectionLost(self, reason: object) -> None:  # type: ignore[override]
        if self._beats is not None:
            self._beats.stop()
        self._broker.gone(self)

    def dataReceived(self, data: bytes) -> None:
        if self._beats is not None:
            self._beats.heard()
        for frame in self._parser.feed(data):
            self._broker.frames.append(frame)
            self._broker.answers.get(frame.command, self.answer)(self, frame)

    def answer(self, _: Client, frame: Frame) -> None:
        """What the broker does of itself. The RECEIPT comes last, when it is done."""
        if frame.command in ("CONNECT", "STOMP"):
            self._parser.version = Version(self._broker.version)
            self._parser.logged_in()
            given = {"version": self._broker.version, "heart-beat": self._broker.heart_beat, "server": "double/1"}
            self.send("CONNECTED", given)
            agreed = Beats.parse(self._broker.heart_beat).agree(Beats.parse(frame.headers.get("heart-beat")))
            self._beats = HeartBeat(REACTOR, agreed, self._beat, lambda _: self.transport.abortConnection())
            self._beats.start()
        elif frame.command == "SUBSCRIBE":
            self._broker.subscribe(self, frame)
        elif frame.command in ("ACK", "NACK"):
            self._broker.settle(self, frame)
        self.receipt(frame)
        if frame.command == "SEND":
            headers = {
                name: value for name, value in frame.headers.items() if name not in ("receipt", "content-length")
            }
            self._broker.route(Kept(headers, frame.body))
        if frame.command == "SUBSCRIBE":
            self._broker.deliver()
        if frame.command == "DISCONNECT":
            self.transport.loseConnection()

    def receipt(self, frame: Frame) -> None:
        if "receipt" in frame.headers:
            self.send("RECEIPT", {"receipt-id": frame.headers["receipt"]})

    def error(self, text: str, **headers: str) -> None:
        """Say what is wrong, and end the connection."""
        self.send("ERROR", {"message": text, **headers})
        self.transport.loseConnection()

    def send(self, command: str, headers: dict[str, str], body: bytes = b"") -> None:
        self.transport.write(encode(command, headers, body, Version(self._broker.version)))


def settled() -> None:
    """Let all that is on its way arrive."""
    turn_for(0.05)
