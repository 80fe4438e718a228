"""A connection leaves HTTP for another protocol, on real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.protocol import Factory, Protocol
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from hub.http.takeover import take_over
from hub.monitoring.web.site import WebSite
from tests.conftest import ReactorThread
from tests.support import wait_until


class Recorder(Protocol):
    """Records what comes, and answers each piece with its length."""

    transport: Any

    def __init__(self, made: list[Recorder]) -> None:
        made.append(self)
        self.data = b""
        self.lost = False

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        self.transport.write(b"<%d>" % len(data))

    def connectionLost(self, reason: object = None) -> None:
        self.lost = True


class Other(Factory):
    """:ivar full: it takes nobody."""

    def __init__(self) -> None:
        self.made: list[Recorder] = []
        self.full = False

    def buildProtocol(self, addr: Any) -> Recorder | None:
        return None if self.full else Recorder(self.made)


class Leaving(Resource):
    """All its requests leave HTTP: in the next turn, or when the test says so."""

    isLeaf = True

    def __init__(self, site: Site) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._site = site

    def render(self, request: Any) -> int:
        self._site.requests.append(request)
        if self._site.at_once:
            self._site.reactor.callLater(0, take_over, request, self._site.other)
        return NOT_DONE_YET


class Site:
    """A web server on a free port."""

    def __init__(self, reactor_thread: ReactorThread) -> None:
        self.reactor, self._thread = reactor_thread.reactor, reactor_thread
        self.other, self.requests, self.at_once = Other(), list[Any](), True
        self.web = WebSite(Leaving(self), self.reactor, lambda failure: None)
        self.port = self.call(self.reactor.listenTCP, 0, self.web, 50, "127.0.0.1")

    def call(self, *arguments: Any) -> Any:
        return self._thread.call(*arguments)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port.getHost().port), 10)

    def recorder(self) -> Recorder:
        wait_until(lambda: self.other.made, 10, "the other protocol")
        return self.other.made[0]


@pytest.fixture
def site(reactor_thread: ReactorThread) -> Iterator[Site]:
    made = Site(reactor_thread)
    yield made
    made.call(made.port.stopListening)


HEAD = b"GET /a%20b?c=d HTTP/1.1\r\nHost: localhost\r\nUpgrade: other\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n"


def test_the_other_protocol_reads_the_request_and_all_that_follows(site: Site) -> None:
    with site.connect() as client:
        client.sendall(HEAD + b"early")
        recorder = site.recorder()
        first, _, rest = recorder.data.partition(b"\r\n\r\n")
        lines = first.split(b"\r\n")
        assert lines[0] == b"GET /a%20b?c=d HTTP/1.1"
        assert {line.lower() for line in lines[1:]} == {
            b"host: localhost",
            b"upgrade: other",
            b"x-twice: 1",
            b"x-twice: 2",
        }
        assert rest == b"early"
        assert client.recv(100) == b"<%d>" % len(recorder.data)
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert client.recv(100) == b"<18>"
        assert site.call(len, site.web.channels) == 0
    wait_until(lambda: recorder.lost, 10, "its end")


def test_http_neither_cuts_it_nor_ends_it(site: Site) -> None:
    with site.connect() as client:
        client.sendall(HEAD)
        site.recorder()
        client.recv(100)
        site.call(site.web.hang_up)
        client.sendall(b"still here")
        assert client.recv(100) == b"<10>"


def test_much_that_came_early_is_not_lost_and_reading_goes_on(site: Site) -> None:
    site.at_once = False
    with site.connect() as client:
        client.sendall(HEAD + b"x" * 100_000)
        wait_until(lambda: site.requests, 10, "the request")
        wait_until(lambda: site.call(lambda: sum(map(len, site.requests[0].channel._dataBuffer))) > 16_384)
        site.call(take_over, site.requests[0], site.other)
        client.sendall(b"end")
        wait_until(lambda: site.recorder().data.endswith(b"x" * 100_000 + b"end"), 10, "all of it")


def test_a_client_that_has_gone_makes_nothing(site: Site) -> None:
    site.at_once = False
    with site.connect() as client:
        client.sendall(HEAD)
        wait_until(lambda: site.requests, 10, "the request")
    wait_until(lambda: site.call(len, site.web.channels) == 0, 10, "its end")
    site.call(take_over, site.requests[0], site.other)
    assert site.other.made == []


def test_whom_the_other_protocol_does_not_want_is_told_to_come_later(site: Site) -> None:
    site.other.full = True
    with site.connect() as client:
        client.sendall(HEAD)
        answer = client.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: ")
        assert site.call(len, site.web.channels) == 0
