import itertools
import time
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.backends.stomp.frame import NOT_ESCAPED, Frame, ProtocolError, Version, encode
from hub.backends.stomp.limits import Limits
from hub.backends.stomp.parser import Parser

LIMITS = Limits(headers=8, line=200, body=1000, before_login=300)
SEND = b"SEND\ndestination:/queue/a\n\nhello\0"
HELLO = Frame("SEND", {"destination": "/queue/a"}, b"hello")


def parser(version: Version = Version.V12, limits: Limits = LIMITS) -> Parser:
    made = Parser(limits)
    made.version = version
    made.logged_in()
    return made


def parse(*pieces: bytes, version: Version = Version.V12) -> list[Frame]:
    made = parser(version)
    return [frame for piece in pieces for frame in made.feed(piece)]


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    ends = sorted({0, *(place % (len(data) + 1) for place in places), len(data)})
    return [data[begin:end] for begin, end in itertools.pairwise(ends)]


def test_frames_and_the_line_breaks_between_them() -> None:
    assert parse(b"\n\n" + SEND + b"\n\r\n\n" + SEND + SEND) == [HELLO] * 3


def test_byte_by_byte() -> None:
    assert parse(*(bytes([byte]) for byte in b"\n" + SEND + b"\r\n" + SEND)) == [HELLO] * 2


def test_200_frames_in_one_segment() -> None:
    assert parse(SEND * 200) == [HELLO] * 200


def test_a_body_with_nul_by_its_length() -> None:
    assert [frame.body for frame in parse(b"SEND\ncontent-length:3\n\na\0b\0SEND\n\na\0")] == [b"a\0b", b"a"]


def test_the_first_content_length_counts() -> None:
    (frame,) = parse(b"SEND\ncontent-length:3\ncontent-length:1\n\na\0b\0")
    assert frame == Frame("SEND", {"content-length": "3"}, b"a\0b")


def test_frames_of_one_head_have_their_own_bodies() -> None:
    assert [frame.body for frame in parse(SEND + SEND.replace(b"hello", b"other"))] == [b"hello", b"other"]


def test_line_breaks_of_version_1_2_may_be_mixed() -> None:
    assert parse(b"SEND\r\ndestination:/queue/a\n\r\nhello\0") == [HELLO]
    assert parse(b"SEND\ndestination:/queue/a\r\n\nhello\0") == [HELLO]


@pytest.mark.parametrize("version", [Version.V10, Version.V11])
def test_cr_lf_is_an_error_before_version_1_2(version: Version) -> None:
    with pytest.raises(ProtocolError, match=r"expects LF, CR LF is of 1\.2"):
        parse(SEND.replace(b"\n", b"\r\n"), version=version)


def test_the_version_may_change_between_two_frames_of_a_segment() -> None:
    made = Parser(LIMITS)
    frames = made.feed(b"CONNECT\r\naccept-version:1.1\r\n\r\n\0SEND\na:\\c\r\n\n\0SEND\na:\\r\n\n\0")
    assert next(frames).command == "CONNECT"
    made.version = Version.V11
    made.logged_in()
    assert next(frames).headers == {"a": ":\r"}
    with pytest.raises(ProtocolError, match=r"STOMP 1\.1 has the escapes"):
        next(frames)


