"""What a command is told of a message: names that are safe, values that are bounded, and nothing of the hub's own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.consumers.trigger.environment import MOST_BYTES, TooLarge, base, is_of_message, of_message
from hub.message import HeaderValue, Message

OWN = {"PATH": "/usr/bin"}
VALUES = st.text() | st.integers(-(1 << 63), (1 << 63) - 1) | st.booleans() | st.floats(allow_nan=False)


def made(topic: str = "a.b", id: str = "1", **headers: HeaderValue) -> dict[bytes, bytes]:
    return of_message(Message(id, topic, b"{}", headers, 1.5, "bus"), "c", OWN)


def test_a_message_is_told_by_its_own_variables() -> None:
    assert made("a.b", "the-id", severity=20, urgent=True, user="ann") == {
        b"PATH": b"/usr/bin",
        b"HUBBUB_CONSUMER": b"c",
        b"HUBBUB_BACKEND": b"bus",
        b"HUBBUB_TOPIC": b"a.b",
        b"HUBBUB_ID": b"the-id",
        b"HUBBUB_RECEIVED_AT": b"1.5",
        b"HUBBUB_HEADERS_LEFT_OUT": b"0",
        b"HUBBUB_HEADER_SEVERITY": b"20",
        b"HUBBUB_HEADER_URGENT": b"true",
        b"HUBBUB_HEADER_USER": b"ann",
    }


def test_of_the_hubs_variables_a_command_has_few() -> None:
    hub = {"HOME": "/root", "LC_ALL": "C", "NOTIFY_SOCKET": "/run/x", "PGPASSWORD": "secret", "HUBBUB_TRUST": "all"}
    assert base(hub, {"A": "1"}) == {"HOME": "/root", "LC_ALL": "C", "A": "1", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    assert base({"PATH": "/a"}, {})["PATH"] == "/a"
    assert base({"PATH": "/a"}, {"PATH": "/b"})["PATH"] == "/b"


def test_two_headers_that_would_have_one_variable_have_none() -> None:
    found = of_message(Message("1", "a", b"", {"x-user": "root", "x.user": "ann", "X": "1"}), "c", OWN)
    assert b"HUBBUB_HEADER_X_USER" not in found
    assert found[b"HUBBUB_HEADER_X"] == b"1"
    assert found[b"HUBBUB_HEADERS_LEFT_OUT"] == b"2"


def test_a_header_with_no_letter_in_its_name_is_left_out() -> None:
    assert of_message(Message("1", "a", b"", {"--": "x"}), "c", OWN)[b"HUBBUB_HEADERS_LEFT_OUT"] == b"1"


def test_what_no_variable_can_hold_is_replaced() -> None:
    found = made("a\0b", "\ud800", note="x\0y")
    assert found[b"HUBBUB_TOPIC"] == "a\N{REPLACEMENT CHARACTER}b".encode()
    assert found[b"HUBBUB_ID"] == rb"\ud800"
    assert found[b"HUBBUB_HEADER_NOTE"] == "x\N{REPLACEMENT CHARACTER}y".encode()


def test_a_large_header_is_left_out_and_many_have_a_limit_together() -> None:
    assert made(large="x" * 5000, small="y")[b"HUBBUB_HEADERS_LEFT_OUT"] == b"1"
    many = {f"h{number}": "x" * 4000 for number in range(100)}
    found = of_message(Message("1", "a", b"", many), "c", OWN)
    assert (
        sum(len(name) + len(value) for name, value in found.items() if name.startswith(b"HUBBUB_HEADER_")) < MOST_BYTES
    )
    assert int(found[b"HUBBUB_HEADERS_LEFT_OUT"]) == 100 - 16


@pytest.mark.parametrize("place", ["topic", "id"])
def test_a_name_beyond_all_measure_is_refused(place: str) -> None:
    with pytest.raises(TooLarge, match=f"the {place} has 20000 bytes"):
        made(**{place: "x" * 20_000})


@given(st.dictionaries(st.text(min_size=1), VALUES), st.text(max_size=1000))
def test_whatever_a_message_has_its_variables_are_its_own(headers: dict[str, HeaderValue], topic: str) -> None:
    found = of_message(Message("1", topic, b"", headers), "c", OWN)
    for name, value in found.items():
        assert re.fullmatch(rb"PATH|HUBBUB_[A-Z0-9_]+", name)
        assert b"__" not in name, "a hubbub that the command runs would take it for a setting"
        assert b"\0" not in value
        assert name == b"PATH" or is_of_message(name.decode())
