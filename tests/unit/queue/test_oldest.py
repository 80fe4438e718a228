"""A full queue drops the lowest priority first, and of that the oldest, wherever the messages wait."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.queue.singles import Singles
from tests.unit.doubles import make_queue, message, messages, offer

FULL = QueuePolicy(4, overflow="drop_oldest")


def left(queue: Queue) -> list[int]:
    return [position for start, stop in queue.acks.unsettled(0, queue.next_position) for position in range(start, stop)]


def test_what_was_given_back_untried_is_the_oldest() -> None:
    queue = make_queue(Clock().seconds, FULL)
    offer(queue, messages(4))
    singles = Singles(queue)
    taken = queue.take(2, timeout=0)
    assert taken is not None
    singles.give_back(singles.split(taken), delivered=False)
    offer(queue, messages(1))
    assert (left(queue), queue.stats().counters.dropped_oldest) == ([1, 2, 3, 4], 1)
    again = queue.take(9, timeout=0)
    assert again is not None
    assert list(again.positions) == [1]


def test_what_was_tried_and_given_back_is_spared() -> None:
    queue = make_queue(Clock().seconds, FULL)
    offer(queue, messages(4))
    singles = Singles(queue)
    taken = queue.take(2, timeout=0)
    assert taken is not None
    first, second = singles.split(taken)
    singles.give_back([first], delivered=True)
    singles.give_back([second], delivered=False)
    offer(queue, messages(2))
    assert left(queue) == [0, 3, 4, 5]


def test_of_those_set_aside_the_lowest_position_goes_whichever_was_set_aside_first() -> None:
    queue = make_queue(Clock().seconds, FULL)
    offer(queue, messages(4))
    singles = Singles(queue)
    taken = queue.take(4, timeout=0)
    assert taken is not None
    each = singles.split(taken)
    for at in (3, 1, 0, 2):
        singles.set_aside([each[at]], delivered=False)
    offer(queue, messages(1))
    assert left(queue) == [1, 2, 3, 4]


PLACES = st.tuples(st.sampled_from([0, 4, 9]), st.sampled_from(["wait", "back", "aside", "tried"]))


@given(st.lists(PLACES, min_size=1), st.randoms(use_true_random=False))
def test_each_is_the_one_that_a_sorted_list_names(places: list[tuple[int, str]], random: object) -> None:
    queue = make_queue(Clock().seconds, QueuePolicy(None, None))
    singles = Singles(queue)
    for priority, _ in places:
        start, kept, size = queue.admit([message(1)], 2)
        queue.offer(start, kept, size, priority)
    taken = {}
    while (delivery := queue.take(1, timeout=0)) is not None:
        taken[delivery.position] = delivery
    moved = [*taken]
    random.shuffle(moved)  # type: ignore[attr-defined]
    for position in moved:
        place, delivery = places[position][1], taken[position]
        if place == "wait" and delivery.priority == 4:
            queue.give_back(delivery)
        elif place == "aside":
            singles.set_aside([delivery], delivered=False)
        else:
            singles.give_back([delivery], delivered=place == "tried")
    expected = sorted((priority, at) for at, (priority, place) in enumerate(places) if place != "tried")
    for _, position in expected:
        assert queue.overflow.oldest
        before = left(queue)
        assert queue.overflow.oldest.drop(1, 0) == 1
        assert {*before} - {*left(queue)} == {position}
    assert not queue.overflow.oldest