def test_a_head_that_was_parsed_by_another_version_is_parsed_again() -> None:
    made = parser(Version.V10)
    data = b"SEND\na:\\c\n\n\0"
    assert [frame.headers["a"] for frame in made.feed(data)] == ["\\c"]
    made.version = Version.V11
    assert [frame.headers["a"] for frame in made.feed(data)] == [":"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"SEND\ncontent-length:3\n\nabcd\0", "no NUL after the 3 bytes of the body"),
        (b"SEND\ncontent-length:1001\n\n", "a body has 1001 bytes or more: at most 1000 are allowed"),
        (b"SEND\ncontent-length:-3\n\nabc\0", "expected a number of bytes"),
        (b"SEND\n\n" + b"x" * 1001 + b"\0", "a body has 1001 bytes or more"),
        (b"SEND\n\n" + b"x" * 1001, "a body has 1001 bytes or more"),
        (b"SEND\na:b\0", "ends within its headers"),
        (b"x" * 202, "a line has more than 200 bytes"),
        (b"SEND\n" + b"a:b\n" * 9 + b"\n\0", "more than 8 headers"),
        (b"SEND\n" + b"a:b\n" * 500, "more than 8 headers"),
    ],
)
def test_an_error_comes_after_the_frames_before_it(data: bytes, text: str) -> None:
    for pieces in ([SEND + data], [SEND, *(bytes([byte]) for byte in data)]):
        made = parser()
        frames: list[Frame] = []
        with pytest.raises(ProtocolError, match=text) as caught:
            frames.extend(frame for piece in pieces for frame in made.feed(piece))
        assert frames == [HELLO]
        with pytest.raises(ProtocolError) as again:
            list(made.feed(SEND))
        assert str(again.value) == str(caught.value)


def test_the_frames_before_an_error_are_yielded() -> None:
    frames = parser().feed(SEND + SEND + b"SEND\nx\n\n\0")
    assert [next(frames), next(frames)] == [HELLO, HELLO]
    with pytest.raises(ProtocolError):
        next(frames)


def test_the_limits_themselves_are_allowed() -> None:
    body = b"\1" * 1000
    assert parse(b"SEND\n\n" + body + b"\0")[0].body == body
    assert parse(b"SEND\ncontent-length:1000\n\n" + body + b"\0")[0].body == body
    assert parse(b"X" * 200 + b"\n\n\0")[0].command == "X" * 200


@pytest.mark.parametrize(
    "data", [b"CONNECT\na:" + b"x" * 150 + b"\nb:" + b"x" * 150, b"CONNECT\ncontent-length:300\n\n",
             b"CONNECT\n\n" + b"x" * 300, b"CONNECT\na:" + b"x" * 150 + b"\nb:" + b"x" * 150 + b"\n\n\0"],
)  # fmt: skip
def test_a_frame_before_the_login_is_small(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="a frame before the login has more than 300 bytes"):
        list(Parser(LIMITS).feed(data))
    made = parser()
    list(made.feed(data))


def test_the_login_between_two_frames_lifts_the_limit() -> None:
    made = Parser(LIMITS)
    frames = made.feed(b"CONNECT\n\n\0SEND\n\n" + b"x" * 900 + b"\0")
    next(frames)
    made.logged_in()
    assert len(next(frames).body) == 900


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        (b"CONNECT\naccept-version:1.2\n\n", Frame("CONNECT", {"accept-version": "1.2"})),
        (b"SEND\ncontent-length:2\n\nab", Frame("SEND", {"content-length": "2"}, b"ab")),
        (b"SEND\ncontent-length:0\n\n", Frame("SEND", {"content-length": "0"})),
    ],
)
@pytest.mark.parametrize("after", [b"", b"\0", b"\n", b"\0\n"])
def test_a_frame_that_was_cut_at_nul(message: bytes, frame: Frame, after: bytes) -> None:
    made = parser()
    assert list(made.feed(message)) == []
    assert list(made.complete()) == [frame]
    assert list(made.complete()) == []
    assert list(made.feed(b"")) == []
    assert list(made.feed(after + SEND)) == [HELLO]
    assert list(made.complete()) == []


@pytest.mark.parametrize(
    "message", [b"SEND\n\nab", b"SEND\n\n", b"SEND\ncontent-length:2\n\na", b"SEND\na:b\n", b"", SEND]
)
def test_more_of_a_frame_may_come(message: bytes) -> None:
    made = parser()
    list(made.feed(message))
    assert list(made.complete()) == []


def test_only_one_nul_is_skipped_after_a_cut() -> None:
    made = parser()
    list(made.feed(b"ACK\nid:1\n\n"))
    assert len(list(made.complete())) == 1
    with pytest.raises(ProtocolError, match="ends within its headers"):
        list(made.feed(b"\0\0" + SEND))


