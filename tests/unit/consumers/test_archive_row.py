"""From a message to a row."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumers.archive.row import agent, category, digest, row_of
from consumers.archive.search import literal_prefix
from consumers.archive.settings import Config
from hub.message import Message


def message(body: Any, topic: str = "org.example.dev.git.receive", id: str = "1") -> Message:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(id, topic, raw, received_at=5.0, backend="bus")


def test_the_digest_is_of_what_a_redelivery_has_in_common() -> None:
    assert digest(message({"a": 1}, id="1")) == digest(message({"a": 1}, id="2"))
    different = [message({"a": 1}), message({"a": 2}), message({"a": 1}, topic="b"), message(b'{"a":1}')]
    assert len({digest(one) for one in different}) == 4


@pytest.mark.parametrize(
    ("topic", "name"),
    [("org.fedoraproject.prod.git.receive", "git"), ("io.pagure.prod.x", "x"), ("a.b", "b"), ("a", "a")],
)
def test_the_category_is_the_fourth_word_or_the_last(topic: str, name: str) -> None:
    assert category(topic) == name


@pytest.mark.parametrize(
    ("envelope", "name"),
    [
        ({"msg": {"agent": "ann", "user": "bob"}, "username": "root"}, "ann"),
        ({"msg": {"commit": {"username": "ann"}}}, "ann"),
        ({"msg": {"user": {"name": "ann"}}}, "ann"),
        ({"msg": "text", "username": "root"}, "root"),
        ({"msg": {"agent": 5, "user": ""}}, None),
        ({}, None),
    ],
)
def test_the_agent_is_found_where_publishers_put_it(envelope: dict[str, Any], name: str | None) -> None:
    assert agent(envelope) == name


@pytest.mark.parametrize("timestamp", ["yesterday", None, True, -1, 1e300, [], float("1e18")])
def test_a_useless_time_is_the_time_of_receipt(timestamp: Any) -> None:
    assert row_of(message({"timestamp": timestamp}))["timestamp"].timestamp() == 5.0


def test_a_body_is_kept_as_json_or_as_bytes_never_as_both() -> None:
    for body in (b"nonsense", b"\xff", b'"a\\u0000b"', b'{"ok": 1}'):
        row = row_of(message(body))
        assert (row["body"] is None) != (row["raw"] is None)


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [("a.b.c", "a.b.c"), ("a.b.*", "a.b."), ("a.#", "a"), ("#", ""), ("*", ""), ("a.b*", "a.b"), ("a.*.c", "a.")],
)
def test_the_literal_part_of_a_pattern_narrows_the_search(pattern: str, prefix: str) -> None:
    assert literal_prefix(pattern) == prefix


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "", "sqlite"])
def test_what_is_no_database_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="database: expected"):
        Config.model_validate({"database": url})
