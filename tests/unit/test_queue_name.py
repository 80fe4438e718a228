"""Names of declared queues."""

from __future__ import annotations

import pytest

from hub import queue_name


@pytest.mark.parametrize("name", ["jobs", "a.b-c_d", "x" * 200, "J\u00fcrgens", "subscription.a%40b..1", "a,b;c=d"])
def test_most_characters_may_be_in_a_name(name: str) -> None:
    assert queue_name.flaw(name) == ""


@pytest.mark.parametrize(
    ("name", "flaw"),
    [
        ("", "is empty"),
        ("x" * 201, "has more than 200 characters"),
        ("a b", "has a space or a character that can't be printed"),
        ("a\x00", "has a space or a character that can't be printed"),
        ("*", "has a '*'"),
        ("a.#", "has a '#'"),
        ("a.>", "has a '>'"),
        ("work?x=1", "has a '?'"),
        ("a/b", "has a '/'"),
    ],
)
def test_what_means_something_else_is_told(name: str, flaw: str) -> None:
    assert queue_name.flaw(name) == flaw
