"""The ack window, against a plain set of positions."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.store import window as window_module
from hub.store.window import AckWindow, gaps

RANGES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6)), max_size=40)


def floor_of(done: set[int]) -> int:
    return next(position for position in range(len(done) + 1) if position not in done)


@given(RANGES)
def test_it_says_what_a_set_of_positions_would_say(ranges: list[tuple[int, int]]) -> None:
    window, done = AckWindow(), set[int]()
    for start, length in ranges:
        marked = set(range(start, start + length))
        if marked & done:
            with pytest.raises(ValueError, match="finished in part already"):
                window.finish(start, start + length)
            continue
        window.finish(start, start + length)
        done |= marked
        assert window.floor == floor_of(done)
        assert {p for p in range(60) if window.is_finished(p)} == done


@given(RANGES)
def test_its_ranges_lie_above_the_floor_ascending_and_never_touch(ranges: list[tuple[int, int]]) -> None:
    window, done = AckWindow(), set[int]()
    for start, length in ranges:
        if not done & set(range(start, start + length)):
            window.finish(start, start + length)
            done |= set(range(start, start + length))
    edges = [window.floor, *(edge for pair in window.ranges for edge in pair)]
    assert edges == sorted(set(edges))
    assert {p for start, stop in window.ranges for p in range(start, stop)} == {p for p in done if p > window.floor}


@given(st.permutations(range(30)))
def test_in_whatever_order_all_are_finished_only_the_floor_is_left(order: list[int]) -> None:
    window = AckWindow(floor=100)
    for position in order:
        window.finish(100 + position, 101 + position)
    assert (window.floor, window.ranges) == (130, [])


def test_below_the_floor_all_is_finished() -> None:
    window = AckWindow(floor=7)
    assert window.is_finished(6)
    assert not window.is_finished(7)
    with pytest.raises(ValueError):
        window.finish(6, 8)


def test_an_empty_range_changes_nothing() -> None:
    window = AckWindow()
    window.finish(5, 5)
    assert (window.floor, window.ranges) == (0, [])


def test_gaps() -> None:
    assert list(gaps(0, 10, sorted([(6, 7), (2, 4)]))) == [(0, 2), (4, 6), (7, 10)]
    assert list(gaps(0, 10, [(0, 10)])) == []
    assert list(gaps(3, 5, [(0, 1), (8, 9)])) == [(3, 5)]


@given(RANGES, st.data())
def test_what_was_finished_can_be_taken_back(ranges: list[tuple[int, int]], data: st.DataObject) -> None:
    window, done, marks = AckWindow(), set[int](), []
    for start, length in ranges:
        if length and not done & set(range(start, start + length)):
            window.finish(start, start + length)
            done |= set(range(start, start + length))
            marks.append((start, start + length))
    for start, stop in data.draw(st.lists(st.sampled_from(marks), unique=True)) if marks else ():
        window.reopen(start, stop)
        done -= set(range(start, stop))
    assert window.floor == floor_of(done)
    assert {p for p in range(60) if window.is_finished(p)} == done
    again = AckWindow()
    for position in sorted(done):
        again.finish(position, position + 1)
    assert (window.floor, window.ranges) == (again.floor, again.ranges)


def test_what_is_reopened_below_the_floor_leaves_ranges_in_order() -> None:
    window = AckWindow()
    for start, stop in ((0, 4), (6, 8), (9, 10)):
        window.finish(start, stop)
    window.reopen(1, 2)
    assert (window.floor, window.ranges) == (1, [(2, 4), (6, 8), (9, 10)])


@given(st.permutations(range(60)))
def test_ranges_that_went_at_the_front_leave_no_trace(order: list[int]) -> None:
    window, done = AckWindow(), set[int]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_module, "COMPACT_AT", 2)
        patch.setattr(window_module, "FEW", 0)
        for position in order:
            window.finish(position, position + 1)
            done.add(position)
            opened = {p for start, stop in window.open(0, 60) for p in range(start, stop)}
            assert (window.floor, opened) == (floor_of(done), {*range(60)} - done)
            assert [window.around(p) for p in sorted(done) if p > window.floor] == [
                (start, stop) for start, stop in window.ranges for _ in range(start, stop)
            ]
            assert window.covers(0, 60) == (len(done) == 60)


@pytest.mark.parametrize("stuck", [0, 1])
def test_a_range_that_goes_near_the_front_moves_few_of_the_others(stuck: int) -> None:
    """High priorities were settled first, and the others follow in order, perhaps behind one that is never settled."""
    window = AckWindow()
    for position in range(1, 400_000, 2):
        window.finish(position, position + 1)
    began = time.process_time()
    for position in range(2 * stuck, 50_000, 2):
        window.finish(position, position + 1)
    assert time.process_time() - began < 1.0
    assert window.floor == (0 if stuck else 50_000)
