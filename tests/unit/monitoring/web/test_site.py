"""What a client can make the server hold, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from hub.http.verb import Nothing
from hub.monitoring.web.channel import TIMEOUT
from hub.monitoring.web.request import BODY_LIMIT
from hub.monitoring.web.site import GRACE, MOST_CONNECTIONS, MOST_UNREAD, WebSite
from tests.unit.monitoring.web.web_server import Answer, Who, Wire, api_of, ask, connect, root_of


class Echo(Resource):
    """Answers with what it was sent; ``/later`` when it is told to."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.waiting: list[Request] = []

    def render(self, request: Request) -> int:
        assert request.content is not None
        if request.method == b"POST":
            request.write(request.content.read())
            request.finish()
        elif request.postpath == [b"later"]:
            self.waiting.append(request)
        else:
            return 1 // 0
        return NOT_DONE_YET


class Ask(Who):
    """Tell who asked, of a path that may go on."""

    method, about, order = "POST", "rest", Nothing


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def bugs() -> list[Any]:
    return []


@pytest.fixture
def site(echo: Echo, bugs: list[Any]) -> WebSite:
    return WebSite(root_of(echo=echo), Clock(), bugs.append)


def said(wire: Wire) -> Answer:
    return Answer(wire.value())  # type: ignore[no-untyped-call]


