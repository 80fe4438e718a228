"""The codec of WebSocket in a connection, on real sockets."""

import sys

import pytest
from wsproto.events import AcceptConnection, CloseConnection, Ping, Pong, TextMessage

from hub.backends.stomp.connection import LINGER
from tests.conftest import ReactorThread
from tests.unit.backends.stomp.server import Client, Server, running
from tests.unit.backends.stomp.web_client import Headers, WebClient

CONNECT = "CONNECT\naccept-version:1.2\nheart-beat:0,4000\n\n\0"


class Browser(WebClient):
    """A WebSocket client on a socket."""

    def __init__(self, client: Client, headers: Headers | None = None) -> None:
        super().__init__()
        self.client = client
        client.send(self.request(headers=headers))
        assert isinstance(self.event(), AcceptConnection)

    def send(self, text: str) -> None:
        self.client.send(self.message(text))

    def event(self) -> object:
        """The next event."""
        while True:
            for event in self.connection.events():
                return event
            self.connection.receive_data(self.client.socket.recv(65536) or None)

    def text(self) -> str:
        """The next message."""
        event = self.event()
        assert isinstance(event, TextMessage), event
        assert event.message_finished
        return event.data


def test_frames_and_beats_come_and_go(server: Server) -> None:
    browser = Browser(server.client())
    browser.send(CONNECT)
    assert browser.text() == "CONNECTED\nversion:1.2\nheart-beat:4000,0\n\n\0"
    server.advance(2)
    assert browser.text() == "\n"
    browser.send("SEND\nreceipt:1\n\n\0SEND\nreceipt:2\n\n\0")
    assert [browser.text() for _ in range(2)] == [f"RECEIPT\nreceipt-id:{number}\n\n\0" for number in (1, 2)]
    server.call(server.session.transport.send_all, [b"MESSAGE\n\n1\0", b"MESSAGE\n\n2\0"])
    assert [browser.text() for _ in range(2)] == ["MESSAGE\n\n1\0", "MESSAGE\n\n2\0"]
    browser.client.send(browser.connection.send(Ping(b"?")))
    assert isinstance(browser.event(), Pong)
    assert server.session.transport.loopback


def test_an_error_then_a_close_then_the_end(server: Server) -> None:
    browser = Browser(server.client())
    browser.send(CONNECT)
    browser.text()
    browser.send("BAD\n\n\0SEND\n\nnever\0")
    assert browser.text().startswith("ERROR\nmessage:BAD is unknown")
    close = browser.event()
    assert isinstance(close, CloseConnection)
    assert close.code == 1000
    assert browser.client.rest() == b""
    server.advance(LINGER + 0.1)
    server.gone()


def test_the_client_closes(server: Server) -> None:
    browser = Browser(server.client())
    browser.send(CONNECT)
    browser.text()
    browser.client.send(browser.message("SEND\n\nlast\0") + browser.connection.send(CloseConnection(code=1000)))
    assert isinstance(browser.event(), CloseConnection)
    assert browser.client.rest() == b""
    assert server.session.frames[-1].body == b"last"
    assert server.session.told == ["lost by the client: the client closed the WebSocket with code 1000"]
    assert server.connections.ended == {}


def test_a_broken_websocket_is_counted(server: Server) -> None:
    browser = Browser(server.client())
    browser.client.send(b"\xff" * 100)
    assert isinstance(browser.event(), CloseConnection)
    assert browser.client.rest() == b""
    assert server.connections.ended == {"websocket": 1}


def test_a_pause_within_a_message(server: Server) -> None:
    browser = Browser(server.client())
    browser.send(CONNECT)
    browser.text()
    browser.send("PAUSE\n\n\0SEND\nreceipt:1\n\n\0")
    browser.send("SEND\nreceipt:2\n\n\0")
    server.wait(lambda: "PAUSE" in server.session.commands, "the pause")
    server.call(server.session.transport.resume)
    assert [browser.text() for _ in range(2)] == [f"RECEIPT\nreceipt-id:{number}\n\n\0" for number in (1, 2)]


def test_pings_without_end_by_who_reads_no_pong(server: Server) -> None:
    browser = Browser(server.client())
    ping = browser.connection.send(Ping(b"x" * 100)) * 1000
    browser.client.socket.settimeout(5)
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        browser.client.send(ping * 1000)
    assert server.connections.ended == {"stuck": 1}


def test_a_client_behind_a_proxy_is_not_on_loopback(server: Server) -> None:
    browser = Browser(server.client(), [(b"X-Forwarded-For", b"192.0.2.1")])
    browser.send(CONNECT)
    browser.text()
    assert not server.session.transport.loopback


def test_pages_connect_by_origin(reactor_thread: ReactorThread) -> None:
    with running(reactor_thread, origins=("http://localhost:*",)) as server:
        Browser(server.client(), [(b"Origin", b"http://localhost:8080")]).send(CONNECT)
        other = server.client()
        other.send(WebClient().request(headers=[(b"Origin", b"http://evil.example")]))
        assert other.rest().startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert "http://evil.example" in server.log.lines()[0]


def test_a_request_that_never_ends(server: Server) -> None:
    client = server.client()
    client.send(b"GET / HTTP/1.1\r\nHost:")
    server.wait(lambda: server.connections.received_bytes > 0, "the first bytes")
    server.advance(10.1)
    assert client.rest() == b""
    assert server.connections.ended == {"login": 1}


def test_a_request_byte_by_byte(server: Server) -> None:
    client = server.client()
    for byte in WebClient().request():
        client.send(bytes([byte]))
    assert client.socket.recv(20).startswith(b"HTTP/1.1 101 ")


def test_a_command_that_only_begins_like_a_request(server: Server) -> None:
    client = server.client()
    client.send(b"GARBAGE\nodd\n\n\0")
    assert b"message:header 'odd' has no colon" in client.rest()


def test_a_websocket_without_a_login(server: Server) -> None:
    browser = Browser(server.client())
    server.advance(10.1)
    assert "message:no login within 10 s\n" in browser.text()
    assert isinstance(browser.event(), CloseConnection)


def test_the_extra_is_named_where_it_is_missing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hub.backends.stomp.websocket", None)
    client = server.client()
    client.send(WebClient().request())
    answer = client.rest()
    assert answer.startswith(b"HTTP/1.1 501 ")
    assert b"WebSocket needs an optional library: pip install 'hubbub[stomp]'" in answer
    server.client().connect()
