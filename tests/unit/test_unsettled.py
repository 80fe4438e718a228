"""Which messages have been settled by all their queues."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.store import Range
from hub.unsettled import Unsettled

Counts = Unsettled[str, str]


def test_a_message_is_told_with_its_last_queue() -> None:
    counts: Counts = Unsettled()
    assert counts.add("bus", ["a", "b", "c"], [("one", 10, range(3)), ("two", 0, [0, 2])]) == []
    assert counts.settle("one", [(10, 12)]) == {"bus": ["b"]}
    assert counts.settle("two", [(1, 2), (0, 1)]) == {"bus": ["a"]}
    assert (counts.count("bus"), counts.waits_for("one"), counts.waits_for("two")) == (1, True, False)
    assert counts.settle("one", [(0, 100)]) == {"bus": ["c"]}
    assert (counts.count("bus"), counts.waits_for("one")) == (0, False)


def test_messages_in_no_queue_are_returned_and_not_kept() -> None:
    counts: Counts = Unsettled()
    assert counts.add("bus", ["a", "b", "c"], [("one", 0, [1])]) == ["a", "c"]
    assert counts.count("bus") == 1


def test_two_messages_at_one_position_are_told_together_each_to_its_source() -> None:
    counts: Counts = Unsettled()
    counts.add("bus", ["a"], [("one", 0, [0])])
    counts.add("other", ["b"], [("one", 0, [0])])
    counts.add("bus", ["c"], [("one", 0, [0]), ("two", 0, [0])])
    assert counts.settle("one", [(0, 1)]) == {"bus": ["a"], "other": ["b"]}
    assert counts.settle("two", [(0, 1)]) == {"bus": ["c"]}


def test_what_is_settled_and_not_known_is_ignored() -> None:
    counts: Counts = Unsettled()
    assert counts.settle("one", [(0, 5)]) == {}
    counts.add("bus", ["a"], [("one", 7, [0])])
    assert counts.settle("one", [(0, 7), (8, 9)]) == {}
    assert counts.settle("one", [(7, 8)]) == {"bus": ["a"]}
    assert counts.settle("one", [(7, 8)]) == {}


def test_a_source_that_is_forgotten_is_told_nothing_and_leaves_the_others_alone() -> None:
    counts: Counts = Unsettled()
    counts.add("bus", ["a", "b"], [("one", 0, [0, 1]), ("two", 0, [0])])
    counts.add("other", ["c"], [("one", 1, [0])])
    assert counts.forget("bus") == ["two"]
    assert (counts.count("bus"), counts.waits_for("one"), counts.waits_for("two")) == (0, True, False)
    assert counts.settle("one", [(0, 2)]) == {"other": ["c"]}
    assert counts.forget("never known") == []


BATCHES = st.lists(st.lists(st.sets(st.sampled_from("xyz")), min_size=1, max_size=5), max_size=6)


@given(BATCHES, st.randoms(use_true_random=False))
def test_each_message_is_told_once_and_not_before_its_last_queue(batches: list[list[set[str]]], chance: object) -> None:
    counts: Counts = Unsettled()
    left: dict[int, set[str]] = {}
    places: dict[str, list[int]] = {queue: [] for queue in "xyz"}
    told: list[object] = []
    for batch in batches:
        first = len(left)
        shares = []
        for queue in "xyz":
            mine = [index for index, wanted in enumerate(batch) if queue in wanted]
            shares.append((queue, len(places[queue]), mine))
            places[queue] += [first + index for index in mine]
        left |= {first + index: set(wanted) for index, wanted in enumerate(batch)}
        told += counts.add("bus", range(first, first + len(batch)), shares)
    steps = [(queue, position) for queue in "xyz" for position in range(len(places[queue]))]
    chance.shuffle(steps)  # type: ignore[attr-defined]
    for queue, position in steps:
        settled: list[Range] = [(position, position + 1)]
        told += counts.settle(queue, settled).get("bus", [])
        left[places[queue][position]].discard(queue)
        assert sorted(told) == [token for token, wanted in left.items() if not wanted]  # type: ignore[type-var]
        assert counts.count("bus") == len(left) - len(told)
