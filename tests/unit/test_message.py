"""The message."""

from __future__ import annotations

import re

import pytest

from hub.errors import NotJSON
from hub.message import Message, new_id


def test_each_caller_gets_a_copy_of_its_own() -> None:
    message = Message("1", "a.b", b'{"list": [1]}')
    message.json()["list"].append(2)
    assert message.json() == {"list": [1]}


@pytest.mark.parametrize("body", [b"", b"nonsense", b'{"a": NaN}', b"[" * 100_000, b'"\xff"', b'{"a": 1} x'])
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