def chunked(size: int) -> Iterator[bytes]:
    yield b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    for _ in range(size // 4096):
        yield b"1000\r\n" + b"x" * 4096 + b"\r\n"
    yield b"0\r\n\r\n"


def test_a_body_within_the_limit_arrives(site: WebSite) -> None:
    assert ask(site, "POST", "/echo", body=b"x" * BODY_LIMIT).body == b"x" * BODY_LIMIT


def test_a_body_that_says_it_is_larger_is_refused_before_it_comes(site: WebSite) -> None:
    channel, wire = connect(site)
    channel.dataReceived(f"POST /echo HTTP/1.1\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n".encode())
    assert said(wire).code == 413
    assert wire.disconnecting
    channel.dataReceived(b"x" * 1000)
    assert channel.requests[0].content.getvalue() == b""


def test_a_body_that_does_not_say_so_is_refused_when_it_is(site: WebSite) -> None:
    channel, wire = connect(site)
    for part in chunked(2 * BODY_LIMIT):
        channel.dataReceived(part)
    assert said(wire).code == 413
    assert wire.disconnecting
    assert len(channel.requests[0].content.getvalue()) <= BODY_LIMIT


def test_a_form_is_not_taken_apart(site: WebSite) -> None:
    form = b"a=b&" * 1000
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", ";"):
        assert ask(site, "POST", "/echo", {"Content-Type": kind}, form).body == form


@pytest.mark.parametrize(
    "head",
    [
        b"GET /echo HTTP/1.1\r\n" + b"X: y\r\n" * 200,
        b"GET /echo HTTP/1.1\r\nX: " + b"y" * 20_000,
        b"GET /echo HTTP/1.1\r\n" + b"".join(b"X%d: " % number + b"y" * 3000 + b"\r\n" for number in range(10)),
        b"GET /" + b"e" * 20_000 + b" HTTP/1.1\r\n",
        b"nonsense\r\n",
        b"GET /echo HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_a_head_that_is_too_much_or_none_ends_the_connection(site: WebSite, head: bytes) -> None:
    channel, wire = connect(site)
    channel.dataReceived(head)
    assert wire.disconnecting
    answer = said(wire)
    assert answer.code in (0, 400)
    if answer.code:
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_who_sends_a_byte_now_and_then_has_no_longer_than_who_sends_none(site: WebSite) -> None:
    channel, wire = connect(site)
    for byte in b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 100:
        if wire.disconnecting:
            break
        channel.dataReceived(bytes([byte]))
        site.reactor.advance(1)
    assert wire.disconnecting
    assert TIMEOUT - 1 <= site.reactor.seconds() <= TIMEOUT + 1


def test_a_connection_may_be_used_again_within_the_time(site: WebSite) -> None:
    channel, wire = connect(site)
    for _ in range(5):
        channel.dataReceived(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi")
        site.reactor.advance(TIMEOUT * 0.9)
    assert wire.value().count(b"200 OK") == 5  # type: ignore[no-untyped-call]
    assert not wire.disconnecting
    site.reactor.advance(TIMEOUT)
    assert wire.disconnecting


def test_an_answer_that_takes_long_is_waited_for(site: WebSite, echo: Echo) -> None:
    channel, wire = connect(site)
    channel.dataReceived(b"GET /echo/later HTTP/1.1\r\nHost: localhost\r\n\r\n")
    site.reactor.advance(10 * TIMEOUT)
    assert not wire.disconnecting
    echo.waiting[0].finish()
    assert said(wire).code == 200


SHORT = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi"


def answers(wire: Wire) -> int:
    return int(wire.value().count(b"HTTP/1.1 200"))  # type: ignore[no-untyped-call]


def test_of_requests_that_come_at_once_all_but_the_first_wait_for_their_turn(site: WebSite) -> None:
    channel, wire = connect(site)
    channel.dataReceived(SHORT * 5)
    assert answers(wire) == 1
    site.reactor.advance(0)
    assert answers(wire) == 5
    assert wire.producerState == "producing"


def test_who_does_not_read_gets_no_more_answers_until_it_does(site: WebSite) -> None:
    channel, wire = connect(site)
    channel.pauseProducing()
    channel.dataReceived(SHORT * 5)
    site.reactor.advance(0)
    assert answers(wire) == 1
    assert wire.producerState == "paused"
    channel.resumeProducing()
    site.reactor.advance(0)
    assert answers(wire) == 5
    assert wire.producerState == "producing"


def test_who_does_not_read_is_let_go_in_the_end(site: WebSite) -> None:
    channel, wire = connect(site)
    channel.pauseProducing()
    channel.dataReceived(SHORT * 5)
    site.reactor.advance(TIMEOUT)
    site.reactor.advance(channel.abortTimeout)
    assert wire.aborted


@pytest.mark.parametrize("reads", [True, False])
def test_what_comes_while_an_answer_is_made_is_not_kept_without_end(site: WebSite, reads: bool) -> None:
    channel, wire = connect(site)
    channel.dataReceived(b"GET /echo/later HTTP/1.1\r\nHost: localhost\r\n\r\n")
    if not reads:
        channel.pauseProducing()
    for _ in range(100):
        if wire.producerState == "paused":
            break
        channel.dataReceived(b"x" * 4096)
    assert sum(map(len, channel._dataBuffer)) < 64 << 10


def test_what_was_not_answered_yet_is_forgotten_when_the_client_hangs_up(site: WebSite) -> None:
    channel, wire = connect(site)
    channel.dataReceived(SHORT * 2)
    channel.connectionLost()
    site.reactor.advance(0)
    assert answers(wire) == 1


def test_what_waits_for_clients_to_read_it_is_bounded(site: WebSite) -> None:
    channels = [connect(site)[0] for _ in range(2)]
    for channel in channels:
        channel.pauseProducing()
        channel.write(b"x" * (MOST_UNREAD // 2))
    assert [channel.unread for channel in channels] == [MOST_UNREAD // 2] * 2
    assert site.crowded(1)
    channels[0].resumeProducing()
    assert not site.crowded(MOST_UNREAD // 2)
    channels[1].connectionLost()
    assert not site.crowded(MOST_UNREAD)


def test_who_reads_owes_nothing(site: WebSite) -> None:
    channel, _ = connect(site)
    channel.write(b"x" * 100_000)
    assert channel.unread == 0


def test_one_connection_too_many_is_closed_at_once_and_counted(site: WebSite) -> None:
    made = [busy(site) for _ in range(MOST_CONNECTIONS)]
    assert site.buildProtocol(None) is None
    assert site.refused == 1
    made[0][0].connectionLost()
    connect(site)
    assert site.refused == 1


def busy(site: WebSite) -> tuple[Any, Wire]:
    """A connection whose client waits for us."""
    channel, wire = connect(site)
    channel.dataReceived(b"GET /echo/later HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return channel, wire


def test_half_open_connections_shut_nobody_out(site: WebSite, echo: Echo) -> None:
    """They make room for one who may ask: first the one that has been waited for longest."""
    half: list[tuple[Any, Wire]] = []
    for number in range(MOST_CONNECTIONS - 1):
        half.append(connect(site))
        half[-1][0].dataReceived(b"GET /echo HTTP/1.1\r\nHost: loc" if number % 2 else b"")
        site.reactor.advance(0.01)
    _, waiting = busy(site)
    for number in range(5):
        assert ask(site, "POST", "/echo", body=b"here").body == b"here"
        assert len(site.channels) == MOST_CONNECTIONS
        assert half[number][1].aborted
    assert [wire.aborted for _, wire in half].count(True) == 5 == site.refused
    assert not waiting.aborted


def test_nor_do_those_who_do_not_read(site: WebSite, echo: Echo) -> None:
    stalled = [busy(site) for _ in range(MOST_CONNECTIONS)]
    for channel, wire in stalled:
        channel.pauseProducing()
        channel.requests[0].write(b"a part")
        assert not wire.aborted
    assert ask(site, "POST", "/echo", body=b"here").body == b"here"
    assert [wire.aborted for _, wire in stalled].count(True) == 1


def test_a_fault_of_ours_is_told_to_the_log_and_not_to_the_client(site: WebSite, bugs: list[Any]) -> None:
    answer = ask(site, "GET", "/echo")
    assert answer.code == 500
    assert b"Zero" not in answer.body
    assert [failure.type for failure in bugs] == [ZeroDivisionError]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "NONSENSE"])
def test_what_a_page_does_not_do_is_said(method: str) -> None:
    site = WebSite(api_of(Who(), Ask()), Clock(), lambda failure: None)
    answer = ask(site, method, "/numbers/%ff")
    assert answer.code == 405
    assert set(answer.headers["allow"].split(", ")) >= {"GET", "POST"}


def test_when_it_stops_the_idle_go_at_once_and_the_busy_when_they_are_done(site: WebSite, echo: Echo) -> None:
    _, idle = connect(site)
    channels = [connect(site) for _ in range(2)]
    for channel, _ in channels:
        channel.dataReceived(b"GET /echo/later HTTP/1.1\r\nHost: localhost\r\n\r\n")
    site.hang_up()
    assert idle.disconnecting
    assert [wire.disconnecting for _, wire in channels] == [False, False]
    echo.waiting[0].finish()
    assert said(channels[0][1]).code == 200
    assert [wire.disconnecting for _, wire in channels] == [True, False]
    site.reactor.advance(GRACE)
    assert channels[1][1].aborted
