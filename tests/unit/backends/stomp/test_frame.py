import pytest

from hub.backends.stomp.frame import Version, assemble, encode, encode_headers


@pytest.mark.parametrize(
    ("accept", "best"),
    [
        (None, Version.V10), ("1.0", Version.V10), ("1.0,1.1", Version.V11), ("1.2,1.0,1.1", Version.V12),
        ("1.1, 1.2", Version.V12), ("1.3,1.1,2.0", Version.V11), ("", None), ("2.0", None), ("1", None),
    ],
)  # fmt: skip
def test_the_best_common_version(accept: str | None, best: Version | None) -> None:
    assert Version.best(accept) is best


def test_versions_compare() -> None:
    assert Version.V10 < Version.V11 < Version.V12


def test_a_frame_without_a_body() -> None:
    assert encode("RECEIPT", {"receipt-id": "m-1"}) == b"RECEIPT\nreceipt-id:m-1\n\n\0"


def test_a_body_brings_its_length() -> None:
    frame = encode("MESSAGE", {"subscription": "1"}, b"a\0b")
    assert frame == b"MESSAGE\nsubscription:1\ncontent-length:3\n\na\0b\0"


@pytest.mark.parametrize(
    ("version", "line"),
    [
        (Version.V10, b"n\\c\\n\r\\:\\n:\r\\\n"),
        (Version.V11, b"n\\c\\n\r\\\\:\\n\\c\r\\\\\n"),
        (Version.V12, b"n\\c\\n\\r\\\\:\\n\\c\\r\\\\\n"),
    ],
)
def test_the_escapes_of_each_version(version: Version, line: bytes) -> None:
    assert encode_headers({"n:\n\r\\": "\n:\r\\"}, version) == line


def test_no_version_lets_a_value_forge_a_header_or_end_the_frame() -> None:
    for version in Version:
        frame = encode("MESSAGE", {"a": "1\n\nforged:yes\0MESSAGE\n"}, b"", version)
        assert frame.count(b"\n") == 3
        assert frame.find(b"\0") == len(frame) - 1


@pytest.mark.parametrize("command", ["CONNECT", "STOMP", "CONNECTED"])
def test_what_agrees_on_the_version_is_not_escaped(command: str) -> None:
    assert encode(command, {"session": "a:b\\c"}, b"", Version.V12) == f"{command}\nsession:a:b\\c\n\n\0".encode()


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert encode_headers({"a": "\ud800"}, Version.V12) == b"a:?\n"


def test_a_frame_is_put_together_of_parts() -> None:
    subscription = b"MESSAGE\n" + encode_headers({"subscription": "7"}, Version.V11)
    message = encode_headers({"message-id": "9", "x": "a:b"}, Version.V11)
    whole = encode("MESSAGE", {"subscription": "7", "message-id": "9", "x": "a:b"}, b"body", Version.V11)
    assert assemble(subscription + message, b"body") == whole
