"""Rights: which patterns cover which."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.backends.stomp.destination import parse
from hub.backends.stomp.rights import ALL, NONE, Rights, covers, rights_of
from hub.topics import compile_pattern


@pytest.mark.parametrize(
    ("allowed", "wanted"),
    [
        ("/topic/#", "/topic/#"),
        ("/topic/#", "/topic/*"),
        ("/topic/#", "/topic/>"),
        ("/topic/a.#", "/topic/a"),
        ("/topic/a.#", "/topic/a.b.*"),
        ("/topic/a.#", "/topic/a.>"),
        ("/topic/a.*", "/topic/a.*"),
        ("/topic/a.*.c", "/topic/a.b.c"),
        ("/topic/#.c", "/topic/a.b.c"),
        ("/topic/a.b*", "/topic/a.bc.d"),
        ("/queue/*", "/queue/jobs"),
        ("/queue/#", "/queue/DLQ.jobs"),
        ("/queue/DLQ.jobs", "/queue/DLQ.jobs"),
    ],
)
def test_a_pattern_covers_what_is_within_it(allowed: str, wanted: str) -> None:
    assert Rights(read=[allowed]).may_read(parse(wanted))
    assert Rights(write=[allowed]).may_write(parse(wanted))


@pytest.mark.parametrize(
    ("allowed", "wanted"),
    [
        ("/topic/a.*", "/topic/a.#"),
        ("/topic/a.*", "/topic/a"),
        ("/topic/a.*", "/topic/a.b*"),
        ("/topic/*", "/topic/*"),
        ("/topic/a", "/topic/a.b"),
        ("/topic/a.b", "/topic/#"),
        ("/topic/#", "/queue/jobs"),
        ("/queue/*", "/queue/DLQ.jobs"),
        ("/queue/jobs", "/queue/DLQ.jobs"),
        ("/queue/#", "/topic/a"),
    ],
)
def test_and_nothing_else(allowed: str, wanted: str) -> None:
    """``*`` alone is every topic for the hub, which the pattern of one word does not cover."""
    assert not Rights(read=[allowed]).may_read(parse(wanted))
    assert not Rights(write=[allowed]).may_write(parse(wanted))


WORDS = st.lists(st.sampled_from(["a", "b", "ab", "*", "#", "a*"]), min_size=1, max_size=4)
TOPICS = st.lists(st.sampled_from(["a", "b", "ab", "abc"]), min_size=1, max_size=4)


@given(WORDS, WORDS, TOPICS)
@example(["a*", "#"], ["a*"], ["ab"])
def test_what_is_covered_matches_no_topic_that_the_other_does_not(
    allowed: list[str], wanted: list[str], topic: list[str]
) -> None:
    if covers(allowed, wanted) and compile_pattern(".".join(wanted)).fullmatch(f"{'.'.join(topic)}."):
        assert compile_pattern(".".join(allowed)).fullmatch(f"{'.'.join(topic)}.")


def test_anybody_uses_temporary_queues() -> None:
    assert NONE.may_read(parse("/temp-queue/x"))
    assert NONE.may_write(parse("/temp-queue/x"))
    assert NONE.may_write(parse("/reply-queue/x"))


def test_users_have_their_rights_and_others_those_of_the_star() -> None:
    alice, others = Rights(["/topic/#"]), Rights()
    table = {"alice": alice, "*": others}
    assert rights_of("alice", table) is alice
    assert rights_of("bob", table) is others
    assert rights_of(None, table) is others
    assert rights_of("*", {"alice": alice}) is NONE
    assert rights_of("bob", {"alice": alice}) is NONE
    assert rights_of(None, {}) is ALL
