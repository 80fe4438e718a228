"""The queue, claim by claim; test_queue_model.py has it against a model."""

from __future__ import annotations

import pytest

from hub.message import Message
from hub.queue import inspect
from hub.queue.backlog import SORT_AHEAD
from hub.queue.policy import QueuePolicy
from hub.queue.waiters import Wait
from tests.unit.desk import Desk
from tests.unit.doubles import message, messages


def test_messages_are_taken_in_the_order_of_their_arrival() -> None:
    desk = Desk()
    for number in range(5):
        desk.offer([message(number)])
    assert [desk.take_ids(1) for _ in range(5)] == [[str(number)] for number in range(5)]


def test_nothing_to_take_is_none_after_the_timeout() -> None:
    assert Desk().queue.take(1, timeout=0) is None


def test_a_retry_waits_aside_while_others_pass() -> None:
    desk = Desk()
    desk.offer(messages(3))
    desk.queue.retry(desk.take(1), delay=10.0, failed=True)
    assert desk.take_ids() == ["1", "2"]
    assert desk.queue.take(1, timeout=0) is None
    desk.clock.advance(10.0)
    again = desk.take()
    assert ([one.id for one in again.messages], again.attempts, again.failures) == (["0"], 1, 1)


def test_a_retry_that_is_no_failure_counts_as_an_attempt_only() -> None:
    desk = Desk()
    desk.offer(messages(1))
    desk.queue.retry(desk.take(), delay=0.0, failed=False)
    again = desk.take()
    assert (again.attempts, again.failures) == (1, 0)
    counters = desk.queue.stats().counters
    assert (counters.retried, counters.failed) == (1, 0)


def test_what_is_given_back_comes_next_and_in_order_as_if_it_had_not_been_taken() -> None:
    desk = Desk()
    desk.offer(messages(5))
    taken = desk.take(3)
    desk.queue.finish(taken, 1)
    desk.queue.give_back(taken)
    desk.queue.give_back(taken)
    assert [desk.take_ids(1) for _ in range(4)] == [["1"], ["2"], ["3"], ["4"]]
    assert desk.queue.stats().counters.retried == 0


# -- lanes


def by_topic(one: Message) -> str:
    return one.topic


def test_one_lane_is_in_one_hand_while_another_goes_on() -> None:
    desk = Desk(QueuePolicy(key_of=by_topic))
    desk.offer([message(0, "x"), message(1, "y"), message(2, "x")])
    x, y = desk.take(1), desk.take(1)
    assert (x.messages[0].id, y.messages[0].id) == ("0", "1")
    assert desk.queue.take(1, timeout=0) is None
    desk.queue.finish(x, 1)
    assert desk.take_ids() == ["2"]


def test_nothing_passes_a_message_of_its_lane_that_waits_for_a_retry() -> None:
    desk = Desk(QueuePolicy(key_of=lambda _: None))
    desk.offer(messages(3))
    desk.queue.retry(desk.take(), delay=5.0, failed=True)
    assert desk.queue.take(9, timeout=0) is None
    desk.clock.advance(5.0)
    assert desk.finish() == ["0"]
    assert desk.finish() == ["1", "2"]


def test_a_lane_that_can_not_be_told_does_not_stop_the_queue() -> None:
    def broken(_: Message) -> str:
        raise RecursionError("too deep")

    desk = Desk(QueuePolicy(key_of=broken))
    desk.offer(messages(SORT_AHEAD + 1))
    assert len(desk.finish()) == SORT_AHEAD
    assert len(desk.finish()) == 1


# -- what the numbers say


def test_the_oldest_is_the_first_that_is_not_settled() -> None:
    desk = Desk()
    assert desk.queue.stats().oldest_received_at is None
    desk.offer([message(n) for n in range(5, 9)])
    first, second = desk.take(1), desk.take(1)
    desk.queue.finish(second, 1)
    assert desk.queue.stats().oldest_received_at == 5.0
    desk.queue.retry(first, delay=9.0, failed=True)
    assert desk.queue.stats().oldest_received_at == 5.0
    desk.clock.advance(9.0)
    desk.finish(1)
    assert desk.queue.stats().oldest_received_at == 7.0


def test_what_a_worker_has_finished_and_not_reported_is_finished() -> None:
    desk = Desk()
    desk.offer(messages(5))
    taken = desk.take(4)
    taken.at = 3
    stats = desk.queue.stats()
    assert (stats.counters.finished, stats.in_flight, stats.counters.backlog) == (3, 1, 2)
    assert stats.oldest_received_at == 3.0


