"""A purge goes on part by part, and drops what waited when it began; the order is in test_priorities_model.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.task import Clock

from hub.queue import purge
from hub.queue.policy import QueuePolicy, Window
from hub.queue.purge import purge_steps
from hub.queue.singles import Singles
from tests.contracts.readers import QueueDesk
from tests.unit.doubles import make_queue, messages, offer

DECLARED = QueuePolicy(None, None, purge_tried=True)


def test_between_two_parts_the_lock_is_free_and_what_comes_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "POSITIONS_AT_ONCE", 10)
    queue = make_queue(Clock().seconds, DECLARED)
    for _ in range(45):
        offer(queue, messages(1))
    told = []
    for dropped in purge_steps(queue):
        assert not queue.lock.locked()
        told.append(dropped)
        offer(queue, messages(1))
    assert told == [10, 20, 30, 40, 45, 45]
    assert (queue.stats().counters.dropped_purged, queue.stats().counters.backlog, queue.acks.floor) == (45, 6, 45)
    assert (queue.backlog.size, queue.purge(), queue.backlog.size) == (12, 6, 0)


def test_what_was_settled_before_is_passed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "POSITIONS_AT_ONCE", 10)
    queue = make_queue(Clock().seconds, DECLARED)
    offer(queue, messages(1000))
    singles = Singles(queue)
    taken = queue.take(1000, timeout=0)
    assert taken is not None
    each = singles.split(taken)
    singles.finish(each[1:999])
    singles.give_back([each[0], each[999]], delivered=True)
    assert [*purge_steps(queue)] == [1, 2, 2]


@pytest.mark.parametrize(("tried", "dropped"), [(True, 6), (False, 4)])
def test_what_was_tried_goes_too_where_the_policy_says_so(tried: bool, dropped: int) -> None:
    queue = make_queue(Clock().seconds, QueuePolicy(None, None, purge_tried=tried))
    offer(queue, messages(7))
    singles = Singles(queue)
    taken = queue.take(5, timeout=0)
    assert taken is not None
    each = singles.split(taken)
    singles.give_back([each[0]], delivered=True)
    singles.give_back([each[1]], delivered=False)
    singles.set_aside([each[2]], delivered=True)
    singles.set_aside([each[3]], delivered=False)
    assert queue.purge() == dropped
    assert (queue.stats().in_flight, queue.stats().counters.backlog) == (1, 7 - dropped)
    assert singles.reclaim(each[2:4]) == ([] if tried else [each[2]])
    again = queue.take(9, timeout=0)
    assert (again is None) == tried


def test_so_does_one_that_waits_for_its_next_attempt_after_a_restart(tmp_path: Path) -> None:
    desk = QueueDesk(tmp_path, DECLARED)
    desk.offer(messages(2))
    while (delivery := desk.reader.take(1)) is None:
        desk.work()
    desk.retry(delivery, 30.0)
    desk.store.writer.step()  # type: ignore[union-attr]
    desk.store.tables.close()  # type: ignore[union-attr]
    again = QueueDesk(tmp_path, DECLARED)
    assert (again.queue.purge(), again.queue.acks.floor, again.queue.stats().delayed) == (2, 2, 0)
    again.clock.advance(60.0)
    assert again.all() == []


def test_what_was_read_for_its_reader_is_in_nobody_s_hand(tmp_path: Path) -> None:
    desk = QueueDesk(tmp_path, QueuePolicy(None, None, window=Window(99, 1), purge_tried=True))
    desk.offer(messages(5))
    singles = Singles(desk.queue)
    while (found := desk.reader.take_each(5)) == []:
        desk.work()
    singles.give_back(found, delivered=True)
    while not desk.jobs:  # the first ones are in memory
        singles.finish(desk.reader.take_each(1))
    desk.work()
    assert desk.queue.in_flight.read_ahead
    desk.queue.pause()
    desk.queue.purge()
    assert (desk.queue.stats().counters.backlog, desk.queue.stats().in_flight) == (0, 0)
    desk.queue.resume()
    assert desk.all() == []
