"""Any bytes on real sockets: no error but those that the server counts, and none of them its own."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.logger import ILogObserver, globalLogPublisher
from zope.interface import implementer

from tests.conftest import ReactorThread
from tests.unit.backends.stomp.server import CONNECT, Server, running
from tests.unit.backends.stomp.web_client import WebClient

FRAMES = [b"SEND\n", b"\n", b"\r\n", b"\0", b"a:b\n", b"a:\\t\n", b"content-length:3\n", b"abc", b"\xff", b"x" * 150,
          b"SEND\nreceipt:1\n\n\0", b"PAUSE\n\n\0", b"BAD\n\n\0", b"DISCONNECT\n\n\0"]  # fmt: skip
WEB = [
    b"\x81\x82\0\0\0\0\n\n",
    b"\x82\x85\0\0\0\0ACK\n\n",
    b"\x82\x81\0\0\0\0\0",
    b"\x89\x80\0\0\0\0",
    b"\x88\x80\0\0\0\0",
    b"\xff",
]
BEGINS = [b"", CONNECT, WebClient().request(), b"GET ", b"\x16\x03\x01", b"\n"]
STREAMS = st.tuples(
    st.sampled_from(BEGINS),
    st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(FRAMES + WEB), max_size=20).map(b"".join)),
).map(b"".join)


@pytest.fixture(scope="module")
def server(reactor_thread: ReactorThread) -> Iterator[Server]:
    with running(reactor_thread, max_connections=1000) as made:
        yield made


@pytest.fixture
def unhandled() -> Iterator[list[Any]]:
    """Errors that nobody but the reactor caught."""
    found: list[Any] = []

    @implementer(ILogObserver)  # type: ignore[untyped-decorator]
    def observe(event: Any) -> None:
        if "log_failure" in event:
            found.append(event["log_failure"])

    globalLogPublisher.addObserver(observe)
    yield found
    globalLogPublisher.removeObserver(observe)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stream=STREAMS, step=st.sampled_from([1, 7, 1000]))
def test_any_bytes_end_in_order(server: Server, unhandled: list[Any], stream: bytes, step: int) -> None:
    client = server.client()
    before = server.call(lambda: server.connections.received_bytes)
    for begin in range(0, min(len(stream), 50 * step), step):
        try:
            client.send(stream[begin : begin + step])
        except (BrokenPipeError, ConnectionResetError):
            break
    if stream and stream[0] != 0x16:
        server.wait(lambda: server.connections.received_bytes > before, "the first bytes")
    client.socket.close()

    def ended() -> bool:
        for session in server.sessions:
            session.transport.resume()
        return not len(server.connections)

    server.wait(ended, "the end of the connection")
    for session in server.sessions:
        assert [told.partition(":")[0] for told in session.told] in (["lost"], ["lost by the client"])
    server.sessions.clear()
    assert unhandled == []
    assert server.connections.ended["bug"] == 0
