"""Deliveries in flight alone: what is settled, what goes back, and how many threads are told of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import fields

import pytest
from twisted.internet.task import Clock

from hub.deadletter import DeadLetter
from hub.queue.ack_state import AckState
from hub.queue.backlog import Backlog
from hub.queue.delivery import Delivery
from hub.queue.in_flight import InFlight
from hub.queue.poison import Trial
from hub.queue.waiters import Waiters
from hub.stats.counters import Counters
from hub.store import CommittedState, Outgoing, Range, Tie, Try
from tests.unit.doubles import message, messages

ALL = -1


class RecordingWaiters(Waiters):
    """Notes how many threads are woken each time."""

    def __init__(self) -> None:
        super().__init__(threading.Lock())
        self.woken: list[int] = []

    def wake(self, count: int) -> None:
        self.woken.append(count)

    def wake_all(self) -> None:
        self.woken.append(ALL)


class Desk:
    """A queue of which nine messages are in flight, in no delivery yet. Its counters begin at 100 each."""

    def __init__(self, durable: bool = True) -> None:
        self.acks = AckState(CommittedState(counters=Counters(*[100] * len(fields(Counters)))), durable)
        self.backlog = Backlog(self.acks, None, 9, 9)
        self.waiters = RecordingWaiters()
        self.trial = Trial(Clock().seconds)
        self.in_flight = InFlight(self.acks, self.backlog, self.waiters, self.trial)

    def counted(self, **more: int) -> bool:
        """Whether these counters have grown, and no other."""
        grown = {one.name: getattr(self.acks.counters, one.name) - 100 for one in fields(Counters)}
        return {name: count for name, count in grown.items() if count} == {n: c for n, c in more.items() if c}

    def take(self, positions: Sequence[int], attempts: int = 0, failures: int = 0, kills: int = 0) -> Delivery:
        """A worker has the messages at these positions."""
        taken = Delivery([message(position) for position in positions], positions, attempts, failures, kills)
        self.in_flight.add(taken)
        return taken

    def take_of_key(self, limit: int, count: int) -> Delivery:
        """A worker has the first ``limit`` of ``count`` messages of one key."""
        self.backlog.ready.batches.append(0, messages(count), 2 * count)
        self.backlog.sort(self.backlog.unsorted(), ["x"] * count)
        taken = self.backlog.take(limit, 0.0, with_keys=True)
        assert taken is not None
        self.in_flight.add(taken)
        return taken

    def ready(self) -> list[int]:
        return self.backlog.ready.batches.first(99)[0]

    def settled(self) -> list[Range]:
        return self.acks.journal.settled


# -- who is woken


def test_a_key_that_becomes_free_is_work_for_one_thread() -> None:
    """The next messages of a key make one delivery: a second thread would find nothing."""
    desk = Desk()
    taken = desk.take_of_key(2, 4)
    desk.in_flight.settle(taken, 1)
    assert desk.waiters.woken == [], "the key is still in flight"
    desk.in_flight.settle(taken, 2)
    assert desk.waiters.woken == [1]


def test_without_a_key_what_is_settled_makes_no_work() -> None:
    desk = Desk()
    desk.in_flight.settle(desk.take(range(3)), 3)
    assert desk.waiters.woken == []


def test_as_many_threads_are_woken_as_messages_go_back() -> None:
    desk = Desk()
    taken = desk.take(range(3))
    desk.in_flight.put_back(taken, taken.rest(3), 0.0)
    desk.in_flight.put_in_front(desk.take(range(3, 5)))
    desk.in_flight.put_back_from(desk.take(range(5, 9)), 3, 0.0)
    assert desk.waiters.woken == [3, 2, 1]


def test_a_queue_is_not_halted_from_the_start() -> None:
    assert Desk().in_flight.halted_until == float("-inf")


def test_a_suspect_that_is_done_wakes_all_and_the_queue_goes_on() -> None:
    desk = Desk()
    taken = desk.take(range(1), attempts=1, kills=1)
    assert desk.trial.begin(taken)
    desk.in_flight.halted_until = 7.0
    desk.in_flight.settle(taken, 1)
    assert (desk.waiters.woken, desk.in_flight.halted_until, taken.over) == ([ALL], float("-inf"), True)


# -- what is settled


def test_consecutive_messages_are_settled_as_one_range_and_others_each_alone() -> None:
    desk = Desk()
    desk.in_flight.settle(desk.take(range(2, 5)), 2, (1, 0))
    desk.in_flight.settle(desk.take([5, 7, 8]), 3, (1, 3))
    assert desk.acks.journal.ties == [Tie(2, 4, 1, 0), Tie(5, 6, 1, 3), Tie(7, 8, 0, 0), Tie(8, 9, 0, 0)]


def test_what_is_settled_in_parts_is_settled_once() -> None:
    desk = Desk()
    for taken in (desk.take(range(3)), desk.take([4, 6, 8])):
        desk.in_flight.finish(taken, 1, [])
        desk.in_flight.finish(taken, 3, [])
    assert desk.settled() == [(0, 3), (4, 5), (6, 7), (8, 9)]
    assert desk.counted(finished=6)
    assert [*desk.in_flight] == []


def test_what_they_published_is_committed_with_them() -> None:
    desk = Desk()
    outbox = [Outgoing("bus", one) for one in messages(2)]
    desk.in_flight.finish(desk.take(range(3)), 3, outbox)
    assert (desk.acks.journal.outbox, desk.acks.journal.ties) == (outbox, [Tie(0, 3, 0, 2)])


def test_without_a_store_the_bus_tells_when_all_that_they_published_is_safe() -> None:
    desk, ended = Desk(durable=False), list[list[Range]]()
    outbox = [Outgoing("bus", one) for one in messages(2)]
    desk.in_flight.finish(desk.take(range(3)), 3, outbox, lambda tied: ended.append(tied.ranges))
    for one in outbox:
        assert ended == []
        assert one.sent is not None
        one.sent(True)
    assert ended == [[(0, 3)]]


def test_single_ones_are_settled_together_where_they_are_neighbours() -> None:
    desk = Desk()
    hands = [desk.take([position]) for position in (8, 1, 0, 2, 5)]
    kept = desk.take([4])
    desk.in_flight.finish_each(hands)
    assert (desk.settled(), [*desk.in_flight]) == ([(0, 3), (5, 6), (8, 9)], [kept])
    assert desk.counted(finished=5)
    assert [taken.left for taken in hands] == [0] * 5


@pytest.mark.parametrize(("failed", "rejected"), [(True, False), (False, True), (False, False)])
def test_a_dead_letter_is_committed_with_its_position_and_counted_by_its_cause(failed: bool, rejected: bool) -> None:
    desk = Desk()
    taken = desk.take(range(3))
    letter = DeadLetter(taken.messages[0], "no", 1, 0.0)
    desk.in_flight.bury(taken, failed, rejected, letter)
    assert desk.counted(dead=1, failed=failed, rejected=rejected)
    assert (desk.acks.journal.letters, desk.acks.journal.ties) == ([letter], [Tie(0, 1, 1, 0)])
    assert (taken.left, [*desk.in_flight]) == (2, [taken])


def test_those_whose_time_is_over_are_left_out_of_a_delivery() -> None:
    desk = Desk()
    taken = desk.take(range(4))
    assert desk.in_flight.leave_out(taken, [True, False, True, False]) is taken
    assert ([one.id for one in taken.messages], taken.positions) == (["1", "3"], [1, 3])
    assert (desk.settled(), [*desk.in_flight]) == ([(0, 1), (2, 3)], [taken])
    assert desk.counted(dropped_expired=2)
    assert desk.in_flight.leave_out(taken, [True, True]) is None
    assert desk.counted(dropped_expired=4)
    assert [*desk.in_flight] == []


# -- what goes back


@pytest.mark.parametrize(("failed", "killed"), [(True, False), (False, True), (False, False)])
def test_a_retry_counts_its_attempt_and_keeps_when_it_is_due(failed: bool, killed: bool) -> None:
    desk = Desk()
    taken = desk.take(range(3), attempts=5, failures=4, kills=1)
    desk.in_flight.retry(taken, 30.0, failed, killed, now=5.0, wall=1000.0)
    (entry,) = desk.backlog.schedule.entries()
    assert (entry.position, entry.due) == (0, 35.0)
    assert (entry.attempts, entry.failures, entry.kills) == (6, 4 + failed, 1 + killed)
    assert desk.acks.journal.tries == {0: Try(6, 4 + failed, 1030.0, 30.0, 1 + killed)}
    assert desk.counted(retried=1, failed=failed)
    assert (taken.left, [*desk.in_flight]) == (2, [taken])


def test_with_a_key_the_others_wait_behind_the_one_that_is_retried() -> None:
    desk = Desk()
    taken = desk.take_of_key(3, 3)
    desk.in_flight.retry(taken, 30.0, True, False, now=5.0, wall=1000.0)
    assert (taken.left, taken in [*desk.in_flight], desk.waiters.woken) == (0, False, [3])
    assert [(entry.position, entry.attempts) for entry in desk.backlog.schedule.entries()] == [(0, 1), (1, 0), (2, 0)]


def test_what_goes_back_from_an_index_on_is_ready_again_and_the_others_stay_in_flight() -> None:
    desk = Desk()
    taken = desk.take(range(4))
    desk.in_flight.put_back_from(taken, 1, 0.0)
    assert (desk.ready(), taken.positions, [*desk.in_flight]) == ([1, 2, 3], range(1), [taken])
    desk.in_flight.put_back_from(taken, 1, 0.0)
    assert (desk.ready(), desk.waiters.woken) == ([1, 2, 3], [3]), "none were left"
    desk.in_flight.put_back_from(taken, 0, 0.0)
    assert (desk.ready(), [*desk.in_flight]) == ([0, 1, 2, 3], [])
    desk.in_flight.put_back_from(desk.take(range(4, 5)), 0, 0.0)
    desk.in_flight.put_back_from(taken, 0, 0.0)
    assert (desk.ready(), desk.waiters.woken) == ([0, 1, 2, 3, 4], [3, 1, 1]), "it was returned before"


def test_what_was_tried_goes_back_to_be_due_when_it_should() -> None:
    desk = Desk()
    taken = desk.take(range(4), attempts=1)
    desk.in_flight.put_back(taken, taken.rest(1), 5.0)
    desk.in_flight.put_back(taken, taken.rest(1), 6.0)
    assert (taken.done, taken.left, [*desk.in_flight]) == (2, 2, [taken])
    desk.in_flight.put_back_from(taken, 3, 7.0)
    assert [(entry.position, entry.due) for entry in desk.backlog.schedule.entries()] == [(0, 5.0), (1, 6.0), (3, 7.0)]


def test_what_goes_to_the_front_comes_before_all_others_in_the_order_of_positions() -> None:
    desk = Desk()
    desk.backlog.ready.batches.append(0, messages(1), 2)
    hands = [desk.take(range(2, 5)), desk.take(range(1, 2))]
    desk.in_flight.finish(hands[0], 1, [])
    for taken in hands:
        desk.in_flight.put_in_front(taken)
    assert ([taken.left for taken in hands], [*desk.in_flight]) == ([0, 0], [])
    order: list[int] = []
    while (again := desk.backlog.take(1, 0.0, with_keys=False)) is not None:
        order += again.positions
    assert order == [1, 3, 4, 0]


def test_what_was_set_aside_can_be_taken_again_unless_it_was_dropped() -> None:
    desk = Desk()
    first, second = desk.take([0]), desk.take([1])
    desk.in_flight.set_aside(first)
    desk.in_flight.set_aside(second)
    assert [*desk.in_flight] == []
    assert desk.in_flight.reclaim(first)
    assert desk.backlog.aside.remove(second)
    assert not desk.in_flight.reclaim(second)
    assert [*desk.in_flight] == [first]


def test_the_parts_of_a_delivery_are_in_flight_in_its_place() -> None:
    desk = Desk()
    taken, other = desk.take(range(2)), desk.take([5])
    parts = [Delivery(messages(1), [0]), Delivery(messages(1), [1])]
    desk.in_flight.replace(taken, parts)
    assert [*desk.in_flight] == [other, *parts]
