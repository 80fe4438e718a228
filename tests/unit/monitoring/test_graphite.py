"""The hub's numbers as carbon reads them. The system tests hold them against a real one."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from monitoring.datagrams import LIMIT
from monitoring.figures import Figure
from monitoring.graphite import Graphite, Stream, line
from tests.support import free_port
from tests.unit.monitoring.receivers import LOOPBACK, context, received, udp_socket
from tests.unit.monitoring.snapshots import consumer, snapshot

LINE = r"[A-Za-z0-9_.]+ -?\d+(\.\d+)? 1700000000"


@contextmanager
def listening(port: int = 0) -> Iterator[socket.socket]:
    with socket.create_server((LOOPBACK, port)) as server:
        server.settimeout(10)
        yield server


def accepted(server: socket.socket) -> socket.socket:
    connection, _ = server.accept()
    connection.settimeout(10)
    return connection


def test_a_line_is_a_path_a_value_and_a_time() -> None:
    assert (
        line(Figure(("consumers", "c", "backlog"), "gauge", 545), "hubbub.h", 17)
        == b"hubbub.h.consumers.c.backlog 545 17\n"
    )
    assert line(Figure(("a",), "gauge", -0.5), "p", 17) == b"p.a -0.5 17\n"


def test_by_udp_the_lines_come_whole_in_bounded_datagrams() -> None:
    with udp_socket() as receiver:
        exporter = Graphite(context(Graphite, port=receiver.getsockname()[1], prefix="hubbub.h"))
        exporter.export(snapshot(**{f"c{number}": consumer() for number in range(20)}))
        datagrams = received(receiver)
        exporter.close()
    assert len(datagrams) > 10
    assert max(map(len, datagrams)) <= LIMIT
    assert all(datagram.endswith(b"\n") for datagram in datagrams)
    sent = b"".join(datagrams).decode().splitlines()
    assert [text for text in sent if not re.fullmatch(LINE, text)] == []
    assert "hubbub.h.consumers.c19.backlog 545 1700000000" in sent
    assert "hubbub.h.consumers.c19.received 600 1700000000" in sent


def test_by_tcp_one_connection_is_kept() -> None:
    with listening() as server:
        port = server.getsockname()[1]
        exporter = Graphite(context(Graphite, port=port, prefix="p", protocol="tcp"))
        exporter.export(snapshot())
        exporter.export(snapshot())
        exporter.close()
        with accepted(server) as connection, connection.makefile("rb") as text:
            assert text.read().count(b"p.consumers.slow.backlog 545 1700000000\n") == 2
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_connection_that_carbon_closed_is_opened_anew_and_nothing_is_lost() -> None:
    with listening() as server:
        stream = Stream(LOOPBACK, server.getsockname()[1], 10)
        stream.send([b"one\n"])
        with accepted(server) as connection:
            assert connection.recv(100) == b"one\n"
        stream.send([b"two\n", b"three\n"])
        with accepted(server) as connection:
            assert connection.recv(100) == b"two\nthree\n"
        stream.close()


def test_without_a_carbon_it_fails_and_tries_anew() -> None:
    port = free_port()
    stream = Stream(LOOPBACK, port, 10)
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            stream.send([b"lost\n"])
    with listening(port) as server:
        stream.send([b"found\n"])
        with accepted(server) as connection:
            assert connection.recv(100) == b"found\n"
        stream.close()


def test_a_carbon_that_does_not_read_is_given_up_and_connected_to_anew() -> None:
    with listening() as server:
        stream = Stream(LOOPBACK, server.getsockname()[1], 0.1)
        with pytest.raises(TimeoutError):
            stream.send([b"x" * 50_000_000])
        stream.send([b"fresh\n"])
        accepted(server).close()
        with accepted(server) as connection:
            assert connection.recv(100) == b"fresh\n"
        stream.close()


def test_a_peer_that_vanished_is_noticed_within_the_timeout() -> None:
    with listening() as server:
        stream = Stream(LOOPBACK, server.getsockname()[1], 2.5)
        stream.send([b"one\n"])
        connected = stream._socket
        assert connected is not None
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 2500
        stream.close()
        assert connected.fileno() == -1
