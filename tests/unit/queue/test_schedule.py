"""Delays and lanes."""

from __future__ import annotations

from collections import defaultdict, deque

from hypothesis import given
from hypothesis import strategies as st

from hub.message import DEFAULT_PRIORITY
from hub.queue.delivery import Entry
from hub.queue.key_order import KeyOrder
from hub.queue.schedule import AT_FRONT, RIPEN_AT_ONCE, Delays, Schedule, rank
from tests.unit.doubles import message


def entry(position: int, attempts: int = 0, priority: int = DEFAULT_PRIORITY) -> Entry:
    return Entry(position, message(position), attempts, priority=priority)


def due(schedule: Schedule, now: float, limit: int = 9) -> list[list[int]]:
    """Positions of all that are due, by delivery."""
    found = []
    while run := schedule.due(limit, now):
        found.append([one.position for one in run])
    return found


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


def test_what_was_given_back_comes_at_once_by_priority_then_by_position() -> None:
    schedule = Schedule()
    schedule.delay([entry(1), entry(8)], 3.0)
    schedule.delay([entry(5), entry(2)], AT_FRONT)
    schedule.delay([entry(9, priority=9), entry(0, priority=0)], AT_FRONT)
    assert (schedule.next_due, schedule.delayed) == (AT_FRONT, 6)
    assert schedule.front is schedule.get(9)
    assert due(schedule, 2.9) == [[9], [2, 5], [0]]
    assert (schedule.front, schedule.next_due) == (None, 3.0)
    assert due(schedule, 3.0) == [[1, 8]]
    assert (schedule.next_due, schedule.delayed, schedule.size, schedule.entries()) == (None, 0, 0, [])


def test_what_is_due_at_one_time_comes_in_the_order_in_which_it_was_delayed() -> None:
    schedule = Schedule()
    for position in (4, 1, 7):
        schedule.delay([entry(position, 1)], 3.0)
    schedule.delay([entry(9, 1)], 2.0)
    assert due(schedule, 3.0, limit=1) == [[9], [4], [1], [7]]


def test_what_is_given_back_is_before_another_by_priority_then_by_position() -> None:
    schedule = Schedule()
    assert not schedule.front_before(5, DEFAULT_PRIORITY)
    schedule.delay([entry(3), entry(8)], AT_FRONT)
    assert schedule.front_before(5, DEFAULT_PRIORITY)
    assert not schedule.front_before(1, DEFAULT_PRIORITY)
    assert not schedule.front_before(5, DEFAULT_PRIORITY + 1)
    assert schedule.front_before(1, DEFAULT_PRIORITY - 1)


def test_of_those_that_are_due_only_those_before_a_rank_are_taken() -> None:
    schedule = Schedule()
    schedule.delay([entry(position, 1) for position in (2, 4, 6)], AT_FRONT)
    assert [one.position for one in schedule.due(9, 0.0, before=rank(6, DEFAULT_PRIORITY))] == [2, 4]
    assert [one.position for one in schedule.due(9, 0.0, before=rank(1, DEFAULT_PRIORITY))] == [6], "the first one is"


def test_beyond_the_bytes_that_may_wait_in_memory_messages_wait_in_the_store() -> None:
    """Each has two bytes. The one that exceeds the bound is still kept."""
    schedule = Schedule(most_size=4)
    schedule.delay([entry(position, 1) for position in range(5)], 3.0)
    assert [one.message is None for one in schedule.entries()] == [False, False, False, True, True]
    assert (schedule.size, schedule.delayed) == (6, 5)
    assert due(schedule, 3.0) == [[0, 1, 2], [3, 4]]
    assert schedule.size == 0
    schedule.delay([entry(position, 1) for position in range(3)], 3.0)
    assert [one.message is None for one in schedule.entries()] == [False] * 3, "there was room again"


def test_what_is_dropped_makes_room_and_what_was_tried_stays() -> None:
    schedule = Schedule(most_size=4)
    schedule.delay([entry(0), entry(1, 1)], 3.0)
    schedule.delay([entry(2)], AT_FRONT)
    assert sorted(one.position for one in schedule.drop_untried()) == [0, 2]
    assert (schedule.size, schedule.delayed, [one.position for one in schedule.entries()]) == (2, 1, [1])
    schedule.delay([entry(position, 1) for position in (3, 4)], 3.0)
    assert [one.message is None for one in schedule.entries()] == [False] * 3
    assert due(schedule, 3.0) == [[1, 3, 4]]


def test_what_is_not_in_memory_is_delivered_in_the_order_of_positions() -> None:
    """It is read together."""
    schedule = Schedule()
    schedule.recover({at: Entry(at, None, 1, 1, 0, float(9 - at)) for at in (2, 5, 8)}, with_keys=False)
    assert [schedule.get(at) is schedule.outside(at) for at in (2, 5, 8)] == [True] * 3
    assert due(schedule, 9.0) == [[2, 5, 8]]


def test_with_keys_a_recovered_message_is_not_outside_the_ready_window() -> None:
    schedule = Schedule()
    recovered = Entry(5, None, 1)
    schedule.recover({5: recovered}, with_keys=True)
    assert (schedule.get(5), schedule.outside(5), schedule.delayed) == (recovered, None, 1)
    schedule.exempt(0, 5)
    assert schedule.outside(5) is None
    schedule.exempt(5, 6)
    assert (schedule.outside(5), schedule.delayed, schedule.recovered.exempted) == (recovered, 1, [recovered])


def test_the_bytes_of_those_that_were_taken_out_make_room_for_others() -> None:
    """Beyond its bound the schedule keeps positions, and reads the messages again."""
    schedule = Schedule(10)
    for position in range(20):
        schedule.delay([entry(position)], 5.0)
        assert schedule.discard(position) is not None
    schedule.delay([entry(20)], 5.0)
    (left,) = schedule.due(9, 5.0)
    assert left.message is not None
