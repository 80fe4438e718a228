"""Topic patterns, against a slow matcher that follows the words of the definition."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.router import CACHE_LIMIT, WORDS_LIMIT, Router
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


CHANGES = st.lists(st.tuples(st.booleans(), PATTERNS, st.integers(0, 2)), max_size=12)


@given(CHANGES, st.lists(TOPICS, min_size=1, max_size=4))
def test_routes_that_change_one_by_one_lead_where_new_ones_would(
    changes: list[tuple[bool, str, int]], topics: list[str]
) -> None:
    router: Router[int] = Router()
    wanted: dict[int, set[str]] = {0: set(), 1: set(), 2: set()}
    for adds, pattern, target in changes:
        if adds:
            router.add(pattern, target)
            wanted[target].add(pattern)
        else:
            router.remove(pattern, target)
            wanted[target].discard(pattern)
        for topic in topics:
            found = {one for one, patterns in wanted.items() if any(reference(pattern, topic) for pattern in patterns)}
            assert set(router.route(topic)) == found
    assert len(router) == len([patterns for patterns in wanted.values() if patterns])
    for target in wanted:
        router.assign(target, ())
    assert not router._tree._root  # nothing is left of what was removed
    assert dict.fromkeys(router.cache, ()) == router.cache


def test_two_patterns_that_mean_the_same_are_removed_one_by_one() -> None:
    router: Router[str] = Router([(["*", "#"], "all"), (["*"], "other")])
    router.remove("*", "all")
    assert router.route("a.b") == ("all", "other")
    router.remove("#", "all")
    assert router.route("a.b") == ("other",)


@given(st.lists(TOPICS, max_size=8), PATTERNS)
def test_a_change_forgets_those_topics_that_its_pattern_matches(topics: list[str], pattern: str) -> None:
    router: Router[str] = Router()
    for topic in topics:
        router.route(topic)
    router.add(pattern, "target")
    assert set(router.cache) == {topic for topic in topics if not reference(pattern, topic)}
    paths = [topic.split(".") for topic in router.cache]
    assert router._known.words == len({tuple(words[:upto]) for words in paths for upto in range(1, len(words) + 1)})


def test_ten_thousand_subscriptions_leave_the_topics_of_others_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    router = Router([(["org.#"], "consumer")])
    topics = [f"org.example.prod.{number}" for number in range(1000)]
    for topic in topics:
        router.route(topic)
    matched: list[str] = []
    match = router.match

    def noted(topic: str) -> tuple[str, ...]:
        matched.append(topic)
        return match(topic)

    monkeypatch.setattr(router, "match", noted)
    for number in range(10_000):
        router.add(f"jobs.client{number}.#", f"client {number}")
        assert router.route(topics[number % 1000]) == ("consumer",)
    assert matched == []
    router.add("org.example.prod.7", "client 7")
    assert [router.route(topic) for topic in topics].count(("consumer",)) == 999
    assert matched == ["org.example.prod.7"]


def lines_run(call: Callable[[], object]) -> int:
    """How many lines of the hub the call runs: its cost, which no busy machine changes, and no library that is called
    when garbage is collected."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        count += event == "line" and frame.f_globals.get("__name__", "").startswith("hub.")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


PATTERN, TOPIC = "jobs.client7.x.*", "jobs.client7.x.y"


def test_a_change_costs_the_same_whatever_the_number_of_the_others() -> None:
    costs = []
    for others in (1, 10, 10_000):  # the first calls of the process may run more lines
        router: Router[str] = Router()
        for number in range(others):
            router.add(f"jobs.client{number}.#", str(number))
            router.route(f"jobs.client{number}.done" if number < 5000 else f"org.x.{number}")
        add, remove = partial(router.add, PATTERN, "new"), partial(router.remove, PATTERN, "new")
        costs.append([lines_run(add), lines_run(partial(router.match, TOPIC)), lines_run(remove)])
    assert costs[1] == costs[2]


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
    for number in range(WORDS_LIMIT // 100):
        router.route(f"a.{number}" + ".b" * 500)
        assert router._known.words <= WORDS_LIMIT + 502


def test_topics_that_were_looked_up_are_remembered_until_there_are_too_many() -> None:
    router: Router[str] = Router([(["#"], "all")])
    for number in range(CACHE_LIMIT):
        router.route(f"t.{number}")
    assert len(router.cache) == CACHE_LIMIT
    router.route("one.more")
    assert list(router.cache) == ["one.more"]
