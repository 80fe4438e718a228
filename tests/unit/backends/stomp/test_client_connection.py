"""One connection to a broker, byte by byte, on a clock of its own."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from hub.backends.stomp.client_connection import GOODBYE_TIMEOUT, Connection
from hub.backends.stomp.client_login import Login
from hub.backends.stomp.frame import Frame
from tests.unit.backends.stomp.clients import settings

CONNECTED = b"CONNECTED\nversion:1.2\nserver:double/1\nheart-beat:4000,1000\n\n\0"


class Wire(StringTransport):
    """A transport that ends as TCP does: not before it is told of it."""

    aborted = False
    written: Any = StringTransport.value
    forget: Any = StringTransport.clear

    def __init__(self) -> None:
        initialise: Any = super().__init__
        initialise()

    def setTcpNoDelay(self, enabled: bool) -> None:
        pass

    def setTcpKeepAlive(self, enabled: bool) -> None:
        pass

    def abortConnection(self) -> None:
        self.aborted = True


class Heard:
    """A user that keeps what it is told."""

    def __init__(self) -> None:
        self.opened_with: list[Connection] = []
        self.batches: list[list[Frame]] = []
        self.ends: list[tuple[str, Frame | None]] = []

    def opened(self, connection: Connection) -> None:
        self.opened_with.append(connection)

    def received(self, frames: list[Frame]) -> None:
        self.batches.append(frames)

    def lost(self, reason: str, error: Frame | None) -> None:
        self.ends.append((reason, error))


class Line:
    """A connection, its transport, its user and its clock."""

    def __init__(self, login: Login | None = None, **given: Any) -> None:
        self.clock, self.wire, self.user = Clock(), Wire(), Heard()
        config = settings(1, **{"heart_beat": "2s", **given})
        self.connection = Connection(config, login or Login(), self.user, self.clock)
        connect: Any = self.connection.makeConnection
        connect(self.wire)

    def sent(self) -> bytes:
        sent: bytes = self.wire.written()
        self.wire.forget()
        return sent

    def end(self) -> str:
        self.connection.connectionLost(Failure(ConnectionDone()))
        return self.user.ends[-1][0]


@pytest.fixture
def line() -> Line:
    """One that is logged in."""
    line = Line()
    line.connection.dataReceived(CONNECTED)
    line.sent()
    return line


def test_it_logs_in() -> None:
    line = Line(Login("hub", "it:is\\secret", "/v", "hub-1"))
    assert line.sent() == (
        b"CONNECT\naccept-version:1.1,1.2\nhost:/v\nheart-beat:2000,2000\n"
        b"login:hub\npasscode:it:is\\secret\nclient-id:hub-1\n\n\0"
    )
    assert not line.connection.open
    line.connection.dataReceived(CONNECTED)
    assert line.user.opened_with == [line.connection]
    assert (line.connection.version, line.connection.server) == ("1.2", "double/1")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"CONNECTED\n\n\0", "the broker broke the protocol: it speaks STOMP 1.0, and the hub 1.1 and 1.2"),
        (b"MESSAGE\n\n\0", "the broker broke the protocol: expected CONNECTED, not MESSAGE"),
        (b"ERROR\nmessage:Bad CONNECT\n\nno\0", "the broker answered with an error: Bad CONNECT: no"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n\0", "the broker broke the protocol: "),
    ],
)
def test_an_answer_that_is_no_welcome_ends_it(answer: bytes, reason: str) -> None:
    line = Line()
    line.connection.dataReceived(answer)
    assert line.wire.aborted
    assert line.end().startswith(reason)
    assert line.user.opened_with == []


def test_what_came_before_an_error_counts_and_nothing_after_it(line: Line) -> None:
    """RabbitMQ sends the RECEIPT of a subscription after the ERROR that says that it failed."""
    line.connection.dataReceived(b"MESSAGE\na:1\n\n\0ERROR\nmessage:not_found\n\n\0RECEIPT\nreceipt-id:1\n\n\0")
    line.connection.dataReceived(b"RECEIPT\nreceipt-id:2\n\n\0")
    assert [[frame.command for frame in batch] for batch in line.user.batches] == [["MESSAGE"]]
    assert line.wire.aborted
    assert line.end() == "the broker answered with an error: not_found"
    assert line.user.ends[0][1] is not None


def test_frames_of_one_segment_are_one_batch(line: Line) -> None:
    line.connection.dataReceived(b"\n" + b"MESSAGE\na:1\n\nbody\0" * 3 + b"MESS")
    line.connection.dataReceived(b"AGE\n\n\0")
    assert [len(batch) for batch in line.user.batches] == [3, 1]


def test_version_1_1_has_its_own_escapes() -> None:
    line = Line()
    line.connection.dataReceived(b"CONNECTED\nversion:1.1\n\n\0MESSAGE\na:x\\cy\n\n\0")
    assert line.user.batches[0][0].headers["a"] == "x:y"
    line.sent()
    line.connection.send("SEND", {"a": "x\ry"})
    assert line.sent() == b"SEND\na:x\ry\n\n\0"


def test_it_beats_at_the_pace_that_was_agreed(line: Line) -> None:
    """The broker wants one a second, we can do one every two."""
    line.connection.dataReceived(b"\n")
    line.clock.pump([0.5] * 8)
    assert 2 <= line.sent().count(b"\n") <= 4


def test_a_silent_broker_is_given_up_after_two_intervals(line: Line) -> None:
    """It promised one in 4 s. Anything counts, also half a frame."""
    line.clock.advance(7.9)
    line.connection.dataReceived(b"MESS")
    line.clock.pump([1] * 7)
    assert not line.wire.aborted
    line.clock.pump([1] * 2)
    assert line.wire.aborted
    assert line.end() == "the broker was silent for 9.0 s, and promised a heart-beat every 4 s"


def test_a_broker_that_is_not_read_is_not_silent(line: Line) -> None:
    line.connection.pause()
    line.clock.pump([1] * 30)
    assert not line.wire.aborted
    assert line.sent().count(b"\n") > 10  # ours go on
    line.connection.resume()
    line.clock.pump([1] * 7)
    assert not line.wire.aborted
    line.clock.pump([1] * 2)
    assert line.wire.aborted


def test_without_beats_silence_is_no_reason() -> None:
    line = Line(heart_beat=0)
    line.connection.dataReceived(CONNECTED)
    line.sent()
    line.clock.pump([10] * 10)
    assert (line.wire.aborted, line.sent()) == (False, b"")


def test_what_comes_while_paused_is_kept(line: Line) -> None:
    """TLS passes on what it had decrypted."""
    line.connection.pause()
    assert line.wire.producerState == "paused"
    line.connection.dataReceived(b"MESSAGE\na:1\n\n\0")
    line.connection.dataReceived(b"MESSAGE\na:2\n\n\0")
    assert line.user.batches == []

    def full(frames: list[Frame]) -> None:
        line.user.batches.append(frames)
        line.connection.pause()

    line.user.received = full  # type: ignore[method-assign]
    line.connection.resume()
    assert [batch[0].headers["a"] for batch in line.user.batches] == ["1"]
    line.connection.resume()
    assert [batch[0].headers["a"] for batch in line.user.batches] == ["1", "2"]
    assert line.wire.producerState == "paused"


def test_the_goodbye_waits_for_its_receipt(line: Line) -> None:
    """So the broker has read the acknowledgements. What comes meanwhile stays with it."""
    line.connection.pause()
    closed: list[object] = []
    line.connection.close().addCallback(closed.append)
    assert line.sent() == b"DISCONNECT\nreceipt:goodbye\n\n\0"
    assert line.wire.producerState == "producing"
    line.connection.dataReceived(b"MESSAGE\na:1\n\n\0")
    assert not line.wire.disconnecting
    line.connection.dataReceived(b"RECEIPT\nreceipt-id:goodbye\n\n\0")
    assert line.wire.disconnecting
    assert line.user.batches == []
    assert line.end() == "the hub stops"
    assert closed == [None]


def test_a_goodbye_is_not_waited_for_for_long(line: Line) -> None:
    line.connection.close()
    line.clock.advance(GOODBYE_TIMEOUT)
    assert line.wire.aborted
    line.end()
    assert line.clock.getDelayedCalls() == []


def test_a_body_beyond_the_limit_ends_it_before_it_is_read() -> None:
    line = Line(max_message_size=1024, max_frame_size=2048)
    line.connection.dataReceived(CONNECTED + b"MESSAGE\ncontent-length:2049\n\n")
    assert line.wire.aborted
    assert line.end().startswith("the broker broke the protocol: a body has 2049 bytes")
