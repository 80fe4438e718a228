"""What of a search goes to the database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from hub.consumers.archive.search import Query, literal_prefix
from hub.topics import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a.b.c", "a.b.c"),
        ("a.b.*", "a.b."),
        ("a.*.c", "a."),
        ("a.b.#", "a.b"),
        ("a.b*", "a.b"),
        ("#", ""),
        ("*", ""),
        ("*.b", ""),
    ],
)
def test_the_literal_beginning_of_a_pattern(pattern: str, expected: str) -> None:
    assert literal_prefix(pattern) == expected


WORDS = st.sampled_from(["a", "b", "ab", ""])


@given(st.lists(WORDS | st.sampled_from(["*", "#", "a*"]), min_size=1).map(".".join), st.lists(WORDS).map(".".join))
def test_whatever_matches_begins_with_it(pattern: str, topic: str) -> None:
    if compile_pattern(pattern).fullmatch(topic + "."):
        assert topic.startswith(literal_prefix(pattern))


def test_what_a_user_types_is_never_part_of_the_statement() -> None:
    evil = "x'; DROP TABLE messages; --"
    statement = Query(topic=evil, user=evil, category=evil, contains=evil).select()
    assert "DROP" not in str(statement.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]


def test_a_search_for_nothing_has_no_condition() -> None:
    assert "WHERE" not in str(Query().select())
