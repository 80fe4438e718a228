"""Topic patterns, against a slow matcher that follows the words of the definition."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.router import CACHE_LIMIT, Router
from hub.topics import compile_pattern


def matches(pattern: str, topic: str) -> bool:
    return compile_pattern(pattern).fullmatch(topic + ".") is not None


def reference(pattern: str, topic: str) -> bool:
    """Word by word, trying every split for '#'."""
    if pattern == "*":
        return True
    return words_match(pattern.split("."), topic.split("."))


def words_match(pattern: list[str], topic: list[str]) -> bool:
    if not pattern:
        return not topic
    word, rest = pattern[0], pattern[1:]
    if word == "#":
        return any(words_match(rest, topic[skip:]) for skip in range(len(topic) + 1))
    if not rest and word.endswith("*") and word != "*":
        return bool(topic) and ".".join(topic).startswith(word[:-1])
    return bool(topic) and word in ("*", topic[0]) and words_match(rest, topic[1:])


def nested(pattern: str) -> re.Pattern[str]:
    """The obvious expression, which takes its time where there are several '#'."""
    words = pattern.split(".")
    if pattern == "*":
        return re.compile(r".*", re.DOTALL)
    tail = re.escape(words.pop()[:-1]) + ".*" if words[-1].endswith("*") and words[-1] != "*" else ""
    parts = {"*": r"[^.]*\.", "#": r"(?:[^.]*\.)*"}
    return re.compile("".join(parts.get(word, re.escape(word) + r"\.") for word in words) + tail, re.DOTALL)


WORDS = st.sampled_from(["a", "b", "ab", "", "a+", "(", "é", "\n"])
TOPICS = st.lists(WORDS, min_size=1, max_size=5).map(".".join)
PATTERNS = st.lists(WORDS | st.sampled_from(["*", "#", "a*", "ab*"]), min_size=1, max_size=5).map(".".join)


@given(PATTERNS, TOPICS)
def test_patterns_match_as_the_slow_matcher_says(pattern: str, topic: str) -> None:
    assert matches(pattern, topic) == reference(pattern, topic)


FEW = st.sampled_from(["a", "b", "ab"])
LONG_TOPICS = st.lists(FEW, min_size=1, max_size=10).map(".".join)
LONG_PATTERNS = st.lists(FEW | st.sampled_from(["#", "*", "a*"]), min_size=1, max_size=8).map(".".join)


@given(LONG_PATTERNS, LONG_TOPICS)
def test_several_wildcards_match_as_the_obvious_expression_says(pattern: str, topic: str) -> None:
    assert matches(pattern, topic) == (nested(pattern).fullmatch(topic + ".") is not None)


@pytest.mark.parametrize(
    ("pattern", "topic"),
    [
        ("#.a.#.b.#.c.#.d.#.e", "a.b.c." * 170 + "d"),
        ("#.*.#.*.#.*.#.x", "a." * 500 + "b"),
        ("#.#.#.#.x", "." * 1000),
        ("#." + "*." * 100 + "x.#." + "a." * 100 + "b*", "a." * 500 + "c"),
    ],
)
def test_no_topic_takes_long(pattern: str, topic: str) -> None:
    began = time.thread_time()
    assert not matches(pattern, topic)
    assert time.thread_time() - began < 0.1


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("a.b", ["a.b"], ["a", "a.b.c", "a.bc", "A.b"]),
        ("a.*", ["a.b", "a."], ["a", "a.b.c"]),
        ("a.#", ["a", "a.b", "a.b.c"], ["ab", "b.a"]),
        ("#.c", ["c", "a.c", "a.b.c"], ["c.a", "bc"]),
        ("a.#.c", ["a.c", "a.b.b.c"], ["a", "c", "a.cc"]),
        ("a.b*", ["a.b", "a.bc", "a.b.c.d"], ["a", "a.c"]),
        ("*", ["", "a", "a.b.c"], []),
        ("#", ["", "a", "a.b.c"], []),
        ("a.b.c+", ["a.b.c+"], ["a.b.cc"]),
    ],
)
def test_each_form_of_pattern(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [topic for topic in [*yes, *no] if matches(pattern, topic)] == yes


@given(st.lists(st.lists(PATTERNS, max_size=3), max_size=4), TOPICS)
def test_targets_come_once_each_in_the_order_given(patterns: list[list[str]], topic: str) -> None:
    router = Router(list(zip(patterns, range(len(patterns)), strict=True)))
    wanted = tuple(i for i, some in enumerate(patterns) if any(reference(pattern, topic) for pattern in some))
    assert router.route(topic) == wanted


def test_the_same_topic_gives_the_same_tuple() -> None:
    router = Router([(["a.#"], "one")])
    assert router.route("a.b") is router.route("a.b")
    assert router.route("b") == ()


def test_topics_without_end_do_not_fill_the_memory() -> None:
    router = Router([(["a.#"], "one")])
    for number in range(CACHE_LIMIT + 10):
        router.route(f"a.{number}")
    assert len(router.cache) <= CACHE_LIMIT
    assert router.route("a.0") == ("one",)


def test_topics_that_were_looked_up_are_remembered_until_there_are_too_many() -> None:
    router: Router[str] = Router([(["#"], "all")])
    for number in range(CACHE_LIMIT):
        router.route(f"t.{number}")
    assert len(router.cache) == CACHE_LIMIT
    router.route("one.more")
    assert list(router.cache) == ["one.more"]
