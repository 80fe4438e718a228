from __future__ import annotations

import socket
from contextlib import suppress

from tests.support import wait_until
from tests.unit.backends.stomp.server import Client, Server


def lazy_client(server: Server) -> Client:
    """One for whom the kernel keeps little, and no more later: what blocks once stays blocked."""
    client = server.client()
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    client.connect()
    return client


def block(server: Server) -> list[str]:
    """Send to a client that does not read until the kernel takes no more. Returns what its session is told."""
    session = server.session
    frame = b"MESSAGE\ncontent-length:50000\n\n" + b"x" * 50_000 + b"\0"
    for _ in range(1000):
        server.call(session.transport.send_all, [frame, frame])
        if all(server.call(lambda: server.connections.unread) for _ in range(10)):
            break
    assert session.told[-1] == "blocked"
    return session.told


def test_a_client_that_does_not_read_blocks_its_session_and_no_other(server: Server) -> None:
    slow, other = lazy_client(server), server.client()
    session = server.session
    told = block(server)
    assert server.connections.unread >= 50_000
    other.connect()
    slow.send(b"SEND\n\n\0")  # it is still read
    server.wait(lambda: "SEND" in session.commands, "the SEND")
    server.advance(10)
    slow.socket.settimeout(0.1)

    def drained() -> bool:
        with suppress(TimeoutError):  # the last frame may have come before the session is told
            slow.frame()
        return told[-1] == "writable"

    wait_until(drained, 20, "the session to be told")
    assert server.connections.unread == 0
    server.advance(1000)
    assert told[-1] == "writable"


def test_who_never_reads_is_dropped_after_a_while(server: Server) -> None:
    lazy_client(server)
    told = block(server)
    server.advance(60)
    assert told[-1] == "blocked"
    server.advance(20)
    assert told[-1].startswith("lost by the client: it has not read ")
    assert server.connections.ended == {"stuck": 1}
    server.gone()


def test_who_never_reads_is_dropped_when_too_much_waits(server: Server) -> None:
    lazy_client(server)
    told = block(server)
    transport = server.session.transport
    server.call(transport.send, b"RECEIPT\nreceipt-id:1\n\n\0" * 400)
    assert told[-1] == "blocked"
    server.call(transport.send, b"RECEIPT\nreceipt-id:1\n\n\0" * 100)
    assert told[-1].startswith("lost by the client: it has not read ")
    server.gone()
