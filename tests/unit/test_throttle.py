"""How many events of one kind are shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.throttle import Throttle


def told(throttle: Throttle[str], now: float, final: bool = False) -> list[tuple[object, int, str | None]]:
    return [(burst.kind, burst.held, burst.last) for burst in throttle.over(now, final)]


def shown(throttle: Throttle[str], kind: str, now: float, last: str = "") -> bool:
    burst = throttle.hold(kind, now)
    if burst is not None:
        burst.last = last
    return burst is None


def test_the_first_of_a_kind_are_shown_and_the_others_are_held_until_its_period_is_over() -> None:
    throttle = Throttle[str](2, 10.0, 16)
    assert [shown(throttle, "a", number, str(number)) for number in range(5)] == [True, True, False, False, False]
    assert shown(throttle, "b", 5.0)
    assert told(throttle, 9.9) == []
    assert told(throttle, 10.0) == [("a", 3, "4")]
    assert shown(throttle, "a", 10.0)
    assert told(throttle, 100.0) == []
    assert len(throttle) == 0


def test_at_the_end_all_are_told() -> None:
    throttle = Throttle[str](1, 10.0, 16)
    assert [shown(throttle, kind, 0.0, kind) for kind in "abab"] == [True, True, False, False]
    assert told(throttle, 0.0, final=True) == [("a", 1, "a"), ("b", 1, "b")]
    assert told(throttle, 0.0, final=True) == []


def test_beyond_so_many_kinds_the_one_that_began_first_is_told_early() -> None:
    throttle = Throttle[str](1, 10.0, 2)
    assert [shown(throttle, kind, 0.0) for kind in "aabbc"] == [True, False, True, False, True]
    assert len(throttle) == 2
    assert told(throttle, 0.0) == [("a", 1, "")]
    assert shown(throttle, "a", 0.0)


def test_beyond_so_many_kinds_all_are_one_where_that_is_wanted() -> None:
    throttle = Throttle[str](1, 10.0, 2, "others")
    assert [shown(throttle, kind, 0.0, kind) for kind in "abcdea"] == [True, True, True, False, False, False]
    assert told(throttle, 10.0) == [("a", 1, "a"), ("others", 2, "e")]


def test_it_says_when_the_next_period_is_over() -> None:
    throttle = Throttle[str](1, 10.0, 16)
    assert throttle.due() is None
    throttle.hold("a", 1.0)
    throttle.hold("b", 2.0)
    assert throttle.due() == 11.0
    throttle.over(11.0)
    assert throttle.due() == 12.0


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 5)), max_size=80),
    st.integers(1, 3),
    st.integers(1, 4),
    st.sampled_from(["others", None]),
)
def test_each_event_is_shown_or_told(
    events: list[tuple[str, int]], most_shown: int, most: int, others: str | None
) -> None:
    throttle, now, visible, counted = Throttle[str](most_shown, 10.0, most, others), 0.0, 0, 0
    for kind, pause in events:
        now += pause
        counted += sum(held for _, held, _ in told(throttle, now))
        visible += shown(throttle, kind, now)
        assert len(throttle) <= most + (others is not None)
    counted += sum(held for _, held, _ in told(throttle, now, final=True))
    assert visible + counted == len(events)


def test_one_that_never_tells_is_bounded_all_the_same() -> None:
    throttle = Throttle[str](1, 10.0, 4)
    for number in range(1000):
        throttle.hold(str(number), 0.0)
        throttle.hold(str(number), 0.0)
    assert len(told(throttle, 0.0)) == 4
