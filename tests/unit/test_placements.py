"""Where the messages of a batch are."""

from __future__ import annotations

from hub.placements import Placements
from tests.unit.doubles import make_queue


def test_a_message_is_found_in_each_queue_that_admitted_it() -> None:
    one, other = (make_queue(lambda: 0.0, name=name) for name in ("one", "other"))
    placements = Placements()
    placements.add(one, 10, range(3))
    placements.add(other, 0, [0, 2])
    assert [placements.of(index) for index in range(4)] == [
        [(one, 10), (other, 0)], [(one, 11)], [(one, 12), (other, 1)], [],
    ]  # fmt: skip


def test_the_indexes_of_a_batch_that_is_routed_in_parts_count_through() -> None:
    queue = make_queue(lambda: 0.0)
    placements = Placements()
    placements.add(queue, 5, range(2))
    placements.next_part(3)
    placements.add(queue, 7, [1])
    placements.next_part(2)
    placements.add(queue, 8, [])
    assert [(start, list(indexes)) for _, start, indexes in placements.all] == [(5, [0, 1]), (7, [4])]
    assert placements.of(4) == [(queue, 7)]
    assert placements.of(2) == []
