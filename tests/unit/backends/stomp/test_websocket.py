import contextlib
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.events import CloseConnection, Ping, Pong

from hub.backends.stomp.codec import Closed
from hub.backends.stomp.frame import Frame, ProtocolError, encode
from hub.backends.stomp.limits import Limits
from hub.backends.stomp.websocket import LONGEST_REQUEST
from tests.unit.backends.stomp.web_client import OFFERED, Pair, WebClient

SEND = "SEND\ndestination:/queue/a\n\nhello\0"
HELLO = Frame("SEND", {"destination": "/queue/a"}, b"hello")


@pytest.fixture
def pair() -> Pair:
    made = Pair()
    made.open()
    return made


@pytest.mark.parametrize(
    ("offered", "chosen"), [(OFFERED, "v12.stomp"), (("v10.stomp", "v11.stomp"), "v11.stomp"), ((), None)]
)
def test_a_subprotocol_is_answered_only_when_one_is_offered(offered: tuple[str, ...], chosen: str | None) -> None:
    assert Pair().open(offered) == chosen


@pytest.mark.parametrize("target", ["/", "/ws", "/stomp", "/any/path?query=1"])
def test_any_path_will_do(target: str) -> None:
    pair = Pair()
    assert pair.feed(pair.request(target=target)) == []
    assert pair.taken().startswith(b"HTTP/1.1 101 ")


def test_compression_is_not_agreed_on() -> None:
    pair = Pair()
    pair.feed(pair.request().replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"))
    answer = pair.taken()
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"deflate" not in answer


def refusal(pair: Pair, request: bytes) -> str:
    with pytest.raises(Closed) as caught:
        pair.feed(request)
    assert caught.value.fault
    assert pair.written == []
    return caught.value.reply.decode()


REQUEST = WebClient().request()
KEY = b"Sec-WebSocket-Key: "


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        (b"GET /\r\n\r\n", "400"),
        (b"G\xff\0\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n", "400"),
        (REQUEST.replace(b"localhost", b"\xc3\xa4\xff"), "400"),
        (REQUEST.replace(b"/ws", b"/\xc3\xa4"), "400"),
        (REQUEST.replace(b"v12.stomp", b"v12.st\xc3\xa4mp"), "400"),
        (REQUEST.replace(b"GET", b"GOT"), "400"),
        (REQUEST.replace(KEY, b"X-Key: "), "400"),
        (REQUEST.replace(b"Upgrade: websocket", b"Upgrade: h2c"), "400"),
        (REQUEST.replace(b"Version: 13", b"Version: 8"), "426"),
        (WebClient().request(("mqtt",)), "400"),
        (REQUEST[:-2] + b"X: " + b"x" * LONGEST_REQUEST, "431"),
    ],
)
def test_a_request_that_is_refused(request_: bytes, status: str) -> None:
    assert refusal(Pair(), request_).startswith(f"HTTP/1.1 {status} ")