def test_reading_changes_nothing() -> None:
    desk = Desk()
    desk.offer(messages(2))
    desk.take(1).at = 0
    assert desk.queue.stats() == desk.queue.stats()


def test_the_unsettled_are_counted_among_those_that_were_received() -> None:
    desk = Desk()
    desk.offer(messages(5))
    desk.finish(2)
    assert desk.queue.inspect.unsettled(0, 10**9) == desk.queue.inspect.unsettled(-5, 5) == 3
    assert desk.queue.inspect.unsettled(3, 4) == 1
    assert desk.queue.inspect.unsettled(5, 10**9) == desk.queue.inspect.unsettled(4, 2) == 0


def test_where_they_lie_too_scattered_at_least_so_many_are_unsettled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect, "MOST_RANGES", 3)
    desk = Desk()
    desk.offer(messages(20))
    hands = [desk.take(1) for _ in range(20)]
    for taken in hands[1::2]:
        desk.queue.finish(taken, 1)
    assert desk.queue.inspect.unsettled(0, 20) == 3
    assert desk.queue.inspect.unsettled(0, 5) == 3


def test_messages_that_are_given_back_make_no_room_and_change_no_journal() -> None:
    desk, told = Desk(), list[tuple[bool, bool]]()
    desk.offer(messages(5))
    delivery = desk.take()
    desk.queue.announce = lambda room, journal: told.append((room, journal))
    desk.queue.give_back_from(delivery, 3)
    desk.queue.give_back(delivery)
    assert told == [(False, False)] * 2
    assert desk.take_ids() == ["0", "1", "2", "3", "4"]


def test_sorting_by_key_makes_no_room_and_changes_no_journal() -> None:
    desk, told = Desk(QueuePolicy(key_of=lambda one: one.id)), list[tuple[bool, bool]]()
    desk.offer(messages(2))
    desk.queue.announce = lambda room, journal: told.append((room, journal))
    assert desk.take_ids() == ["0"]
    assert told == [(False, False)]


# -- how long a worker may sleep


def test_without_anything_that_becomes_due_a_worker_sleeps_until_it_is_woken_or_its_time_is_over() -> None:
    queue = Desk().queue
    assert queue.seconds_to_wait(5.0, Wait(5.0, None, 0.0)) is None
    assert queue.seconds_to_wait(6.0, Wait(5.0, 3.0, 0.0)) == 2.0
    assert queue.seconds_to_wait(9.0, Wait(5.0, 3.0, 0.0)) == 0.0


def test_it_sleeps_until_a_retry_is_due_unless_its_own_time_is_over_before() -> None:
    desk = Desk()
    desk.offer(messages(1))
    desk.queue.retry(desk.take(), delay=10.0, failed=True)
    assert desk.queue.seconds_to_wait(4.0, Wait(4.0, None, 0.0)) == 6.0
    assert desk.queue.seconds_to_wait(4.0, Wait(4.0, 2.0, 0.0)) == 2.0
    assert desk.queue.seconds_to_wait(4.0, Wait(4.0, 9.0, 0.0)) == 6.0
    assert desk.queue.seconds_to_wait(11.0, Wait(4.0, None, 0.0)) == 0.0


def test_a_paused_queue_has_nothing_that_becomes_due() -> None:
    desk = Desk()
    desk.offer(messages(1))
    desk.queue.retry(desk.take(), delay=10.0, failed=True)
    desk.queue.pause()
    assert desk.queue.seconds_to_wait(4.0, Wait(4.0, None, 0.0)) is None
    assert desk.queue.seconds_to_wait(4.0, Wait(4.0, 30.0, 0.0)) == 30.0


def test_it_sleeps_no_longer_than_it_lingers() -> None:
    desk, wait = Desk(), Wait(0.0, None, 3.0)
    desk.offer(messages(2))
    with desk.queue.lock:
        assert desk.queue.next_step(3, 5.0, wait) is None
        assert desk.queue.seconds_to_wait(6.0, wait) == 2.0
        assert desk.queue.next_step(3, 8.0, wait) is not None
        assert not wait.lingering


def test_a_pause_ends_the_lingering() -> None:
    """Else a worker would wake up again and again."""
    desk, wait = Desk(), Wait(0.0, None, 3.0)
    desk.offer(messages(1))
    with desk.queue.lock:
        assert desk.queue.next_step(3, 5.0, wait) is None
    desk.queue.pause()
    with desk.queue.lock:
        assert desk.queue.next_step(3, 6.0, wait) is None
        assert desk.queue.seconds_to_wait(6.0, wait) is None
