"""What no worker has: the order in which it is handed out."""

from __future__ import annotations

import pytest

from hub.queue.ack_state import AckState
from hub.queue.backlog import SORT_AHEAD, Backlog
from hub.queue.delivery import Delivery, Entry
from hub.queue.policy import Window
from hub.store import CommittedState
from tests.unit.doubles import messages, size_of
from tests.unit.queue.purging import purge


def backlog(window: Window | None = None, loaded: int = 0, next_position: int = 0) -> Backlog:
    return Backlog(AckState(CommittedState(), True), window, loaded, next_position)


def waiting(count: int) -> Backlog:
    made = backlog()
    batch = messages(count)
    made.ready.arrive(0, batch, size_of(batch))
    return made


def take(source: Backlog, limit: int = 9, now: float = 0.0, with_keys: bool = False) -> Delivery:
    taken = source.take(limit, now, with_keys)
    assert taken is not None
    return taken


def tried(taken: Delivery) -> list[Entry]:
    entries = taken.rest(taken.left)
    for entry in entries:
        entry.attempts += 1
    return entries


def ids(taken: Delivery) -> list[str]:
    return [one.id for one in taken.messages]


def test_the_ready_window_is_handed_out_in_order() -> None:
    source = waiting(3)
    assert [ids(take(source, 2)), ids(take(source, 2))] == [["0", "1"], ["2"]]
    assert source.take(9, 0.0, with_keys=False) is None


def test_retries_that_are_due_come_first_and_together_where_they_are_alike() -> None:
    source = waiting(4)
    taken = take(source, 2)
    source.put_back(taken, tried(taken), due=5.0)
    assert source.next_due == 5.0
    assert source.delayed == 2
    assert ids(take(source, 1, now=4.9)) == ["2"]
    assert [ids(take(source, now=5.0)) for _ in range(2)] == [["0", "1"], ["3"]]


def test_retries_that_were_tried_more_often_come_apart() -> None:
    source = waiting(3)
    taken = take(source, 3)
    entries = tried(taken)
    entries[1].attempts += 1
    source.put_back(taken, entries, due=1.0)
    assert [ids(take(source, now=1.0)) for _ in range(3)] == [["0"], ["1"], ["2"]]


def test_what_was_not_tried_is_ready_again_in_its_place() -> None:
    source = waiting(9)
    hands = [take(source, 2) for _ in range(3)]
    for taken in (hands[1], hands[2], hands[0]):
        source.put_back(taken, taken.rest(taken.left), due=0.0)
    assert (source.delayed, source.next_due, len(source.ready.batches), source.size) == (0, None, 9, 18)
    assert ids(take(source)) == [str(number) for number in range(9)]


def test_what_was_not_tried_in_a_lane_waits_there_for_its_turn() -> None:
    source = waiting(3)
    source.sort(source.unsorted(), ["x"] * 3)
    taken = take(source, 2, with_keys=True)
    source.put_back(taken, taken.rest(2), due=0.0)
    assert source.delayed == 0
    assert (purge(source), source._acks.floor) == (3, 3)
    assert (source.size, source.schedule.entries(), source.take(9, 0.0, with_keys=True)) == (0, [], None)


def test_the_age_is_known_of_what_was_let_go_for_its_size() -> None:
    source = backlog(Window(99, 1), 0, 0)
    source.ready.arrive(0, messages(1), 2)
    source.ready.batches.append(0, messages(3), 6)
    for _ in range(2):
        taken = take(source, 1)
        source.put_back(taken, tried(taken), due=9.0)
    assert [entry.message is None for entry in source.schedule.entries()] == [False, True]
    assert [source.received_at(at) for at in (0, 1)] == [0.0, 1.0]
    take(source, 1, now=9.0)
    take(source, 1, now=9.0)  # the one that is ready has its turn between two retries
    being_read = take(source, 1, now=9.0)
    assert (len(being_read.messages), being_read.since) == (1, 1.0)
    source.put_back(being_read, being_read.rest(1), due=9.0)
    assert source.received_at(1) == 1.0


def test_attempts_come_back_with_the_message() -> None:
    source = waiting(1)
    taken = take(source)
    entries = taken.rest(1)
    entries[0].attempts, entries[0].failures = 3, 2
    source.put_back(taken, entries, due=0.0)
    again = take(source)
    assert (again.attempts, again.failures) == (3, 2)


def test_only_one_thread_sorts_at_a_time() -> None:
    source = waiting(SORT_AHEAD + 1)
    first = source.unsorted()
    assert len(first) == SORT_AHEAD
    assert source.unsorted() == []
    source.sort(first, [None] * len(first))
    assert [entry.position for entry in source.unsorted()] == [SORT_AHEAD]


def test_with_lanes_the_ready_window_is_not_handed_out_unsorted() -> None:
    source = waiting(3)
    assert source.take(9, 0.0, with_keys=True) is None
    entries = source.unsorted()
    source.sort(entries, ["x", "y", "x"])
    x, y = take(source, with_keys=True), take(source, with_keys=True)
    assert (x.key, ids(x), y.key, ids(y)) == (("x",), ["0", "2"], ("y",), ["1"])


