"""Which broker is tried, and when: on a reactor that only pretends."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from hub.backends.failover import STABLE, Failover
from hub.backends.stomp.client_connection import Connection
from hub.backends.stomp.client_login import Login
from hub.backends.stomp.client_settings import Config
from hub.backends.stomp.frame import Frame
from tests.unit.backends.stomp.test_client_connection import CONNECTED, Wire
from tests.unit.backends.support import Lines


class World:
    """A failover, and a network on which brokers answer as a test says."""

    def __init__(self, *hosts: str, **given: Any) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.lines = Lines()
        logger = logging.Logger("test")
        logger.addHandler(self.lines)
        self.bounds: list[float] = []
        connect = [f"stomp://{host}:1" for host in hosts]
        config = Config(connect=connect, destinations=["/queue/x"], heart_beat=0, **given)
        log = logging.LoggerAdapter(logger, {})

        def make(failover: Failover[Connection]) -> Connection:
            return Connection(config, Login(), failover, self.reactor)

        self.failover = Failover(config, make, None, self, self.reactor, log, self.draw)
        self.works = True
        self.lost_for: list[str] = []
        self.seen = 0

    def draw(self, least: float, most: float) -> float:
        self.bounds.append(most)
        return most

    def opened(self, connection: Connection) -> None:
        if self.works:
            self.failover.established()

    def received(self, frames: list[Frame]) -> None:
        raise AssertionError

    def lost(self, reason: str, error: Frame | None) -> None:
        self.lost_for.append(reason)

    def attempt(self) -> tuple[str, Any]:
        """Host and factory of the attempt that was just made."""
        assert len(self.reactor.tcpClients) == self.seen + 1
        host, _, factory, _, _ = self.reactor.tcpClients[self.seen]
        self.seen += 1
        return host, factory

    def refuse(self) -> str:
        host, factory = self.attempt()
        factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))
        return host

    def accept(self) -> tuple[str, Connection]:
        host, factory = self.attempt()
        protocol = factory.buildProtocol(None)
        protocol.makeConnection(Wire())
        connection: Connection = protocol._wrappedProtocol  # the endpoint's own is around it
        protocol.dataReceived(CONNECTED)
        return host, connection

    def idle(self) -> None:
        assert len(self.reactor.tcpClients) == self.seen


def end(connection: Connection) -> None:
    connection.connectionLost(Failure(ConnectionDone()))


def test_the_first_may_be_down_at_the_start() -> None:
    world = World("127.0.0.1", "127.0.0.2")
    world.failover.start()
    assert world.refuse() == "127.0.0.1"
    world.reactor.advance(0)
    assert world.accept()[0] == "127.0.0.2"
    assert world.failover.usable
    assert str(world.failover.address) == "stomp://127.0.0.2:1"
    assert (world.failover.failures, world.failover.error) == (1, "")


def test_between_rounds_the_pause_grows_to_its_bound() -> None:
    world = World("127.0.0.1", "127.0.0.2", reconnect_interval_max="3s")
    world.failover.start()
    for bound in (0.5, 1.0, 2.0, 3.0, 3.0):
        assert world.refuse() == "127.0.0.1"
        world.reactor.advance(0)
        assert world.refuse() == "127.0.0.2"
        assert world.bounds[-1] == bound
        world.reactor.advance(bound * 0.99)
        world.idle()
        world.reactor.advance(bound * 0.01 + 1e-9)
    assert world.bounds == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert world.failover.error == "; ".join(
        f"stomp://127.0.0.{last}:1: Connection was refused by other side." for last in (1, 2)
    )


def test_each_broker_that_failed_is_named_with_its_failure_and_logged_once() -> None:
    world = World("127.0.0.1", "127.0.0.2", connect_timeout="2s")
    world.failover.start()
    for _ in range(3):
        world.refuse()
        world.reactor.advance(0)
        world.attempt()
        world.reactor.advance(2)
        assert [(str(address), reason) for address, reason in world.failover.tried()] == [
            ("stomp://127.0.0.1:1", "Connection was refused by other side."),
            ("stomp://127.0.0.2:1", "it does not answer"),
        ]
        world.reactor.advance(60)
    assert len(world.lines.texts) == 2
    _, connection = world.accept()
    assert (world.failover.error, len(world.failover.tried())) == ("", 1)
    end(connection)
    assert world.failover.error.startswith("stomp://127.0.0.1:1: ")


def test_after_a_good_connection_the_next_broker_is_tried_soon() -> None:
    world = World("127.0.0.1", "127.0.0.2")
    world.failover.start()
    _, connection = world.accept()
    world.reactor.advance(STABLE)
    end(connection)
    assert not world.failover.usable
    assert world.failover.disconnects == 1
    assert len(world.lost_for) == 1
    assert world.bounds == [0.5]  # jittered: many hubs lose their broker at once
    world.reactor.advance(0.5)
    assert world.accept()[0] == "127.0.0.2"


def test_a_connection_that_ends_at_once_is_a_failed_attempt() -> None:
    world = World("127.0.0.1")
    world.failover.start()
    for bound in (0.5, 1.0, 2.0, 4.0):
        end(world.accept()[1])
        assert world.bounds[-1] == bound
        world.reactor.advance(bound)
    assert (world.failover.failures, world.failover.disconnects) == (4, 4)


def test_one_that_is_open_but_not_used_is_a_failed_attempt_too() -> None:
    """A broker that accepts the login, and no subscription."""
    world = World("127.0.0.1")
    world.works = False
    world.failover.start()
    for bound in (0.5, 1.0):
        _, connection = world.accept()
        world.reactor.advance(STABLE)
        assert not world.failover.usable
        end(connection)
        assert world.bounds[-1] == bound
        world.reactor.advance(bound)


def test_a_broker_that_accepts_and_says_nothing_is_left() -> None:
    world = World("127.0.0.1", connect_timeout="2s")
    world.failover.start()
    _, factory = world.attempt()
    protocol = factory.buildProtocol(None)
    wire = Wire()
    protocol.makeConnection(wire)
    world.reactor.advance(2)
    assert wire.aborted
    end(protocol._wrappedProtocol)
    assert world.failover.error == "stomp://127.0.0.1:1: no login within 2 s"


def test_a_broker_that_does_not_answer_is_left() -> None:
    world = World("127.0.0.1", connect_timeout="2s")
    world.failover.start()
    world.attempt()
    world.reactor.advance(2)
    assert world.failover.error == "stomp://127.0.0.1:1: it does not answer"
    assert world.reactor.connectors[0].stoppedConnecting or world.reactor.connectors[0]._disconnected


def test_the_log_says_it_once() -> None:
    world = World("127.0.0.1")
    world.failover.start()
    for bound in (0.5, 1.0, 2.0):
        world.refuse()
        world.reactor.advance(bound)
    assert len(world.lines.texts) == 1
    assert "no connection to stomp://127.0.0.1:1: Connection was refused" in world.lines.texts[0]
    world.accept()
    assert world.lines.texts[1:] == ["connected to stomp://127.0.0.1:1 (double/1)"]


@pytest.mark.parametrize("when", ["before", "connecting", "waiting"])
def test_a_stop_leaves_nothing_behind(when: str) -> None:
    world = World("127.0.0.1")
    if when != "before":
        world.failover.start()
    if when == "waiting":
        world.refuse()
    stopped: list[object] = []
    world.failover.stop().addCallback(stopped.append)
    assert stopped == [None]
    assert world.reactor.getDelayedCalls() == []


def test_a_stop_says_goodbye() -> None:
    world = World("127.0.0.1")
    world.failover.start()
    _, connection = world.accept()
    stopped: list[object] = []
    world.failover.stop().addCallback(stopped.append)
    connection.dataReceived(b"RECEIPT\nreceipt-id:goodbye\n\n\0")
    assert stopped == []
    end(connection)
    assert stopped == [None]
    assert world.reactor.getDelayedCalls() == []
