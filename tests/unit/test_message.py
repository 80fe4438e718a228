"""The message."""

from __future__ import annotations

import math
import re

import pytest

from hub.errors import NotJSON
from hub.message import Message, new_id


def test_each_caller_gets_a_copy_of_its_own() -> None:
    message = Message("1", "a.b", b'{"list": [1]}')
    message.json()["list"].append(2)
    assert message.json() == {"list": [1]}


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[" * 100_000, b'"\xff"', b'{"a": 1} x', b"[NaN", b"9" * 9999])
def test_what_is_no_json_is_said_so(body: bytes) -> None:
    with pytest.raises(NotJSON, match="the body of message 'x' is not JSON"):
        Message("x", "a.b", body).json()


def test_nobody_can_change_it() -> None:
    message = Message("1", "a.b", b"{}")
    with pytest.raises(AttributeError):
        message.topic = "c"  # type: ignore[misc]
    with pytest.raises(TypeError):
        message.headers["x"] = "y"  # type: ignore[index]


def test_a_new_id_has_fedmsgs_form_and_is_new() -> None:
    assert re.fullmatch(r"2026-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", new_id(1.78e9))
    assert new_id(0.0) != new_id(0.0)


def test_json_as_python_writes_it_is_read() -> None:
    body = b'{"a": [NaN, Infinity, -Infinity, 1e999], "b": "half \\ud800 a pair", "c": "\xc3\xa9"}'
    found = Message("x", "a.b", body).json()
    assert math.isnan(found["a"][0])
    assert found["a"][1:] == [math.inf, -math.inf, math.inf]
    assert (found["b"], found["c"]) == ("half \ud800 a pair", "\xe9")
