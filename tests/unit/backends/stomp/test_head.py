import pytest

from hub.backends.stomp.frame import Frame, ProtocolError, Version
from hub.backends.stomp.head import content_length, parse_head, shown
from hub.backends.stomp.limits import Limits

LIMITS = Limits(headers=3, line=40)


def parse(head: bytes, version: Version = Version.V12) -> Frame:
    return parse_head(head, version, LIMITS)


def test_command_and_headers() -> None:
    assert parse(b"SEND\ndestination:/queue/a\nx:") == Frame("SEND", {"destination": "/queue/a", "x": ""})


def test_a_head_without_headers() -> None:
    assert parse(b"DISCONNECT") == Frame("DISCONNECT", {})


@pytest.mark.parametrize("version", Version)
def test_the_first_of_repeated_headers_wins(version: Version) -> None:
    assert parse(b"SEND\na:1\nb:2\na:3", version).headers == {"a": "1", "b": "2"}


@pytest.mark.parametrize("version", [Version.V11, Version.V12])
def test_escaped_names_are_compared_unescaped(version: Version) -> None:
    assert parse(b"SEND\na\\cb:1\\n\na\\cb:2", version).headers == {"a:b": "1\n"}


def test_a_value_may_have_colons() -> None:
    assert parse(b"SEND\ndestination:/topic/a:b:c").headers == {"destination": "/topic/a:b:c"}


@pytest.mark.parametrize("version", [Version.V11, Version.V12])
def test_nothing_is_trimmed(version: Version) -> None:
    assert parse(b"SEND\n a : 1\t", version).headers == {" a ": " 1\t"}


def test_version_1_0_trims() -> None:
    assert parse(b"SEND\na : 1\na:2", Version.V10).headers == {"a": "1"}


def test_a_connect_without_a_version_is_trimmed() -> None:
    assert parse(b"CONNECT\nlogin: me").headers == {"login": "me"}
    assert parse(b"CONNECT\nlogin: me\naccept-version:1.2").headers["login"] == " me"
    assert parse(b"CONNECTED\nsession: 1\nversion:1.1").headers["session"] == " 1"


@pytest.mark.parametrize(
    ("version", "value"), [(Version.V11, "\\ \n :"), (Version.V12, "\\ \n : \r")]
)  # fmt: skip
def test_the_escapes_of_a_version(version: Version, value: str) -> None:
    escapes = b"\\\\ \\n \\c" + (b" \\r" if version is Version.V12 else b"")
    assert parse(b"SEND\nx:" + escapes, version).headers == {"x": value}


def test_version_1_0_has_no_escapes() -> None:
    assert parse(b"SEND\nx:\\n\\t\\", Version.V10).headers == {"x": "\\n\\t\\"}


@pytest.mark.parametrize("command", [b"CONNECT", b"STOMP", b"CONNECTED"])
def test_what_agrees_on_the_version_is_not_unescaped(command: bytes) -> None:
    assert parse(command + b"\npasscode:a\\n\\t").headers == {"passcode": "a\\n\\t"}


@pytest.mark.parametrize(
    ("version", "line"), [(Version.V11, b"a:\\r"), (Version.V11, b"a:\\t"), (Version.V12, b"a:\\t"),
                          (Version.V12, b"a:x\\"), (Version.V12, b"\\x:1"), (Version.V12, b"a:\\\xc3\xa4")],
)  # fmt: skip
def test_an_undefined_escape_is_an_error_that_names_those_there_are(version: Version, line: bytes) -> None:
    with pytest.raises(ProtocolError, match=rf"STOMP {version} has the escapes .*\\n"):
        parse(b"SEND\n" + line, version)


def test_version_1_2_ends_lines_with_lf_or_cr_lf() -> None:
    assert parse(b"SEND\r\na:1\r\nb:2\nc:3\r") == Frame("SEND", {"a": "1", "b": "2", "c": "3"})
    assert parse(b"SEND\na:1\r2").headers == {"a": "1\r2"}


@pytest.mark.parametrize("version", [Version.V10, Version.V11])
def test_cr_is_part_of_the_value_before_version_1_2(version: Version) -> None:
    value = parse(b"SEND\na:1\rx", version).headers["a"]
    assert value == "1\rx"


@pytest.mark.parametrize(
    ("head", "version", "text"),
    [
        (b"SEND\nnothing", Version.V12, "header 'nothing' has no colon: expected 'name:value'"),
        (b"SEND\n:value", Version.V12, "header ':value' has no name"),
        (b"SEND\na:\xff", Version.V12, r"not UTF-8 at b'\\xff'"),
        (b"SEND\na:1\0", Version.V12, "frame 'SEND' ends within its headers: expected an empty line before NUL"),
        (b"\0SEND", Version.V12, "frame '' ends within its headers"),
        (b"SEND\na:1\r\n\0", Version.V11, "STOMP 1.1 expects LF"),
        (b"SEND\n\r", Version.V10, "STOMP 1.0 expects LF"),
        (b"SEND\na:1\nb:2\nc:3\nd:4", Version.V12, "frame 'SEND' has more than 3 headers"),
        (b"SEND\na:" + b"x" * 39, Version.V12, "line 'a:x+' has more than 40 bytes"),
        (b"X" * 41, Version.V12, "has more than 40 bytes"),
        (b"SEND\na:" + "\N{EURO SIGN}".encode() * 13, Version.V12, "has more than 40 bytes"),
    ],
)
def test_an_error_says_what_is_wrong(head: bytes, version: Version, text: str) -> None:
    with pytest.raises(ProtocolError, match=text):
        parse(head, version)


def test_the_limits_themselves_are_allowed() -> None:
    head = b"SEND\na:" + b"x" * 38 + b"\nb:2\nc:3"
    assert len(parse(head).headers) == 3


@pytest.mark.parametrize(("value", "length"), [("0", 0), ("007", 7), ("9" * 18, int("9" * 18)), (None, None)])
def test_content_length(value: str | None, length: int | None) -> None:
    assert content_length(Frame("SEND", {} if value is None else {"content-length": value})) == length


@pytest.mark.parametrize("value", ["", "-1", "+1", " 1", "1 ", "1.0", "1_0", "\N{ARABIC-INDIC DIGIT ONE}", "9" * 19])
def test_a_content_length_that_is_no_number_of_bytes(value: str) -> None:
    with pytest.raises(ProtocolError, match="expected a number of bytes"):
        content_length(Frame("SEND", {"content-length": value}))


def test_an_error_shows_little_and_nothing_that_could_forge_a_line() -> None:
    assert shown("a\n\x1b[31m") == r"'a\n\x1b[31m'"
    assert len(shown("x" * 1000)) < 70
