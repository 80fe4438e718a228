"""What every reader of a queue that is no thread keeps to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.queue.delivery import Delivery
from hub.queue.policy import QueuePolicy, Window
from hub.queue.readback import READ_BACK_BYTES
from hub.queue.reader import Reader
from hub.queue.singles import Singles
from tests.contracts.readers import Desk, ListDesk, QueueDesk
from tests.unit.doubles import message, messages

KINDS: dict[str, Callable[[Path], Desk]] = {
    "memory": lambda _: QueueDesk(),
    "durable": QueueDesk,
    "double": lambda _: ListDesk(),
}


@pytest.fixture(params=KINDS)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    return KINDS[request.param](tmp_path)


def test_all_comes_in_order_and_once(desk: Desk) -> None:
    desk.offer(messages(9))
    desk.offer([message(9)])
    assert desk.all() == [str(number) for number in range(10)]
    assert desk.take(1) is None


def test_it_is_told_once_after_a_take_that_found_nothing(desk: Desk) -> None:
    desk.offer(messages(1))
    assert desk.told == 0
    assert desk.all() == ["0"]
    told = desk.told
    assert desk.take(1) is None
    desk.offer([message(1)])
    assert desk.told == told + 1
    desk.offer([message(2)])
    assert desk.told == told + 1
    assert desk.all() == ["1", "2"]


def test_a_retry_comes_when_it_is_due_and_it_can_ask_when(desk: Desk) -> None:
    desk.offer(messages(1))
    delivery = desk.take(1)
    assert delivery is not None
    desk.retry(delivery, 30.0)
    assert (desk.take(1), desk.seconds_to_wait()) == (None, 30.0)
    desk.clock.advance(30.0)
    again = desk.take(1)
    assert again is not None
    assert (again.attempts, again.messages[0].id) == (1, "0")
    desk.finish(again)
    assert (desk.take(1), desk.seconds_to_wait()) == (None, None)


def test_a_retry_tells_it_to_look_again(desk: Desk) -> None:
    desk.offer(messages(1))
    delivery = desk.take(1)
    assert delivery is not None
    assert desk.take(1) is None
    told = desk.told
    desk.retry(delivery, 30.0)
    assert desk.told == told + 1


def test_no_more_than_the_limit(desk: Desk) -> None:
    desk.offer(messages(2))
    first = desk.take(1)
    assert first is not None
    assert [one.id for one in first.messages] == ["0"]


def test_once_it_is_closed_it_gets_nothing_and_is_told_nothing(desk: Desk) -> None:
    assert desk.take(1) is None
    desk.close()
    desk.offer(messages(1))
    assert (desk.take(1), desk.told) == (None, 0)


# -- on the disk


def test_the_store_is_read_elsewhere_and_it_is_told_when_that_is_done(tmp_path: Path) -> None:
    desk = QueueDesk(tmp_path)
    desk.offer(messages(9))
    assert (desk.take(9), len(desk.jobs), desk.told) == (None, 1, 0)
    desk.work()
    assert desk.told == 1
    delivery = desk.take(9)
    assert delivery is not None
    assert delivery.messages[0].id == "0"


def retried(desk: QueueDesk, count: int) -> None:
    desk.offer(messages(count))
    for _ in range(count):
        while (delivery := desk.reader.take(1)) is None:
            desk.work()
        desk.retry(delivery, 30.0)
    desk.store.writer.step()  # type: ignore[union-attr]
    desk.clock.advance(30.0)


def test_so_are_retries_that_are_not_in_memory(tmp_path: Path) -> None:
    desk = QueueDesk(tmp_path, QueuePolicy(None, None, window=Window(99, 1)))
    retried(desk, 5)
    assert sorted(desk.all()) == ["0", "1", "2", "3", "4"]


def test_one_that_waits_again_is_settled_also_while_it_is_read_and_when_it_was(tmp_path: Path) -> None:
    desk = QueueDesk(tmp_path, QueuePolicy(None, None, window=Window(99, 1)))
    retried(desk, 5)
    first = desk.reader.take(9)
    assert first is not None  # it is in memory, and the others are read
    assert (desk.reader.take(9), desk.reader.finish_waiting(1), desk.queue.stats().counters.finished) == (None, True, 0)
    desk.work()
    assert desk.queue.stats().counters.finished == 1
    assert desk.reader.take(9) is None
    desk.work()
    assert desk.queue.in_flight.read_ahead
    assert [desk.reader.finish_waiting(position) for position in range(6)] == [False, False, True, True, True, False]
    desk.finish(first)
    assert (desk.all(), desk.queue.stats().counters.finished) == ([], 5)


def test_what_was_read_for_a_reader_that_is_closed_goes_to_the_next(tmp_path: Path) -> None:
    desk = QueueDesk(tmp_path, QueuePolicy(None, None, window=Window(99, 1)))
    retried(desk, 5)
    while desk.take(9) is not None or not desk.jobs:
        pass
    jobs, desk.jobs[:] = list(desk.jobs), []
    jobs[0]()
    desk.close()
    for job in jobs[1:]:
        job()
    stats = desk.queue.stats()
    assert stats.counters.backlog == 5
    desk.reader = Reader(desk.queue, desk.tell, desk.jobs.append)
    assert len(desk.all()) + stats.in_flight == 5


def given_back(desk: QueueDesk, count: int, size: int) -> None:
    """Take messages, and give them back, of which all but the first are then not in memory."""
    desk.offer([message(number, body=b"x" * size) for number in range(count)])
    taken: list[Delivery] = []
    while len(taken) < count:
        if not (found := desk.reader.take_each(count)):
            desk.work()
        taken += found
    desk.offer([message(count)])
    Singles(desk.queue).give_back(taken, delivered=True)


def each(desk: QueueDesk, limit: int) -> list[str]:
    """Take and finish all, at most ``limit`` at a time."""
    order: list[str] = []
    while (found := desk.reader.take_each(limit)) or desk.jobs:
        assert len(found) <= limit
        order += [one.current.id for one in found]
        Singles(desk.queue).finish(found)
        if not found:
            desk.work()
    return order


@pytest.mark.parametrize("limit", [1, 3, 99])
@pytest.mark.parametrize("size", [10, READ_BACK_BYTES // 2])
def test_what_was_given_back_keeps_its_order_while_it_is_read_again(tmp_path: Path, limit: int, size: int) -> None:
    desk = QueueDesk(tmp_path, QueuePolicy(None, None, window=Window(99, 1)))
    given_back(desk, 9, size)
    assert each(desk, limit) == [str(number) for number in range(10)]


def test_so_does_what_is_given_back_during_that(tmp_path: Path) -> None:
    desk = QueueDesk(tmp_path, QueuePolicy(None, None, window=Window(99, 1)))
    given_back(desk, 9, 10)
    (first, *_) = early = desk.reader.take_each(9)
    assert first.current.id == "0"
    assert desk.jobs
    Singles(desk.queue).give_back(early, delivered=False)
    desk.work()
    assert each(desk, 9) == [str(number) for number in range(10)]


def test_a_smaller_take_than_that_for_which_they_were_read_gets_no_more(tmp_path: Path) -> None:
    desk = QueueDesk(tmp_path, QueuePolicy(None, None, window=Window(99, 1)))
    given_back(desk, 9, 10)
    found = desk.reader.take_each(9)
    desk.work()
    assert [one.current.id for one in desk.reader.take_each(2)] == [str(len(found)), str(len(found) + 1)]
    assert desk.queue.stats().in_flight == 9


def test_a_read_that_fails_is_tried_again(tmp_path: Path) -> None:
    desk = QueueDesk(tmp_path, QueuePolicy(None, None, window=Window(99, 1)))
    given_back(desk, 9, 10)
    found = desk.reader.take_each(9)
    (load, load_given_back), desk.jobs[:] = desk.jobs, []
    load()
    assert desk.reader.take_each(9) == []
    read, told = desk.store.read, desk.told
    desk.store.read = desk._forbidden  # type: ignore[method-assign, assignment]
    with pytest.raises(AssertionError):
        load_given_back()
    desk.store.read = read  # type: ignore[method-assign]
    assert desk.told == told + 1
    assert [one.current.id for one in found] + each(desk, 9) == [str(number) for number in range(10)]


# -- the queue's other states


def test_a_paused_queue_gives_nothing_and_tells_when_it_goes_on() -> None:
    desk = QueueDesk()
    desk.offer(messages(1))
    desk.queue.pause()
    assert (desk.take(1), desk.seconds_to_wait()) == (None, None)
    desk.queue.resume()
    assert desk.told == 1
    assert desk.all() == ["0"]


def test_one_of_a_key_comes_after_the_other() -> None:
    desk = QueueDesk(policy=QueuePolicy(key_of=lambda one: one.topic))
    desk.offer([message(0, "x"), message(1, "x"), message(2, "y")])
    first, second = desk.take(1), desk.take(1)
    assert first is not None
    assert second is not None
    assert (first.messages[0].id, second.messages[0].id, desk.take(1)) == ("0", "2", None)
    told = desk.told
    desk.finish(first)
    assert desk.told == told + 1
    third = desk.take(1)
    assert third is not None
    assert third.messages[0].id == "1"


def test_a_queue_has_one_listener() -> None:
    desk = QueueDesk()
    with pytest.raises(ValueError, match="has a listener already"):
        Reader(desk.queue, desk.tell, desk.jobs.append)
    desk.close()
    Reader(desk.queue, desk.tell, desk.jobs.append)


def test_reading_makes_no_room_and_changes_no_journal(tmp_path: Path) -> None:
    desk = QueueDesk(tmp_path, QueuePolicy(None, None, window=Window(99, 1)))
    retried(desk, 5)
    while desk.take(9) is not None or not desk.jobs:
        pass
    told: list[tuple[bool, bool]] = []
    desk.queue.announce = lambda room, journal: told.append((room, journal))
    desk.work()
    assert told[-1] == (False, False)


def test_what_is_read_after_the_reader_was_closed_goes_back(tmp_path: Path) -> None:
    desk = QueueDesk(tmp_path, QueuePolicy(None, None, window=Window(99, 1)))
    retried(desk, 5)
    while desk.take(9) is not None or not desk.jobs:
        pass
    before = desk.queue.stats().in_flight
    desk.close()
    desk.work()
    stats = desk.queue.stats()
    assert (stats.in_flight < before, stats.counters.backlog) == (True, 5)
