"""Delays and lanes."""

from __future__ import annotations

from collections import defaultdict, deque

from hypothesis import given
from hypothesis import strategies as st

from hub.queue.delivery import Entry
from hub.queue.key_order import KeyOrder
from hub.queue.schedule import RIPEN_AT_ONCE, Delays, Schedule
from tests.unit.doubles import message


def entry(position: int, attempts: int = 0) -> Entry:
    return Entry(position, message(position), attempts)


@given(st.lists(st.tuples(st.floats(0, 10), st.booleans()), max_size=50))
def test_items_come_out_when_due_and_in_order(steps: list[tuple[float, bool]]) -> None:
    delays: Delays[tuple[float, int]] = Delays()
    held: list[tuple[float, int]] = []
    for number, (time, add) in enumerate(steps):
        if add:
            delays.add(time, (time, number))
            held.append((time, number))
            continue
        due = sorted(item for item in held if item[0] <= time)
        assert delays.pop(time) == (due[0] if due else None)
        if due:
            held.remove(due[0])
    assert len(delays) == len(held)
    assert delays.next_due == (min(held)[0] if held else None)


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("xyz")),
        st.tuples(st.just("take"), st.integers(1, 4)),
        st.tuples(st.just("release"), st.integers(0, 5)),
        st.tuples(st.just("put_back"), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.integers(0, 3)),
    ),
    max_size=80,
)


class LaneModel:
    """What lanes promise, the slow way: one deque for each key, and which keys are busy or held."""

    def __init__(self) -> None:
        self.lanes: dict[str, deque[int]] = defaultdict(deque)
        self.busy: dict[str, list[Entry]] = {}
        self.held: dict[str, float] = {}
        self.now = 0.0

    def free(self) -> set[str]:
        held = {key for key, due in self.held.items() if due > self.now}
        return {key for key, lane in self.lanes.items() if lane} - held - set(self.busy)

    def check_taken(self, found: tuple[object, list[Entry]] | None, limit: int) -> None:
        if found is None:
            assert not self.free()
            return
        key, run = str(found[0]), found[1]
        assert key in self.free()
        assert 1 <= len(run) <= limit
        assert [e.position for e in run] == [self.lanes[key].popleft() for _ in run]
        assert len(run) == 1 or not any(e.attempts for e in run)
        self.held.pop(key, None)
        self.busy[key] = run


@given(OPERATIONS)
def test_a_key_is_in_one_hand_at_a_time_and_in_order_and_a_free_one_is_always_found(
    operations: list[tuple[str, str | int]],
) -> None:
    lanes, model = KeyOrder(), LaneModel()
    for position, (what, value) in enumerate(operations):
        if what == "add":
            lanes.add(str(value), entry(position))
            model.lanes[str(value)].append(position)
        elif what == "take":
            model.check_taken(lanes.take(int(value), model.now), int(value))
        elif what == "wait":
            model.now += int(value)
        elif model.busy:
            key = sorted(model.busy)[int(value) % len(model.busy)]
            run = model.busy.pop(key)
            if what == "release":
                lanes.release(key)
            else:
                run[0].attempts += 1
                lanes.put_back(key, run, model.now + 1)
                model.lanes[key].extendleft(e.position for e in reversed(run))
                model.held[key] = model.now + 1
        assert len(lanes) == sum(map(len, model.lanes.values()))


def test_a_message_that_was_tried_before_comes_alone() -> None:
    lanes = KeyOrder()
    for position in range(3):
        lanes.add("x", entry(position))
    taken = lanes.take(9, 0.0)
    assert taken is not None
    taken[1][0].attempts = 1
    lanes.put_back("x", taken[1], 0.0)
    assert [e.position for e in (lanes.take(9, 0.0) or ("", []))[1]] == [0]


def test_a_held_lane_says_when_it_goes_on_and_lets_the_others_pass() -> None:
    lanes = KeyOrder()
    lanes.add("x", entry(0))
    lanes.take(1, 0.0)
    lanes.put_back("x", [entry(0, attempts=1)], 5.0)
    lanes.add("x", entry(1))
    lanes.add("y", entry(2))
    assert (lanes.held, lanes.next_due) == (1, 5.0)
    assert lanes.take(9, 4.0) == ("y", [entry(2)])
    assert lanes.take(9, 4.0) is None
    assert lanes.take(9, 5.0) == ("x", [entry(0, attempts=1)])


def test_an_empty_lane_leaves_nothing_behind() -> None:
    lanes = KeyOrder()
    for position in range(100):
        lanes.add(position, entry(position))
        lanes.take(1, 0.0)
        lanes.release(position)
    assert not lanes._lanes
    assert not lanes._free


def test_what_is_suspected_of_having_killed_the_hub_is_never_taken_together_with_another() -> None:
    for kills, others in ((1, 0), (0, 1), (1, 1)):
        before, after = Entry(0, message(0), 2, 1, kills), Entry(1, message(1), 2, 1, others)
        assert not after.may_follow(before)
    assert Entry(1, message(1), 2, 1).may_follow(Entry(0, message(0), 2, 1))


def test_many_that_are_due_are_given_their_place_a_part_at_a_time() -> None:
    schedule = Schedule()
    count = 2 * RIPEN_AT_ONCE + 1
    for position in range(count):
        schedule.delay([entry(position, 1)], float(count - position))  # the last is due first
    fronts = []
    for _ in range(4):
        schedule.ripen(count + 1.0)
        assert schedule.front is not None
        fronts.append(schedule.front.position)
    assert fronts == [count - RIPEN_AT_ONCE, 1, 0, 0]
    assert [one.position for one in schedule.due(count, count + 1.0)] == list(range(count))
