"""From a message to a row: where each column comes from, and what makes two messages one."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import Message
from hub.consumers.archive.row import DEEPEST, LONGEST, agent, category, digest, moment, plain_row, row_of


def message(body: Any, topic: str = "org.example.dev.git.receive", **headers: str) -> Message:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message("made-up", topic, raw, headers, received_at=1000.0, backend="bus")


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("org.fedoraproject.prod.git.receive", "git"),
        ("org.fedoraproject.prod.git", "git"),
        ("a.b.c", "c"),
        ("alone", "alone"),
        ("", ""),
    ],
)
def test_the_category_is_the_fourth_word_or_the_last(topic: str, expected: str) -> None:
    assert category(topic) == expected


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [
        ({"msg": {"agent": "ann", "user": "bob"}, "username": "apache"}, "ann"),
        ({"msg": {"agent": {"username": "ann"}}}, "ann"),
        ({"msg": {"user": {"name": "bob"}}, "username": "apache"}, "bob"),
        ({"msg": {"commit": {"username": "cyd"}}}, "cyd"),
        ({"msg": {"commit": {"agent": "cyd"}}, "username": "apache"}, "cyd"),
        ({"msg": {"message": {"agent": "fay"}}, "username": "apache"}, "fay"),
        ({"msg": {"event": {"user": {"login": "gus"}}}}, "gus"),
        ({"msg": {"update": {"submitter": {"name": "dee"}}}}, "dee"),
        ({"msg": {"agent": "", "owner": "eve"}}, "eve"),
        ({"msg": {"agent": 5}, "username": "apache"}, "apache"),
        ({"msg": ["agent"]}, None),
        ({}, None),
    ],
)
def test_the_agent_is_the_most_telling_name(envelope: dict[str, Any], expected: str | None) -> None:
    assert agent(envelope) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5.0),
        (5.5, 5.5),
        ("1970-01-01T00:00:05Z", 5.0),
        ("1970-01-01T00:00:05", 5.0),
        ("1970-01-01T01:00:05+01:00", 5.0),
        (None, 7.0),
        (True, 7.0),
        (-1, 7.0),
        (math.nan, 7.0),
        (math.inf, 7.0),
        (10**400, 7.0),
        ("yesterday", 7.0),
        ("0001-01-01T00:00:00+14:00", 7.0),
        ([5], 7.0),
    ],
)
def test_a_timestamp_that_is_none_gives_way_to_the_time_of_receipt(value: object, expected: float) -> None:
    assert moment(value, 7.0) == datetime.fromtimestamp(expected, tz=UTC)


def test_the_source_is_the_bus_by_its_own_name_or_by_ours() -> None:
    assert row_of(message({"source_name": "datanommer"}))["source"] == "datanommer"
    assert row_of(message({"source_name": None}))["source"] == "bus"


def test_a_digest_ignores_the_made_up_id_and_nothing_else_of_the_message() -> None:
    first = message({"msg_id": "same"}, h="1")
    again = Message("another", first.topic, first.body, {"h": "1"}, received_at=2.0, backend="other")
    assert digest(first) == digest(again)
    others = [message({"msg_id": "same", "x": 1}, h="1"), message({"msg_id": "same"}, h="2")]
    others += [message({"msg_id": "same"}), message({"msg_id": "same"}, "another.topic", h="1")]
    assert len({digest(one) for one in [first, *others]}) == 5


def test_the_border_between_topic_and_body_is_part_of_the_digest() -> None:
    assert digest(message(b"bc", "a")) != digest(message(b"c", "ab"))


def test_a_nul_keeps_the_body_as_bytes_and_the_columns_filled() -> None:
    row = row_of(message(b'{"msg_id": "i", "timestamp": 5, "msg": {"agent": "a\\u0000b"}}'))
    assert (row["body"], row["msg_id"], row["agent"]) == (None, "i", "a\\u0000b")
    assert row["raw"] == b'{"msg_id": "i", "timestamp": 5, "msg": {"agent": "a\\u0000b"}}'
    assert row["timestamp"].timestamp() == 5


@pytest.mark.parametrize("odd", ['"\\udce9"', "NaN", "-Infinity"])
def test_what_only_a_lenient_decoder_takes_is_kept_as_bytes_and_the_columns_filled(odd: str) -> None:
    body = f'{{"msg_id": "i", "timestamp": 5, "msg": {{"agent": "ann", "odd": {odd}}}}}'.encode()
    row = row_of(message(body))
    assert (row["body"], row["raw"], row["msg_id"], row["agent"]) == (None, body, "i", "ann")
    assert row["timestamp"].timestamp() == 5


@pytest.mark.parametrize("body", [b'{"msg_id": "i"', b'{"n": ' + b"9" * 5000 + b"}", b"[" * 100_000, b"\xff", b"null"])
def test_what_no_decoder_takes_leaves_the_columns_empty(body: bytes) -> None:
    row = row_of(message(body))
    assert (row["body"], row["raw"], row["msg_id"], row["agent"]) == (None, body, None, None)
    assert row["timestamp"].timestamp() == 1000


@pytest.mark.parametrize("levels", [1, DEEPEST, DEEPEST + 1, 900, 100_000])
def test_a_body_that_is_nested_too_deep_is_kept_as_bytes(levels: int) -> None:
    row = row_of(message(b"[" * levels + b"]" * levels))
    assert (row["raw"] is None) == (levels <= DEEPEST)


def test_texts_of_indexed_columns_are_bounded() -> None:
    long = "\U0001f40d" * 5000
    row = row_of(message({"msg_id": long, "username": long, "source_name": long}, f"a.b.c.{long}.e"))
    for column in ("msg_id", "agent", "source", "topic", "category"):
        assert len(row[column]) == LONGEST
        assert len(row[column].encode()) <= 2000, "an entry of PostgreSQL's B-tree holds 2704 bytes"


def test_half_a_surrogate_pair_is_escaped_and_can_be_encoded() -> None:
    row = row_of(message({"msg_id": "x"}, "a.\ud800.c", name="\udfff"))
    assert row["topic"] == "a.\\ud800.c"
    assert row["headers"] == {"name": "\\udfff"}


def test_headers_keep_their_types() -> None:
    one = Message("1", "a.b", b"{}", {"severity": 20, "share": 0.5, "flag": True, "text": "20"})
    for row in (row_of(one), plain_row(one)):
        assert list(map(repr, row["headers"].values())) == ["20", "0.5", "True", "'20'"]
    assert digest(one) != digest(Message("1", "a.b", b"{}", {**one.headers, "severity": "20"}))


@pytest.mark.parametrize(
    ("number", "kept"), [("1e+16", True), ("-0.0", True), ('[{"a": -1e22}]', True), ("1e15", False), ("0.0", False)]
)
def test_a_number_that_jsonb_would_alter_is_kept_as_bytes_too(number: str, kept: bool) -> None:
    body = f'{{"n": {number}}}'.encode()
    row = row_of(message(body))
    assert row["body"] == json.loads(body)
    assert row["raw"] == (body if kept else None)


def test_half_a_surrogate_pair_that_a_decoder_lets_through_is_no_json_of_a_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Message, "json", lambda self: json.loads(self.body))
    for body in (b'{"a": ["\\ud800"]}', b'{"\\ud800": 1}'):
        assert (row_of(message(body))["body"], row_of(message(body))["raw"]) == (None, body)
    assert row_of(message({"zo\xeb": "\U0001f40d"}))["raw"] is None


def test_a_plain_row_is_ascii_with_the_body_as_bytes() -> None:
    row = plain_row(message({"msg_id": "zo\xeb", "username": "\u20ac" * 400}, "a.\u20ac.c", name="\xeb"))
    assert (row["msg_id"], row["topic"], row["headers"]) == ("zo\\xeb", "a.\\u20ac.c", {"name": "\\xeb"})
    assert (row["body"], len(row["agent"])) == (None, LONGEST)
    assert json.loads(row["raw"])["msg_id"] == "zo\xeb"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["msg", "agent", "timestamp", "x"]) | st.text(), inner)
    ),
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()), st.text(), st.text())
def test_every_message_makes_a_row_that_both_databases_can_hold(body: bytes, topic: str, header: str) -> None:
    row = row_of(message(body, topic, h=header))
    assert row["raw"] in (None, body)
    assert row["body"] is not None or row["raw"] == body
    texts = [row["topic"], row["category"], row["source"], row["msg_id"] or "", row["agent"] or ""]
    written = json.dumps([row["body"], row["headers"]], ensure_ascii=False, allow_nan=False)
    for text in [*texts, written]:
        assert "\0" not in text
        text.encode("utf-8")
    assert "\\u0000" not in written.replace("\\\\", "")
