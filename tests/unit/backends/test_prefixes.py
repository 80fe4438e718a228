import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.backends.zeromq.prefixes import Prefixes, prefix, prefixes


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a.b.c", b"a.b.c"),
        ("a.b.*", b"a.b."),
        ("a.b*", b"a.b"),
        ("a.#", b"a"),
        ("a.*.c", b"a."),
        ("#", b""),
        ("*", b""),
        ("#.b", b""),
        ("\xe4.#", "\xe4".encode()),
    ],
)
def test_all_before_the_first_wildcard(pattern: str, expected: bytes) -> None:
    assert prefix(pattern) == expected


def test_what_a_shorter_one_covers_is_dropped() -> None:
    assert prefixes(["a.b.c", "a.b.*", "a.#", "b.c", "b.c.d", "c"]) == {b"a", b"b.c", b"c"}
    assert prefixes(["#", "a.b"]) == {b""}
    assert prefixes([]) == frozenset()


WORD = st.sampled_from(["a", "b", "ab"])
TOPIC = st.lists(WORD, min_size=1, max_size=4).map(".".join)
PATTERN = st.lists(WORD | st.sampled_from(["*", "#"]), min_size=1, max_size=4).map(".".join)


def matches(pattern: str, topic: str) -> bool:
    """By regular expression: ``*`` one word, ``#`` zero or more."""
    expression = re.escape("." + pattern).replace(r"\.\*", r"\.[^.]+").replace(r"\.\#", r"(\.[^.]+)*")
    return re.fullmatch(expression, "." + topic) is not None


@given(st.lists(PATTERN, max_size=4), TOPIC)
def test_no_topic_that_is_wanted_is_missed(patterns: list[str], topic: str) -> None:
    if any(matches(pattern, topic) for pattern in patterns):
        assert topic.encode().startswith(tuple(prefixes(patterns)))


@given(st.lists(PATTERN, max_size=6))
def test_none_covers_another(patterns: list[str]) -> None:
    found = prefixes(patterns)
    assert not any(one != other and one.startswith(other) for one in found for other in found)


@given(st.lists(st.tuples(st.booleans(), st.lists(PATTERN, max_size=3)), max_size=8))
def test_changes_one_by_one_ask_for_what_all_at_once_would(changes: list[tuple[bool, list[str]]]) -> None:
    kept, wanted, asked = Prefixes(), set[str](), set[bytes]()
    for adds, patterns in changes:
        new, gone = kept.add(patterns) if adds else kept.remove(patterns)
        wanted = wanted | {*patterns} if adds else wanted - {*patterns}
        assert not new & asked
        assert gone <= asked
        asked = (asked | new) - gone
        assert asked == kept.asked == prefixes(wanted)
