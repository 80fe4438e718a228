"""Limits of connections: of all, and of each address."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from hub.backends.stomp import connections
from hub.backends.stomp.connection import LINGER
from hub.backends.stomp.peer import counted_address
from tests.conftest import ReactorThread
from tests.unit.backends.stomp.server import CONNECT, Client, Server, running
from tests.unit.backends.stomp.web_client import WebClient

TOO_MANY = b"message:there are 2 connections from 127.0.0.1: no more are accepted\n"


def of_address(server: Server) -> Counter[str]:
    found: Counter[str] = server.call(lambda: Counter(server.open.of_address))
    return found


def refused(server: Server) -> bytes:
    """What one more client is told."""
    client, told = server.client(), b""
    with contextlib.suppress(OSError):  # it may have been closed at once
        client.send(CONNECT)
        told = client.rest()
    client.socket.close()
    return told
    return told


def test_one_address_has_a_limit_and_others_have_their_own(reactor_thread: ReactorThread) -> None:
    with running(reactor_thread, max_connections_per_address=2) as server:
        mine = [server.client() for _ in range(2)]
        for client in mine:
            client.connect()
        assert TOO_MANY in refused(server)
        other = server.client(source="127.0.0.2")
        other.connect()
        server.wait(lambda: len(server.connections) == 3, "the end of the refused one")
        assert of_address(server) == {"127.0.0.1": 2, "127.0.0.2": 1}
        mine[0].socket.close()
        server.wait(lambda: len(server.connections) == 2, "room")
        server.client().connect()
        assert server.connections.ended == {"refuse": 1}
    assert of_address(server) == {}


def test_what_is_refused_is_logged_and_not_each_one(reactor_thread: ReactorThread) -> None:
    with running(reactor_thread, max_connections_per_address=1) as server:
        server.client().connect()
        for _ in range(5):
            assert b"there are 1 connections from 127.0.0.1" in refused(server)
        assert server.connections.ended == {"refuse": 5}
        assert len(server.log.lines()) < 5
        assert "there are 1 connections from 127.0.0.1: no more are accepted" in server.log.lines()[0]


def test_who_is_refused_and_stays_takes_few_places_of_others(
    reactor_thread: ReactorThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "TURNED_AWAY_OF_ONE", 2)
    with running(reactor_thread, max_connections=6, max_connections_per_address=2) as server:
        clients: list[Client] = [server.client() for _ in range(4)]
        for client in clients:
            client.send(CONNECT)
        server.wait(lambda: server.connections.ended == {"refuse": 2}, "the refusals")
        for _ in range(4):
            assert refused(server) == b""
        assert of_address(server) == {"127.0.0.1": 4}
        server.client(source="127.0.0.2").connect()
        assert server.connections.ended == {"refuse": 6}
        assert TOO_MANY in clients[-1].rest()


def test_a_websocket_that_is_too_many_is_told_by_http_when_to_try_again(reactor_thread: ReactorThread) -> None:
    with running(reactor_thread, max_connections_per_address=2) as server:
        for _ in range(2):
            server.client().connect()
        client = server.client()
        client.send(WebClient().request())
        head, _, body = client.rest().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\n")
        assert body == b"there are 2 connections from 127.0.0.1: no more are accepted\n"
        assert server.connections.ended == {"refuse": 1}


def test_who_is_too_many_and_says_nothing_is_told_after_a_while(reactor_thread: ReactorThread) -> None:
    with running(reactor_thread, max_connections_per_address=2) as server:
        for _ in range(2):
            server.client().connect()
        client = server.client()
        server.wait(lambda: len(server.connections) == 3, "the connection")
        server.advance(LINGER + 0.1)
        assert TOO_MANY in client.rest()


def test_unix_sockets_have_no_such_limit(reactor_thread: ReactorThread, tmp_path: Path) -> None:
    with running(reactor_thread, tmp_path / "sock", max_connections_per_address=1) as server:
        for _ in range(3):
            server.client().connect()
        assert of_address(server) == {}


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        (IPv4Address("TCP", "192.0.2.7", 1), "192.0.2.7"),
        (IPv6Address("TCP", "::ffff:192.0.2.7", 1), "192.0.2.7"),
        (IPv6Address("TCP", "2001:db8:1:2:3::4", 1), "2001:db8:1:2::/64"),
        (IPv6Address("TCP", "fe80::1%eth0", 1), "fe80::/64"),
        (UNIXAddress("/path"), None),
    ],
)
def test_an_ipv6_network_counts_as_one(address: Any, counted: str | None) -> None:
    assert counted_address(address) == counted
