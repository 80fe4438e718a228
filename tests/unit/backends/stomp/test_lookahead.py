"""What is set aside is looked over, and given back, a part at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from hub.backends.stomp import lookahead
from hub.queue.delivery import Delivery
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.queue.singles import Singles
from tests.unit.desk import Desk
from tests.unit.doubles import messages


class Watched(Singles):
    """It notes how many messages each call is about, under one hold of the lock."""

    def __init__(self, queue: Queue) -> None:
        super().__init__(queue)
        self.calls: list[tuple[str, int]] = []

    def set_aside(self, deliveries: Sequence[Delivery], delivered: bool) -> None:
        self.calls.append(("set_aside", len(deliveries)))
        super().set_aside(deliveries, delivered)

    def reclaim(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        self.calls.append(("reclaim", len(deliveries)))
        return super().reclaim(deliveries)

    def give_back(self, deliveries: Sequence[Delivery], delivered: bool) -> None:
        self.calls.append(("give_back", len(deliveries)))
        super().give_back(deliveries, delivered)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> tuple[Desk, Watched, Any]:
    """A lookahead that holds seven messages, of which the first two, and the last, were dropped meanwhile."""
    monkeypatch.setattr(lookahead, "LOOK_AT_ONCE", 3)
    desk = Desk(QueuePolicy())
    desk.offer(messages(7))
    watched = Watched(desk.queue)
    ahead = lookahead.Lookahead(watched)  # type: ignore[arg-type]
    ahead.serve([None])
    ahead.add(watched.split(desk.take()))
    ahead.settle_down()
    with desk.queue.lock:
        desk.queue.acks.counters.dropped_purged += desk.queue.backlog.aside.drop(
            lambda one: one.position in {0, 1, 6}, 9
        )
    watched.calls.clear()
    return desk, watched, ahead


def test_it_is_looked_over_in_parts_and_forgets_what_has_gone(looked: tuple[Desk, Watched, Any]) -> None:
    desk, watched, ahead = looked
    assert [one.position for one in ahead.look_over()] == [2, 3, 4, 5]
    assert watched.calls == [
        ("reclaim", 3),
        ("set_aside", 1),
        ("reclaim", 3),
        ("set_aside", 3),
        ("reclaim", 1),
    ]
    assert (len(ahead), desk.queue.stats().in_flight, desk.queue.stats().counters.backlog) == (4, 0, 4)
    found = ahead.take(None, 9)
    assert [one.position for one in found] == [2, 3, 4, 5]
    watched.finish(found)
    assert desk.queue.stats().counters.backlog == 0


def test_one_that_is_looked_at_may_be_settled(looked: tuple[Desk, Watched, Any]) -> None:
    desk, watched, ahead = looked
    for one in ahead.look_over():
        if one.position in {2, 4}:
            watched.finish(ahead.take_one(one.position))
    assert (len(ahead), desk.queue.stats().in_flight) == (2, 0)
    assert [one.position for one in ahead.take(None, 9)] == [3, 5]


def test_it_gives_all_back_in_parts_and_in_order(looked: tuple[Desk, Watched, Any]) -> None:
    desk, watched, ahead = looked
    ahead.give_back()
    assert [call for call in watched.calls if call[0] == "give_back"] == [
        ("give_back", 1),
        ("give_back", 3),
        ("give_back", 0),
    ]
    assert (len(ahead), desk.take_ids()) == (0, ["2", "3", "4", "5"])
