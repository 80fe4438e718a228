"""Connections to real sockets on loopback."""

from __future__ import annotations

import socket

import pytest

from hub.monitoring.connection import TcpConnection, UdpConnection
from tests.support import free_port, wait_until
from tests.unit.monitoring.receivers import LOOPBACK, accepted, listening, received, udp_socket


def test_what_is_sent_arrives_by_one_socket() -> None:
    with udp_socket() as receiver:
        connection = UdpConnection(LOOPBACK, receiver.getsockname()[1])
        connection.send([b"one"])
        _, first = receiver.recvfrom(100)
        connection.send([b"two", b"three"])
        second, third = receiver.recvfrom(100), receiver.recvfrom(100)
        connection.close()
        connection.close()
    assert second == (b"two", first)
    assert third == (b"three", first)


def refused(connection: UdpConnection) -> bool:
    try:
        connection.send([b"?"])
    except ConnectionRefusedError:
        return True
    return False


def test_the_sender_is_told_that_nobody_listens_and_goes_on_once_somebody_does() -> None:
    port = free_port(socket.SOCK_DGRAM)
    connection = UdpConnection(LOOPBACK, port)
    wait_until(lambda: refused(connection))
    with udp_socket(port) as receiver:
        connection.send([b"again"])
        assert received(receiver) == [b"again"]
    connection.close()


@pytest.mark.filterwarnings("error")  # a socket that was left open is one
@pytest.mark.parametrize("host", ["no-such-host.invalid", "255.255.255.255"], ids=["unknown", "not allowed"])
def test_an_address_that_cannot_be_had_is_an_error_each_time(host: str) -> None:
    connection = UdpConnection(host, 1)
    for _ in range(2):
        with pytest.raises(OSError):
            connection.send([b"?"])


def test_a_connection_that_the_peer_closed_is_opened_anew_and_nothing_is_lost() -> None:
    with listening() as server:
        connection = TcpConnection(LOOPBACK, server.getsockname()[1], 10)
        connection.send([b"one\n"])
        with accepted(server) as peer:
            assert peer.recv(100) == b"one\n"
        connection.send([b"two\n", b"three\n"])
        with accepted(server) as peer:
            assert peer.recv(100) == b"two\nthree\n"
        connection.close()


def test_without_a_peer_it_fails_and_tries_anew() -> None:
    port = free_port()
    connection = TcpConnection(LOOPBACK, port, 10)
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            connection.send([b"lost\n"])
    with listening(port) as server:
        connection.send([b"found\n"])
        with accepted(server) as peer:
            assert peer.recv(100) == b"found\n"
        connection.close()


def test_a_peer_that_does_not_read_is_given_up_and_connected_to_anew() -> None:
    with listening() as server:
        connection = TcpConnection(LOOPBACK, server.getsockname()[1], 0.1)
        with pytest.raises(TimeoutError):
            connection.send([b"x" * 50_000_000])
        connection.send([b"fresh\n"])
        accepted(server).close()
        with accepted(server) as peer:
            assert peer.recv(100) == b"fresh\n"
        connection.close()


def test_a_peer_that_vanished_is_noticed_within_the_timeout() -> None:
    with listening() as server:
        connection = TcpConnection(LOOPBACK, server.getsockname()[1], 2.5)
        connection.send([b"one\n"])
        connected = connection._socket
        assert connected is not None
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 2500
        connection.close()
        assert connected.fileno() == -1
