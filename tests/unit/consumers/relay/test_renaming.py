"""Prefixes of topics, by whole words."""

from __future__ import annotations

import pytest

from hub.consumers.relay.renaming import Renaming


@pytest.mark.parametrize(
    ("prefixes", "topic", "name"),
    [
        ({}, "a.b", "a.b"),
        ({"a": "x.y"}, "a.b.c", "x.y.b.c"),
        ({"a": "x"}, "a", "x"),
        ({"a": "x"}, "ab.c", "ab.c"),
        ({"a": "x", "a.b": "y"}, "a.b.c", "y.c"),
        ({"a.b": "y", "a": "x"}, "a.c", "x.c"),
        ({"": "x"}, "a.b", "x.a.b"),
        ({"a": ""}, "a.b", "b"),
        ({"a": ""}, "a", ""),
        ({"a": "x"}, "a..b", "x..b"),
    ],
)
def test_a_topic_gets_the_name_of_its_longest_prefix(prefixes: dict[str, str], topic: str, name: str) -> None:
    assert Renaming(prefixes).apply(topic) == name


def test_only_what_is_renamed_is_taken_unless_anything_is() -> None:
    assert Renaming({"a": "x", "b.c": "y"}).patterns() == ["b.c", "b.c.#", "a", "a.#"]
    assert Renaming({"": "x", "a": "y"}).patterns() == []
    assert Renaming({}).patterns() == []


@pytest.mark.parametrize("prefix", ["a.#", "*", ".a", "a.", "a..b", "a b", "a\n", "a" * 600])
def test_what_is_no_beginning_of_a_topic_is_told(prefix: str) -> None:
    for prefixes in ({prefix: "x"}, {"x": prefix}):
        assert [text.partition(",")[0] for text in Renaming(prefixes).problems()] == [
            "rename: expected beginnings of topics such as 'org.example'"
        ]
