"""Messages of one queue that are settled each alone, in any order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.deadletter import DeadLetter
from hub.queue.delivery import Delivery
from hub.queue.policy import QueuePolicy, Window
from hub.queue.reader import Reader
from hub.queue.singles import Singles
from hub.store import Try
from tests.contracts.readers import QueueDesk
from tests.unit.doubles import messages


class Desk(QueueDesk):
    def __init__(self, directory: Path | None = None, policy: QueuePolicy | None = None) -> None:
        super().__init__(directory, policy)
        self.singles = Singles(self.queue)

    def take_each(self, limit: int) -> list[Delivery]:
        found = self.reader.take_each(limit)
        while len(found) < limit and self.jobs:
            self.work()
            found += self.reader.take_each(limit - len(found))
        return found


@pytest.fixture(params=["memory", "durable"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    makers: dict[str, Callable[[], Desk]] = {"memory": Desk, "durable": lambda: Desk(tmp_path)}
    return makers[request.param]()


def ids(taken: list[Delivery]) -> list[str]:
    return [one.current.id for one in taken]


def test_they_are_finished_in_any_order(desk: Desk) -> None:
    desk.offer(messages(5))
    taken = desk.take_each(5)
    assert ids(taken) == ["0", "1", "2", "3", "4"]
    assert desk.queue.stats().in_flight == 5
    desk.singles.finish([taken[4], taken[1]])
    desk.singles.finish([taken[0]])
    stats = desk.queue.stats()
    assert (stats.in_flight, stats.counters.finished, stats.counters.backlog) == (2, 3, 2)
    desk.singles.finish([taken[2], taken[3]])
    assert desk.queue.stats().counters.backlog == 0


def test_no_more_than_the_limit_are_taken_and_none_twice(desk: Desk) -> None:
    desk.offer(messages(5))
    assert [ids(desk.take_each(2)) for _ in range(4)] == [["0", "1"], ["2", "3"], ["4"], []]


def test_what_is_given_back_comes_first_in_order_and_knows_whether_it_was_seen(desk: Desk) -> None:
    desk.offer(messages(8))
    taken = desk.take_each(5)
    desk.singles.give_back([taken[4], taken[1]], delivered=True)
    desk.singles.give_back([taken[0], taken[3]], delivered=False)
    again = desk.take_each(2) + desk.take_each(1) + desk.take_each(3)
    assert [(one.current.id, one.attempts) for one in again] == [
        *(("0", 0), ("1", 1), ("3", 0), ("4", 1)),
        *(("5", 0), ("6", 0)),
    ]
    stats = desk.queue.stats()
    assert (stats.counters.retried, stats.counters.failed, stats.in_flight) == (0, 0, 7)
    desk.singles.finish([*again, taken[2]])
    assert desk.queue.stats().counters.backlog == 1


def test_one_is_buried_and_one_is_retried_later(desk: Desk) -> None:
    desk.offer(messages(4))
    taken = desk.take_each(4)
    desk.queue.bury(taken[2], False, DeadLetter(taken[2].current, "no", 1, 0.0))
    desk.queue.retry(taken[1], 30.0, failed=True)
    desk.singles.finish([taken[0], taken[3]])
    assert desk.take_each(9) == []
    desk.clock.advance(30.0)
    (again,) = desk.take_each(9)
    assert (again.current.id, again.attempts, again.failures) == ("1", 1, 1)


def test_purging_drops_what_was_given_back_unseen(desk: Desk) -> None:
    desk.offer(messages(4))
    taken = desk.take_each(3)
    desk.singles.give_back(taken[:1], delivered=True)
    desk.singles.give_back(taken[1:], delivered=False)
    assert desk.queue.purge() == 3
    assert [(one.current.id, one.attempts) for one in desk.take_each(9)] == [("0", 1)]
    assert desk.queue.stats().counters.backlog == 1


def test_an_attempt_outlives_the_hub(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    first.offer(messages(3))
    taken = first.take_each(3)
    first.singles.give_back(taken, delivered=True)
    first.store.writer.step()  # type: ignore[union-attr]
    first.store.tables.close()  # type: ignore[union-attr]
    second = Desk(tmp_path)
    assert [(one.current.id, one.attempts) for one in second.take_each(9)] == [("0", 1), ("1", 1), ("2", 1)]


def test_what_was_given_back_and_is_not_in_memory_any_more_is_read_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path, QueuePolicy(None, None, window=Window(99, 1)))
    desk.offer(messages(6))
    taken = desk.take_each(6)
    desk.singles.give_back(taken, delivered=False)
    again = desk.take_each(6)
    assert sorted(ids(again)) == ["0", "1", "2", "3", "4", "5"]
    desk.singles.finish(again)
    assert desk.queue.stats().counters.backlog == 0


def test_an_attempt_is_stored_without_a_delay_and_due_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.clock.advance(50.0)
    desk.offer(messages(2))
    desk.singles.give_back(desk.take_each(1), delivered=True)
    desk.singles.give_back(desk.take_each(1), delivered=True)
    assert desk.queue.take_journal().tries == {0: Try(2, 0, 50.0, 0.0, 0)}


def test_an_attempt_keeps_the_kills_that_were_counted_before(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.offer(messages(1))
    (taken,) = desk.take_each(1)
    taken.kills = 2
    desk.singles.give_back([taken], delivered=True)
    assert desk.queue.take_journal().tries == {0: Try(1, 0, 0.0, 0.0, 2)}


def test_those_that_failed_alike_come_in_one_delivery_and_each_knows_it(desk: Desk) -> None:
    desk.offer(messages(2))
    for taken in desk.take_each(2):
        desk.queue.retry(taken, 0.0, failed=True)
    assert [(one.current.id, one.attempts, one.failures) for one in desk.take_each(2)] == [("0", 1, 1), ("1", 1, 1)]


def test_what_has_changed_is_announced(desk: Desk) -> None:
    """True if there is room, and whether the store must look."""
    told: list[tuple[bool, bool]] = []
    desk.queue.adopt(QueuePolicy(2, None, overflow="block"))
    desk.offer(messages(3))
    taken = desk.take_each(3)
    desk.queue.announce = lambda room, journal: told.append((room, journal))
    desk.singles.give_back(taken[:1], delivered=True)
    desk.singles.give_back(taken[1:], delivered=False)
    again = desk.take_each(3)
    desk.singles.finish([])
    desk.singles.finish(again[:2])
    desk.singles.finish(again[2:])
    durable = desk.queue.durable
    assert told == [(False, True), (False, False), (True, durable), (False, durable)]


def test_what_was_read_and_not_taken_goes_back_to_its_place(tmp_path: Path) -> None:
    desk = Desk(tmp_path, QueuePolicy(None, None, window=Window(99, 1)))
    desk.offer(messages(8))
    desk.singles.give_back(desk.take_each(6), delivered=False)
    assert ids(desk.reader.take_each(3)) == ["0"]  # the next ones are being read
    assert desk.reader.seconds_to_wait() is None
    desk.work()
    desk.reader.close()
    desk.reader = Reader(desk.queue, desk.tell, desk.jobs.append)
    assert [id_ for _ in range(4) for id_ in ids(desk.take_each(2))] == ["1", "2", "3", "4", "5", "6", "7"]


@pytest.mark.parametrize("delivered", [True, False])
def test_the_store_is_told_of_what_is_set_aside_only_if_an_attempt_counts(desk: Desk, delivered: bool) -> None:
    desk.offer(messages(2))
    taken = desk.take_each(2)
    told: list[tuple[bool, bool]] = []
    desk.queue.announce = lambda room, journal: told.append((room, journal))
    desk.singles.set_aside(taken, delivered)
    assert told == [(False, delivered)]