def test_a_refusal_says_what_is_expected() -> None:
    assert "this is a STOMP server, which expects a WebSocket" in refusal(Pair(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert "expected one of v12.stomp, v11.stomp, v10.stomp" in refusal(Pair(), WebClient().request(("mqtt",)))
    assert "Sec-WebSocket-Version: 13" in refusal(Pair(), REQUEST.replace(b"Version: 13", b"Version: 8"))


def test_an_endless_request_is_refused_though_it_comes_in_pieces() -> None:
    pair = Pair()
    with pytest.raises(Closed, match="more than 16384 bytes of headers"):
        pair.feed(b"GET / HTTP/1.1\r\n", *[b"X: y\r\n"] * (LONGEST_REQUEST // 6))


def test_pages_need_an_origin_that_is_allowed() -> None:
    origin = [(b"Origin", b"http://a.example")]
    assert refusal(Pair(), WebClient().request(headers=origin)).startswith("HTTP/1.1 403 ")
    assert refusal(Pair(origins=["http://b.example"]), WebClient().request(headers=origin))
    assert Pair(origins=["http://a.example"]).open(headers=origin)
    both = [*origin, (b"Origin", b"http://b.example")]
    assert refusal(Pair(origins=["http://a.example"]), WebClient().request(headers=both))


@pytest.mark.parametrize("header", [b"X-Forwarded-For", b"Forwarded", b"X-Real-IP"])
def test_a_proxy_speaks_for_others(header: bytes) -> None:
    pair = Pair()
    assert not pair.codec.proxied
    pair.open(headers=[(header, b"192.0.2.1")])
    assert pair.codec.proxied


def test_a_request_byte_by_byte_and_frames_behind_it() -> None:
    pair = Pair()
    request = pair.request()
    assert pair.feed(*(bytes([byte]) for byte in request[:-1])) == []
    other = Pair()
    other.open()
    assert pair.feed(request[-1:] + other.message(SEND)) == [HELLO]
    assert pair.taken().startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize("kind", [str, str.encode], ids=["text", "binary"])
def test_frames_split_and_joined(pair: Pair, kind: Callable[[str], str | bytes]) -> None:
    data = kind(SEND * 3)
    assert pair.feed(pair.message(data)) == [HELLO] * 3
    pieces = [data[begin : begin + 7] for begin in range(0, len(data), 7)]
    assert pair.feed(*(pair.message(piece) for piece in pieces)) == [HELLO] * 3
    *most, last = pieces
    fragments = [pair.message(piece, finished=False) for piece in most]
    assert pair.feed(*fragments, pair.message(last)) == [HELLO] * 3
    assert pair.feed(*(bytes([byte]) for byte in pair.message(data))) == [HELLO] * 3


def test_a_text_that_is_cut_within_a_character(pair: Pair) -> None:
    body = "\N{EURO SIGN}"
    message = pair.message(f"SEND\n\n{body}\0")
    (frame,) = pair.feed(message[:-3], message[-3:])
    assert frame.body == body.encode()


def test_the_client_is_answered_in_its_kind(pair: Pair) -> None:
    receipt = encode("RECEIPT", {"receipt-id": "1"})
    assert pair.messages(pair.codec.wrap(receipt)) == [receipt.decode()]
    pair.feed(pair.message(SEND.encode()))
    assert pair.messages(pair.codec.wrap(receipt)) == [receipt]
    pair.feed(pair.message("\n"))
    assert pair.messages(pair.codec.wrap(receipt) + pair.codec.wrap(b"\n")) == [receipt.decode(), "\n"]


def test_a_body_that_is_no_text_is_sent_as_binary(pair: Pair) -> None:
    message = encode("MESSAGE", {}, b"\xff\0")
    assert pair.messages(pair.codec.wrap(message)) == [message]


def test_a_beat_of_the_client_is_no_frame(pair: Pair) -> None:
    assert pair.feed(pair.message("\n"), pair.message(b"\n"), pair.message(SEND)) == [HELLO]


def test_clients_that_cut_a_text_at_nul(pair: Pair) -> None:
    connect = pair.message("CONNECT\naccept-version:1.2\n\n")
    send = pair.message("SEND\ncontent-length:2\n\nab")
    assert [frame.command for frame in pair.feed(connect, send, pair.message("\n"), connect)] == [
        "CONNECT", "SEND", "CONNECT",
    ]  # fmt: skip


def test_binary_messages_are_not_cut_at_nul(pair: Pair) -> None:
    assert pair.feed(pair.message(b"ACK\nid:1\n\n")) == []
    assert pair.feed(pair.message(b"\0")) == [Frame("ACK", {"id": "1"})]


def test_pings_are_answered_also_within_a_message(pair: Pair) -> None:
    ping = pair.connection.send(Ping(b"?"))
    message = pair.message(SEND[:5], finished=False) + ping + pair.message(SEND[5:])
    assert pair.feed(message, pair.connection.send(Pong(b"unasked"))) == [HELLO]
    (pong,) = pair.events(pair.taken())
    assert isinstance(pong, Pong)
    assert pong.payload == b"?"


def test_the_client_closes(pair: Pair) -> None:
    with pytest.raises(Closed, match="the client closed the WebSocket with code 1001") as caught:
        pair.feed(pair.message(SEND) + pair.connection.send(CloseConnection(code=1001)))
    assert not caught.value.fault
    (reply,) = pair.events(caught.value.reply)
    assert isinstance(reply, CloseConnection)
    assert pair.codec.wrap(b"\n") == pair.codec.closing() == b""


def test_the_server_closes(pair: Pair) -> None:
    (close,) = pair.events(pair.codec.closing())
    assert isinstance(close, CloseConnection)
    assert close.code == 1000
    assert pair.codec.wrap(b"\n") == pair.codec.closing() == b""


def test_nothing_is_wrapped_before_the_handshake() -> None:
    pair = Pair()
    assert pair.codec.wrap(b"\n") == pair.codec.closing() == b""


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x01a", 1002),  # not masked
        (b"\x83\x80\0\0\0\0", 1002),  # an unknown opcode
        (b"\xc1\x80\0\0\0\0", 1002),  # a reserved bit
        (b"\x81\x81\0\0\0\0\xff", 1007),  # no UTF-8
        (b"\x80\x80\0\0\0\0", 1002),  # a continuation of nothing
        (b"\x09\x80\0\0\0\0", 1002),  # a ping in fragments
        (b"\x89\xfe\x00\xff\0\0\0\0", 1002),  # a ping that is too long
        (b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 1002),  # a length with a sign
    ],
)
def test_a_websocket_that_is_broken(pair: Pair, data: bytes, code: int) -> None:
    with pytest.raises(Closed, match="the WebSocket is broken") as caught:
        pair.feed(data)
    assert caught.value.fault
    (reply,) = pair.events(caught.value.reply)
    assert isinstance(reply, CloseConnection)
    assert reply.code == code


def test_the_limits_are_those_of_tcp() -> None:
    pair = Pair(Limits(body=1000))
    pair.open()
    piece = b"x" * 300
    with pytest.raises(ProtocolError, match="a body has 1200 bytes or more: at most 1000 are allowed"):
        pair.feed(*(pair.message(data, finished=False) for data in (b"SEND\n\n", *[piece] * 10)))
    other = Pair(Limits(body=1000))
    other.open()
    huge = b"\x82\xff\0\0\0\xff\0\0\0\0\0\0\0\0"  # announces 2 ** 40 bytes
    with pytest.raises(ProtocolError, match="a body has 1200 bytes or more"):
        other.feed(huge + b"SEND\n\n", *[piece] * 10)


BODIES = st.lists(st.binary(max_size=40), max_size=6)
CUTS = st.lists(st.integers(0, 1000), max_size=10)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({0, *(place % (len(data) + 1) for place in places), len(data)})
    return [data[begin:end] for begin, end in itertools.pairwise(ends)]


@given(bodies=BODIES, messages=CUTS, wire=CUTS, finished=st.lists(st.booleans(), min_size=12, max_size=12))
def test_any_cut_of_messages_fragments_and_segments_gives_the_same_frames(
    bodies: list[bytes], messages: list[int], wire: list[int], finished: list[bool]
) -> None:
    pair = Pair()
    pair.open()
    stream = b"\n".join(encode("SEND", {"n": str(number)}, body) for number, body in enumerate(bodies))
    pieces = cut(stream, messages)
    sent = b"".join(map(pair.message, pieces, [*finished[: len(pieces) - 1], True]))
    assert [frame.body for frame in pair.feed(*cut(sent, wire))] == bodies


@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.sampled_from(
                [b"\x81", b"\x82", b"\x01", b"\x80", b"\x88", b"\x89", b"\x84\0\0\0\0SEND", b"\x81\x84\0\0\0\0SEND",
                 b"\x81\x82\0\0\0\0\n\n", b"\x82\x81\0\0\0\0\0", b"\x88\x82\0\0\0\0\x03\xe8", b"\xff\xff"]
            ),
            max_size=20,
        ).map(b"".join),
    ),
    open_=st.booleans(),
    wire=CUTS,
)  # fmt: skip
def test_any_bytes_end_in_order(data: bytes, open_: bool, wire: list[int]) -> None:
    pair = Pair(Limits(headers=8, line=200, body=1000))
    if open_:
        pair.open()
    else:
        data = b"GET / HTTP/1.1\r\nHost: " + data + b"\r\n\r\n"
    with contextlib.suppress(Closed, ProtocolError):
        pair.feed(*cut(data, wire))
    pair.codec.wrap(b"\n")
    pair.codec.closing()
