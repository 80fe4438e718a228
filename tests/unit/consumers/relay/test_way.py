"""The buses that a message has passed: none is passed twice, and the list has an end."""

from __future__ import annotations

import pytest

from hub.consumers.relay.way import MOST_BUSES, Way, way_of


def test_a_way_grows_bus_by_bus_and_can_be_read_again() -> None:
    way = way_of(None).after("left").after("a b/c")
    assert str(way) == "left a%20b%2Fc"
    assert way_of(str(way)) == way
    assert way_of("") == Way()


def test_no_bus_is_passed_twice_whichever_end_it_is() -> None:
    way = way_of("left mid")
    assert way.is_open("right", "far")
    assert not way.is_open("right", "left")
    assert not way.is_open("mid", "far")
    assert not way_of("a%20b").is_open("x", "a b")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "is not a text"),
        (True, "is not a text"),
        (" ".join(f"b{number}" for number in range(MOST_BUSES)), "it has passed 16 buses or more"),
        ("x" * 100_000, "it has passed 16 buses or more"),
    ],
)
def test_what_is_no_way_or_a_loop_is_told(value: str | int, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        way_of(value)
