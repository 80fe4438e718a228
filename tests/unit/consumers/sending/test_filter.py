"""Filters choose messages by topic and by fields."""

from __future__ import annotations

import time

import pytest
from pydantic import ValidationError

from hub import Message, Settings, jsontext, setting
from hub.consumers.sending.field import Content
from hub.consumers.sending.filter import Conditions, Filter


class Filtered(Settings):
    include: Conditions = setting({}, "What to send.")


def content(topic: str = "a.b", **body: object) -> Content:
    return Content(Message("7", topic, jsontext.write(body), {"severity": 2}))


def wants(found: Content, include: dict[str, list[str]], exclude: dict[str, list[str]] | None = None) -> bool:
    return Filter(include, exclude or {}).wants(found)


def test_without_conditions_all_are_sent() -> None:
    assert wants(content(), {})


def test_all_that_is_included_must_hold() -> None:
    both = {"body.user": ["ann", "b*"], "header.severity": ["2", "3"]}
    assert wants(content(user="ann"), both)
    assert wants(content(user="bob"), both)
    assert not wants(content(user="carl"), both)
    assert not wants(content(), both)
    assert not wants(content(user="ann"), both | {"header.severity": ["3"]})


def test_nothing_that_is_excluded_may_hold() -> None:
    assert wants(content(user="ann"), {}, {"body.user": ["bob"], "body.none": ["*"]})
    assert not wants(content(user="ann"), {"body.user": ["ann"]}, {"header.severity": ["2"]})


@pytest.mark.parametrize(
    ("text", "value", "fits"),
    [
        ("a*c", "abbc", True),
        ("a*c", "ac", True),
        ("a*c", "acx", False),
        ("*b*", "xxbyy", True),
        ("a**c", "abc", True),
        ("ab*b", "ab", False),
        ("a*b*b", "ab", False),
        ("*", "", True),
        ("a.c", "abc", False),
        ("a\nb", "a\nb", True),
        ("a*", "a\nb", True),
        ("A", "a", False),
        ("true", True, True),
        ("[1,2]", [1, 2], True),
    ],
)
def test_stars_stand_for_any_characters(text: str, value: object, fits: bool) -> None:
    assert wants(content(x=value), {"body.x": [text]}) is fits


def test_topics_have_topic_patterns() -> None:
    assert wants(content("a.b.c"), {"topic": ["a.#"]})
    assert not wants(content("a.b.c"), {"topic": ["a.*"]})
    assert not wants(content("a.b.c"), {}, {"topic": ["#.c"]})


def test_no_message_makes_it_slow() -> None:
    hostile = content(x="a" * 20_000)
    began = time.process_time()
    assert not wants(hostile, {"body.x": ["a*a*a*a*a*a*a*b"]})
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"user": ["a"]}, "begins with one of"),
        ({"body.a": []}, "has no texts"),
        ({"topic": ["a b"]}, "expected topic patterns"),
    ],
)
def test_what_is_no_condition_is_refused(table: dict[str, list[str]], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Filtered.model_validate({"include": table})