def test_lanes_are_emptied_before_the_ready_window_when_there_are_lanes_no_more() -> None:
    source = waiting(SORT_AHEAD + 1)
    entries = source.unsorted()
    source.sort(entries, [None] * len(entries))
    busy = take(source, limit=1)
    assert source.take(9, 0.0, with_keys=False) is None
    assert busy.key is not None
    source.keys.release(busy.key[0])
    assert len(take(source, limit=999).messages) == SORT_AHEAD - 1
    assert ids(take(source)) == [str(SORT_AHEAD)]


def test_the_age_of_what_waits_is_known_by_its_position() -> None:
    source = waiting(2)
    assert (source.received_at(0), source.received_at(1)) == (0.0, None)
    taken = take(source)
    assert source.received_at(0) is None
    source.put_back(taken, tried(taken), due=9.0)
    assert source.received_at(1) == 1.0


def test_bytes_count_wherever_a_message_waits() -> None:
    source = waiting(3)
    entries = source.unsorted()
    assert (source.ready.batches.size, source.size) == (0, 6)
    source.sort(entries, ["x"] * 3)
    taken = take(source, limit=1, with_keys=True)
    assert source.size == 4
    source.put_back(taken, taken.rest(1), due=0.0)
    assert source.size == 6
    for _ in range(1):
        assert len(take(source, with_keys=True).messages) == 3
    assert source.size == 0


def test_a_worker_counts_what_it_finished_and_has_not_reported() -> None:
    taken = Delivery(messages(4), range(4), done=1, at=3)
    assert (taken.unreported, taken.left) == (2, 3)
    assert [entry.position for entry in taken.rest(2)] == [1, 2]


def test_enough_is_in_key_order_by_bytes_alone() -> None:
    source = backlog(Window(1000, 6), 0, 0)
    source.ready.batches.append(0, messages(SORT_AHEAD + 9), 2 * (SORT_AHEAD + 9))
    source.sort(source.unsorted(), ["x"] * SORT_AHEAD)
    assert source.crowded
    assert source.unsorted() == []
    assert len(take(source, limit=SORT_AHEAD, with_keys=True).messages) == SORT_AHEAD
    assert len(source.unsorted()) == 9


@pytest.mark.parametrize(("first", "second", "due"), [(5.0, 9.0, 5.0), (9.0, 5.0, 5.0)])
def test_the_next_due_is_the_first_of_a_message_without_a_key_and_one_with(
    first: float, second: float, due: float
) -> None:
    """Both are there after a reload that brought keys."""
    source = waiting(2)
    taken = take(source, 1)
    source.put_back(taken, tried(taken), due=first)
    source.sort(source.unsorted(), ["x"])
    keyed = take(source, with_keys=True)
    source.put_back(keyed, tried(keyed), due=second)
    assert (source.next_due, source.delayed) == (due, 2)


# -- with priorities


@pytest.mark.parametrize(
    ("behind", "ready", "level", "told"),
    [
        (False, 1.0, 3.0, 3.0),  # of the ready window nothing is unread
        (True, 1.0, 3.0, 1.0),
        (True, 5.0, 3.0, 3.0),
        (True, None, 3.0, None),  # one is not known
        (True, 5.0, None, 5.0),
        (False, 5.0, None, 5.0),
    ],
)
def test_the_oldest_unread_is_that_of_the_ready_window_and_of_all_levels(
    behind: bool, ready: float | None, level: float | None, told: float | None
) -> None:
    source = backlog(Window(16, 99), 0, int(behind))
    source.ready.oldest_unread = ready
    if level is not None:
        source.levels.of(9).unread.add(5, 6)
        source.levels.of(9).oldest_unread = level
    assert source.oldest_unread() == told


@pytest.mark.parametrize(
    ("priority", "position", "overtakes"), [(9, 7, True), (4, 7, False), (4, 2, True), (0, 2, False)]
)
def test_what_was_read_ahead_is_overtaken_by_what_comes_before_it(
    priority: int, position: int, overtakes: bool
) -> None:
    """By priority, then by position; it has the default one, and the position 5."""
    source, ahead = backlog(), Delivery(messages(1), [5])
    assert not source.overtakes(ahead)
    source.levels.of(0)  # there were levels before
    batches = source.ready.batches if priority == 4 else source.levels.of(priority).batches
    batches.append(position, messages(1), 2)
    assert source.overtakes(ahead) is overtakes


def test_what_was_read_ahead_is_overtaken_by_what_was_given_back_to_the_front() -> None:
    source, ahead = backlog(), Delivery(messages(1), [5])
    source.put_in_front([Entry(7, messages(1)[0])])
    assert not source.overtakes(ahead)
    source.put_in_front([Entry(3, messages(1)[0])])
    assert source.overtakes(ahead)
