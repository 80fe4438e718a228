"""What a connection had goes when it is lost, by reference counting: the hub collects cyclic garbage seldom."""

from __future__ import annotations

import ssl
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from wsproto.events import TextMessage

from hub.backends.stomp.frame import Version
from hub.backends.stomp.login import Hash, Users
from hub.backends.stomp.message_frame import MOST_TAIL_BYTES
from hub.backends.stomp.tls import ServerTLS
from hub.message import Message
from tests.certificates import Authority
from tests.conftest import ReactorThread
from tests.unit.backends.stomp.bench import Bench, Line, frame, subscribe
from tests.unit.backends.stomp.server import CONNECT, Client, Server, running
from tests.unit.backends.stomp.web_client import WebClient
from tests.unit.doubles import Headers

pytestmark = pytest.mark.usefixtures("no_collection")

BEATS = b"CONNECT\naccept-version:1.2\nheart-beat:4000,4000\n\n\0"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def tracing() -> Iterator[None]:
    """Memory is counted."""
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def kept(server: Server) -> list[weakref.ref[Any]]:
    """The connection of the only client and its transport, which this does not hold."""
    connection: Any = server.session.transport
    return [weakref.ref(connection), weakref.ref(connection.transport)]


def unread(server: Server) -> None:
    """Send the client more than the kernel takes."""
    while not server.call(lambda: server.connections.unread):
        server.call(server.session.transport.send_all, [b"x" * 100_000])


def close(client: Client) -> None:
    client.socket.close()


def break_it(client: Client) -> None:
    client.send(b"BAD\n\n\0")
    client.socket.close()


def break_the_stream(client: Client) -> None:
    client.send(b"NO\nheader without a colon\n\n\0")
    client.socket.close()


@pytest.mark.parametrize("end", [close, break_it, break_the_stream])
def test_a_connection_and_its_unread_bytes_are_freed(server: Server, end: Callable[[Client], None]) -> None:
    client = server.client()
    client.connect(BEATS)
    refs = kept(server)
    unread(server)
    end(client)
    server.gone()
    server.sessions.clear()
    server.wait(lambda: not any(ref() for ref in refs), "the end of the connection and its transport")


def test_a_stuck_connection_is_freed(server: Server) -> None:
    server.client().connect()
    refs = kept(server)
    unread(server)
    server.advance(120)
    server.gone()
    assert server.connections.ended == {"stuck": 1}
    server.sessions.clear()
    server.wait(lambda: not any(ref() for ref in refs), "the end of the connection and its transport")


ENDS: list[Callable[[Server, Client], None]] = [
    lambda server, client: close(client),
    lambda server, client: break_it(client),
    lambda server, client: break_the_stream(client),
    lambda server, client: server.advance(600),
]


@pytest.mark.parametrize("end", ENDS, ids=["close", "error", "broken", "stuck"])
def test_with_tls_a_connection_and_its_unread_bytes_are_freed(
    reactor_thread: ReactorThread, authority: Authority, end: Callable[[Server, Client], None]
) -> None:
    """Twisted leaves the transport itself to the garbage collector."""
    own = authority.sign("server", "localhost")
    context = ssl.create_default_context(cafile=str(authority.file))
    with running(reactor_thread, tls=ServerTLS(own.file, own.key), max_unread=8 << 20) as server, tracing():
        client = server.client(lambda sock: context.wrap_socket(sock, server_hostname="localhost"))
        client.connect(BEATS)
        connection, _ = kept(server)
        unread(server)
        server.call(server.session.transport.send_all, [b"x" * 4_000_000])
        full = tracemalloc.get_traced_memory()[0]
        end(server, client)
        server.gone()
        server.sessions.clear()
        server.wait(lambda: connection() is None, "the end of the connection")
        server.wait(lambda: tracemalloc.get_traced_memory()[0] < full - 3_500_000, "the end of the unread bytes")


def test_a_web_socket_is_freed(reactor_thread: ReactorThread) -> None:
    with running(reactor_thread) as server:
        client, web = server.client(), WebClient()
        client.send(web.request())
        web.events(client.socket.recv(65536))
        client.send(web.connection.send(TextMessage(CONNECT.decode())))
        refs = kept(server)
        client.socket.close()
        server.gone()
        server.sessions.clear()
        server.wait(lambda: not any(ref() for ref in refs), "the end of the connection and its transport")


def test_who_still_knows_a_lost_connection_holds_no_transport_and_may_call_it(server: Server) -> None:
    client = server.client()
    client.connect(CONNECT)
    _, transport = kept(server)
    server.call(server.session.transport.pause)
    unread(server)
    server.call(server.session.transport.abort)
    server.gone()
    server.wait(lambda: transport() is None, "the end of the transport")
    connection: Any = server.session.transport
    for call in (connection.resume, connection.pause, connection.resume, connection.close, connection.abort):
        server.call(call)
    server.call(connection.send, b"x")
    server.call(connection.send_all, [b"x"])
    server.call(connection.close, b"x")
    server.call(connection.dataReceived, CONNECT)
    assert (connection.loopback, connection.certificate, connection.unread > 0) == (False, None, True)
    assert server.session.told[-1] == "lost: cut by the server"
    assert [one for one in server.session.told if one.startswith("lost")] == server.session.told[-1:]


def hang_up(line: Line) -> list[weakref.ref[Any]]:
    """Hang up. Returns what the line had, which nothing of the test holds."""
    refs: list[weakref.ref[Any]] = [weakref.ref(line.session), weakref.ref(line.session.commands)]
    line.hang_up()
    del line.session
    return refs


@pytest.mark.parametrize("mode", ["auto", "client"])
def test_a_session_and_the_messages_of_its_queues_are_freed(mode: str) -> None:
    bench = Bench(prefetch=2)
    line = subscribe(bench, mode, destination="/topic/a")
    line.write(frame("SUBSCRIBE", id="t", destination="/temp-queue/t"))
    if mode == "auto":
        line.session.blocked()
    headers = [Headers() for _ in range(6)]
    messages = [weakref.ref(one) for one in headers]
    bench.broker.send([Message("i", "a", b"x", one, 0.0, "stomp") for one in headers], (), lambda receipt: None)
    bench.turn()
    del headers
    assert all(one() is not None for one in messages)
    refs = hang_up(line)
    bench.turn()
    assert [ref() for ref in refs] == [None, None]
    other = Message("o", "a", b"x" * MOST_TAIL_BYTES, {}, 0.0, "stomp")
    bench.broker.tails(Version.V12).of(other)  # the encoded messages that all sessions share are bounded
    assert [one() for one in messages] == [None] * 6


def test_a_session_whose_login_is_answered_after_its_end_is_freed_then() -> None:
    bench = Bench(users=Users({"mary": Hash.of("secret")}))
    line = Line(bench)
    line.write(frame("CONNECT", accept_version="1.2", login="mary", passcode="secret"))
    assert line.paused
    session = weakref.ref(line.session)
    line.hang_up()
    del line.session
    assert session() is not None
    bench.turn()
    assert line.frames() == []
    assert session() is None
