"""Fields are read by path, and nothing else of a message or of Python is."""

from __future__ import annotations

import pytest

from hub import Message
from hub.consumers.sending.field import Content, Lacking, parse, text_of
from hub.consumers.sending.outcome import ForGood

BODY = b'{"msg": {"user": "ann", "n": 1.50, "no": null, "on": true, "a.b": {"c": 2}, "list": ["x", {"y": 3}]}}'


def content(body: bytes = BODY) -> Content:
    return Content(Message("7", "org.x", body, {"severity": 2, "ce.type": "t"}, received_at=1_700_000_000.0))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("topic", "org.x"),
        ("id", "7"),
        ("time", "2023-11-14T22:13:20Z"),
        ("header.severity", "2"),
        ("header.ce.type", "t"),
        ('header."ce.type"', "t"),
        ("body", BODY.decode()),
        ("body.msg.user", "ann"),
        ("body.msg.n", "1.5"),
        ("body.msg.on", "true"),
        ('body.msg."a.b".c', "2"),
        ("body.msg.list.0", "x"),
        ("body.msg.list.1.y", "3"),
        ("body.msg.list.1", '{"y":3}'),
    ],
)
def test_a_field_as_text(path: str, text: str) -> None:
    assert content().text(parse(path)) == text


@pytest.mark.parametrize(
    "path",
    [
        *("header.none", "body.none", "body.msg.no", "body.msg.user.deeper", "body.msg.list.2", "body.msg.list.-1"),
        *("body.msg.list.99999999999999999999", "body.msg.list.\u0663", "body.__class__", "body.msg.keys"),
        *("header.__len__", "body.msg.list.append"),
    ],
)
def test_a_field_that_is_not_there_is_named(path: str) -> None:
    with pytest.raises(Lacking, match=r"^the message has no field '") as caught:
        content().text(parse(path))
    assert repr(path) in str(caught.value) or path.encode("unicode_escape").decode() in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_not_json_lacks_all_fields(body: bytes) -> None:
    with pytest.raises(Lacking, match=r"no field 'body.a': the body is not JSON"):
        content(body).text(parse("body.a"))
    assert isinstance(content(body).text(parse("body")), str)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("", "such as 'body.msg.user'"),
        ("body.", "such as 'body.msg.user'"),
        ("body..a", "such as 'body.msg.user'"),
        ("body.a b", "such as 'body.msg.user'"),
        ('body."a', "such as 'body.msg.user'"),
        ("msg.user", "begins with one of topic, id, time, header, body"),
        ("header", "the name of a header"),
        ("topic.x", "'topic' has no fields in it"),
    ],
)
def test_what_is_no_path(path: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse(path)


def test_half_a_surrogate_pair_is_escaped() -> None:
    assert content(b'{"a": "x\\ud800y"}').text(parse("body.a")) == "x\\ud800y"


def test_what_is_nested_too_deeply_for_a_text_is_a_dead_letter() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ForGood, match="nested too deeply"):
        text_of(value)
