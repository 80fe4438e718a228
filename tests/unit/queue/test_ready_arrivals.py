"""What arrives at the ready window: it is ready if it fits, else unread, and nothing passes it."""

from __future__ import annotations

import pytest

from hub.queue.ack_state import AckState
from hub.queue.backlog import Backlog
from hub.queue.policy import Window
from hub.queue.ready import ReadyWindow
from hub.store import CommittedState, Run
from tests.unit.doubles import message, messages


def arriving(count: int, size: int) -> ReadyWindow:
    """The ready window of a new queue."""
    return Backlog(AckState(CommittedState(), True), Window(count, size)).ready


@pytest.mark.parametrize("window", [Window(4, 99), Window(99, 8)])
def test_what_arrives_is_ready_as_long_as_it_fits(window: Window) -> None:
    """Each message has two bytes."""
    ready = arriving(window.count, window.size)
    ready.arrive(0, messages(1), 2)
    ready.arrive(1, messages(3), 6)
    assert (len(ready.batches), ready.batches.size, ready.unread_size, ready.oldest_unread) == (4, 8, 0, None)
    assert not ready.behind
    ready.arrive(4, [message(4)], 2)
    ready.arrive(5, [message(5), message(6)], 4)
    assert (ready.unread_span, ready.unread_count, ready.unread_size, ready.oldest_unread) == ((4, 7), 3, 6, 4.0)
    assert len(ready.batches) == 4


def test_what_is_unread_is_passed_by_nothing_that_arrives_though_there_is_room() -> None:
    ready = arriving(2, 99)
    ready.arrive(0, messages(3), 6)
    ready.arrive(3, [message(3)], 2)
    assert (ready.unread_span, len(ready.batches), ready.unread_size, ready.oldest_unread) == ((0, 4), 0, 8, 0.0)


def test_a_batch_without_messages_leaves_all_as_it_is() -> None:
    ready = arriving(0, 0)
    ready.arrive(0, [], 0)
    assert (ready.behind, ready.oldest_unread, ready.unread_size) == (False, None, 0)


def test_what_arrives_delayed_is_not_read_with_the_others() -> None:
    ready = arriving(2, 99)
    ready.skip(0, 2)
    assert (ready.behind, ready.loaded) == (False, 2)
    ready.arrive(2, messages(3), 6)
    ready.skip(5, 2)
    ready.arrive(7, messages(1), 2)
    ready.fill(2, 8, [Run(2, messages(6), 12, 6)])
    assert (ready.behind, ready.batches.first(99)[0]) == (False, [2, 3, 4, 7])
