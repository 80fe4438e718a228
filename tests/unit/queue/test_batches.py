"""The ready window."""

from __future__ import annotations

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.queue.ages import AgeLimit
from hub.queue.batches import Batches
from tests.unit.doubles import message, messages, size_of


@given(st.lists(st.integers(0, 7), max_size=8), st.lists(st.integers(1, 9), max_size=40))
def test_messages_come_out_in_the_order_and_at_the_positions_they_went_in(sizes: list[int], limits: list[int]) -> None:
    ready, start = Batches(), 0
    everything = messages(sum(sizes))
    for count in sizes:
        batch = everything[start : start + count]
        ready.append(start, batch, size_of(batch))
        start += count
    taken = 0
    for limit in limits:
        if not ready:
            break
        assert ready.head == (taken, everything[taken])
        positions, taken_now = ready.take(limit)
        assert len(taken_now) == min(limit, len(everything) - taken)
        assert list(taken_now) == everything[taken : taken + len(taken_now)]
        assert positions == range(taken, taken + len(taken_now))
        taken += len(taken_now)
        assert len(ready) == len(everything) - taken
        assert ready.size >= size_of(everything[taken:])


def test_a_whole_batch_is_handed_out_as_the_list_it_came_in() -> None:
    ready, batch = Batches(), messages(3)
    ready.append(0, batch, 6)
    assert ready.take(10)[1] is batch


def test_batches_are_put_together_up_to_a_gap_in_the_positions() -> None:
    ready, everything = Batches(), messages(4)
    ready.append(0, everything[:1], 2)
    ready.append(1, everything[1:2], 2)
    ready.append(5, everything[2:], 4)
    assert ready.take(9) == (range(2), everything[:2])
    assert ready.take(9) == (range(5, 7), everything[2:])


def test_what_is_put_back_comes_out_in_its_place() -> None:
    ready, everything = Batches(), messages(9)
    ready.append(0, everything, 18)
    hands = [ready.take(2) for _ in range(3)]
    for positions, taken in (hands[2], hands[0], hands[1]):
        ready.put_back(positions.start, taken)
    assert (len(ready), ready.size, ready.head) == (9, 18, (0, everything[0]))
    assert ready.first(99) == (list(range(9)), everything)
    assert ready.take(5) == (range(5), everything[:5])
    assert ready.take(9) == (range(5, 9), everything[5:])
    assert (len(ready), ready.size) == (0, 0)


def test_before_a_gap_too() -> None:
    ready, everything = Batches(), messages(9)
    ready.append(0, everything[:3], 6)
    ready.append(5, everything[5:], 8)
    positions, taken = ready.take(2)
    ready.put_back(positions.start, taken)
    assert [ready.take(9)[0], ready.take(9)[0]] == [range(3), range(5, 9)]


def test_bytes_can_be_counted_again_where_it_matters() -> None:
    ready = Batches()
    ready.append(0, messages(3), 6)
    ready.append(3, messages(2), 4)
    for left in (8, 6, 4, 2, 0):
        ready.take(1)
        ready.recount()
        ready.recount()
        assert ready.size == left


def test_it_is_told_how_many_hold_so_many_bytes() -> None:
    ready = Batches()
    assert ready.holding(9) == 0
    ready.append(0, messages(4), 8)
    ready.append(4, messages(4), 8)
    ready.take(1)
    assert [ready.holding(size) for size in (-1, 0, 1, 2, 3, 99)] == [0, 0, 1, 1, 2, 3]


AGES = [(0.0, 9, 0), (1.5, 9, 1), (4.0, 9, 3), (5.0, 9, 4), (99.0, 9, 8), (99.0, 1, 3)]


@pytest.mark.parametrize(("oldest", "batches", "older"), AGES)
def test_what_is_older_is_counted_by_the_batch(oldest: float, batches: int, older: int) -> None:
    ready, everything = Batches(), messages(9)
    ready.append(0, everything[:4], 8)
    ready.append(4, everything[4:], 10)
    ready.take(1)
    assert ready.older(AgeLimit(oldest, math.inf, sys.maxsize), batches) == older


def test_a_time_that_is_to_come_tells_no_age_but_the_position_does() -> None:
    ready = Batches()
    ready.append(0, [message(1), message(2)], 4)
    ready.append(2, [message(1000), message(1000)], 4)
    ready.append(4, [message(3), message(9)], 4)
    assert [ready.older(AgeLimit(5.0, 50.0, upto), 9) for upto in (1, 3, 4, 9)] == [1, 3, 4, 5]
    assert ready.older(AgeLimit(5.0, math.inf, 9), 9) == 2


def test_putting_batches_together_leaves_them_as_they_were() -> None:
    ready, first = Batches(), messages(2)
    ready.append(0, first, 4)
    ready.append(2, messages(2), 4)
    ready.take(3)
    assert first == messages(2)


def test_a_batch_counts_by_its_bytes_until_its_last_message_is_taken() -> None:
    ready = Batches()
    ready.append(0, messages(3), 6)
    ready.take(2)
    assert ready.size == 6
    ready.take(2)
    assert ready.size == 0


def test_it_says_when_it_is_empty() -> None:
    ready = Batches()
    ready.append(0, [], 0)
    assert ready.head is None
    with pytest.raises(IndexError):
        ready.take(1)