def seconds(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


@pytest.mark.parametrize("unit", [b"x", b"\n", b"SEND\n\n\0", b"SEND\r\na:b\n\r\n\0"])
@pytest.mark.parametrize("step", [1, 1 << 20])
def test_time_is_in_proportion_to_the_bytes(unit: bytes, step: int) -> None:
    limits = Limits(line=1 << 20, body=1 << 20)

    def work(size: int) -> None:
        data = b"SEND\n\n" + unit * (size // len(unit)) if unit == b"x" else unit * (size // len(unit))
        made = parser(limits=limits)
        for begin in range(0, len(data), step):
            for _ in made.feed(data[begin : begin + step]):
                pass

    # Eight times the bytes: 64 times the time, if each byte were looked at again with each that follows.
    assert seconds(lambda: work(80_000)) < 24 * max(seconds(lambda: work(10_000)), 0.0005)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
COMMANDS = st.sampled_from(["SEND", "MESSAGE", "ERROR", "RECEIPT", "SUBSCRIBE"])


def frames(version: Version) -> st.SearchStrategy[Frame]:
    name, value = TEXT.filter(bool), TEXT
    if version is Version.V10:
        plain = st.characters(exclude_categories=["Cs"], exclude_characters="\0\n:")
        name, value = st.text(plain, min_size=1, max_size=20).map(str.strip).filter(bool), st.text(plain).map(str.strip)
    names = name.filter(lambda text: text != "content-length")
    if version is not Version.V12:
        value = value.filter(lambda text: not text.endswith("\r"))
    return st.builds(Frame, COMMANDS, st.dictionaries(names, value, max_size=5), st.binary(max_size=50))


@pytest.mark.parametrize("version", Version)
@given(data=st.data(), places=st.lists(st.integers(0, 10_000), max_size=20))
def test_what_is_encoded_is_parsed_however_it_is_cut(version: Version, data: st.DataObject, places: list[int]) -> None:
    sent = data.draw(st.lists(frames(version), max_size=5))
    stream = b"\n".join(encode(frame.command, frame.headers, frame.body, version) for frame in sent)
    made = parser(version, Limits())
    received = [frame for piece in cut(stream, places) for frame in made.feed(piece)]
    for frame in received:
        frame.headers = {name: value for name, value in frame.headers.items() if name != "content-length"}
    assert received == sent


PIECES = st.sampled_from(
    [b"SEND\n", b"CONNECT\r\n", b"\n", b"\r\n", b"\r", b"\0", b"a:b\n", b"a:\\c\n", b"a:\\t\n", b":\n",
     b"content-length:3\n",
     b"content-length:900\n", b"content-length:x\n", b"abc", b"\xff", b"\n\n", SEND, b"x" * 150, b"a:b\n" * 9]
)  # fmt: skip
STREAMS = st.one_of(st.binary(max_size=400), st.lists(PIECES, max_size=40).map(b"".join))


def outcome(made: Parser, pieces: list[bytes]) -> tuple[list[tuple[object, ...]], bool | None]:
    """Frames, and whether the error, if there is one, can be shown."""
    found: list[tuple[object, ...]] = []
    try:
        for piece in pieces:
            for frame in made.feed(piece):
                found.append((frame.command, dict(frame.headers), frame.body))
                assert len(frame.headers) <= LIMITS.headers
                assert len(frame.body) <= LIMITS.body
                if frame.command in NOT_ESCAPED:
                    made.logged_in()
            assert len(made._rest) <= LIMITS.head + LIMITS.body
    except ProtocolError as error:
        return found, str(error).isprintable()
    return found, None


@pytest.mark.parametrize("version", Version)
@given(stream=STREAMS, places=st.lists(st.integers(0, 10_000), max_size=20))
def test_any_bytes_give_the_same_frames_and_no_other_error_however_they_are_cut(
    version: Version, stream: bytes, places: list[int]
) -> None:
    results = []
    for pieces in ([stream], cut(stream, places), [bytes([byte]) for byte in stream]):
        made = Parser(LIMITS)
        made.version = version
        results.append(outcome(made, pieces))
    assert results[0] == results[1] == results[2]
    assert results[0][1] is not False
