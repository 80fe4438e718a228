"""One priority level alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub.message import Message
from hub.queue.ack_state import AckState
from hub.queue.policy import Window
from hub.queue.priority_level import PriorityLevel
from hub.queue.schedule import Schedule
from hub.store import CommittedState, Run
from tests.unit.doubles import message, messages


def run(start: int, batch: Sequence[Message]) -> Run:
    return Run(start, batch, sum([len(one.body) for one in batch]), len(batch))


def level_of(window: Window | None) -> tuple[AckState, PriorityLevel]:
    acks = AckState(CommittedState(), True)
    return acks, PriorityLevel(9, acks, Schedule(), window)


@pytest.mark.parametrize("window", [Window(4, 99), Window(99, 8), None])
def test_what_arrives_is_in_memory_as_long_as_it_fits(window: Window | None) -> None:
    """Each message has two bytes."""
    _, level = level_of(window)
    level.arrive(0, messages(1), 2)
    level.arrive(5, messages(3), 6)
    assert (len(level.batches), level.batches.size, level.unread_count, level.oldest_unread) == (4, 8, 0, None)
    level.arrive(9, [message(9)], 2)
    level.arrive(12, [message(12), message(13)], 4)
    if window is None:
        assert (len(level.batches), level.unread_count, level.wanted(), level.room()) == (7, 0, 0, 0)
    else:
        assert (list(level.unread), level.unread_size, level.oldest_unread) == ([(9, 10), (12, 14)], 6, 9.0)
        assert (level.unread_span, level.unread_count, level.wanted()) == ((9, 14), 3, 0)


def test_nothing_is_read_of_a_level_while_half_its_window_is_full_by_number_or_by_bytes() -> None:
    for window, left in ((Window(4, 99), 2), (Window(99, 8), 2), (Window(5, 99), 2), (Window(99, 9), 2)):
        _, level = level_of(window)
        level.arrive(0, messages(1), 2)
        for position in range(1, 4):
            level.arrive(position, messages(1), 2)
        level.arrive(4, messages(9), 18)
        wanted = []
        for _ in range(4):
            wanted.append(level.wanted() > 0)
            level.batches.take(1)
        assert wanted == [number >= 4 - left for number in range(4)]
        assert level.wanted() == min(window.count, 9)


def test_what_was_read_is_in_memory_with_its_bytes_and_what_was_settled_is_not() -> None:
    acks, level = level_of(Window(1, 9))
    level.arrive(0, messages(8), 36)
    acks.settle(1, 2)
    batch = [message(number, body=b"x" * (number + 1)) for number in range(8)]
    assert level.fill(0, 8, [run(0, batch[:3])]) == 3
    assert (level.batches.first(9)[0], level.batches.size, level.unread_size) == ([0, 2], 4, 32)
    assert (list(level.unread), level.oldest_unread) == ([(3, 8)], 2.0)
    assert level.fill(3, 5, [run(2, batch[2:6]), run(6, batch[6:])]) == 5, "others follow that were not asked for"
    assert (level.batches.first(9)[0], list(level.unread), level.oldest_unread) == ([0, 2, 3, 4], [(5, 8)], 4.0)
    assert acks.counters.dropped_damaged == 0


def test_what_lies_between_two_that_were_read_is_counted_and_settled() -> None:
    acks, level = level_of(Window(9, 99))
    level.unread.add(0, 9)
    level.unread_size = 90
    runs = [run(2, messages(1)), Run(4, (), 0, 2, "damaged"), run(7, messages(2))]
    assert level.fill(0, 9, runs) == 9
    assert (level.batches.first(9)[0], acks.counters.dropped_damaged) == ([2, 7, 8], 6)
    assert (list(acks.unsettled(0, 9)), level.unread_size) == ([(2, 3), (7, 9)], 0)


def test_the_oldest_of_a_level_are_dropped_first_and_the_bytes_of_the_others_are_left() -> None:
    acks, level = level_of(Window(3, 99))
    level.arrive(0, messages(3), 6)
    level.arrive(4, messages(4), 40)
    assert (level.drop_oldest(2), acks.floor) == (2, 2)
    assert (level.drop_oldest(9), acks.floor) == (1, 3), "the others are in the store: the next call drops them"
    assert (level.drop_oldest(1), level.unread_size, list(level.unread)) == (1, 30, [(5, 8)])
    level.drop_expired_unread(7, 7.0)
    assert (acks.counters.dropped_expired, level.unread_size, level.oldest_unread) == (2, 10, 7.0)
    assert level.drop_oldest(9) == 1
    assert (bool(level), level.unread_size, level.unread_span) == (False, 0, (0, 0))


def test_what_lies_before_a_position_is_taken_out_of_a_level_with_its_bytes() -> None:
    acks, level = level_of(Window(1, 99))
    level.arrive(0, messages(1), 2)
    level.arrive(2, messages(4), 8)
    level.arrive(9, messages(2), 4)
    acks.settle(3, 4)
    assert level.take_below(0) == []
    assert (level.take_below(5), level.unread_size, list(level.unread)) == (
        [(0, 1), (2, 3), (4, 5)],
        6,
        [(5, 6), (9, 11)],
    )
    assert (level.take_below(99), level.unread_size, bool(level)) == ([(5, 6), (9, 11)], 0, False)


def test_the_bytes_of_those_that_are_left_are_whole_numbers() -> None:
    _, level = level_of(Window(1, 99))
    level.arrive(0, messages(1), 2)
    level.arrive(1, messages(3), 10)
    level.batches.take(1)
    level.drop_expired_unread(2, 2.0)
    assert (level.unread_size, type(level.unread_size), list(level.unread)) == (7, int, [(2, 4)])
