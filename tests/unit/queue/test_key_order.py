"""KeyOrder that wait do not keep the others out, and cost no memory beyond a bound. See also test_schedule.py."""

from __future__ import annotations

from collections import defaultdict, deque

from hypothesis import given
from hypothesis import strategies as st

from hub.message import Message
from hub.queue.delivery import Entry
from hub.queue.key_order import KeyOrder
from tests.unit.doubles import message


def entry(position: int, attempts: int = 0) -> Entry:
    return Entry(position, message(position), attempts)


class Shelf:
    """KeyOrder that may keep four messages in memory, of lanes that are not free; what was unloaded comes back."""

    def __init__(self) -> None:
        self.lanes = KeyOrder(4, 1 << 20, self.unloaded)
        self.gone: list[int] = []

    def unloaded(self, one: Entry) -> None:
        self.gone.append(one.position)

    def read(self, missing: int = -1) -> list[int]:
        """All that is to be read now, but for one that is missing. Returns what is missing."""
        lost: list[int] = []
        while (unread := self.lanes.unread()) is not None:
            key, items = unread
            positions = [item if isinstance(item, int) else item.position for item in items]
            found = {at: message(at) for at in positions if at != missing}
            lost += self.lanes.read(key, items, found, lambda at, one: Entry(at, one))
        return lost

    def take(self, limit: int = 99, now: float = 0.0) -> tuple[str, list[int]] | None:
        found = self.lanes.take(limit, now)
        if found is None:
            self.read()
            found = self.lanes.take(limit, now)
        return (str(found[0]), [one.position for one in found[1]]) if found else None


def blocked() -> Shelf:
    """Ten messages wait behind one of x that is in hand, and one of y."""
    shelf = Shelf()
    for position in range(11):
        shelf.lanes.add("x", entry(position))
        if not position:
            assert shelf.take() == ("x", [0])
    shelf.lanes.add("y", entry(11))
    return shelf


def test_what_waits_behind_one_in_hand_is_let_go_of_beyond_a_bound_and_another_key_goes_on() -> None:
    shelf = blocked()
    assert shelf.gone == [5, 6, 7, 8, 9, 10]
    assert (len(shelf.lanes), shelf.lanes.unloaded, shelf.lanes.ready) == (11, 6, 1)
    assert shelf.take() == ("y", [11])
    assert shelf.take() is None


def test_it_comes_back_in_order_when_it_is_its_turn() -> None:
    shelf = blocked()
    shelf.lanes.release("x")
    shelf.lanes.add("x", entry(12))
    seen = []
    while (found := shelf.take()) is not None:
        seen.append(found)
        shelf.lanes.release(found[0])
    assert [at for key, run in seen if key == "x" for at in run] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]
    assert (len(shelf.lanes), shelf.lanes.unloaded, shelf.lanes.ready, shelf.lanes.ready_size) == (0, 0, 0, 0)


def test_what_can_not_be_read_is_told_and_keeps_nobody() -> None:
    shelf = blocked()
    shelf.lanes.release("x")
    assert shelf.lanes.take(99, 0.0) is not None  # y
    found = shelf.lanes.take(99, 0.0)
    assert found is not None
    assert [one.position for one in found[1]] == [1, 2, 3, 4]
    shelf.lanes.release("x")
    assert shelf.lanes.take(99, 0.0) is None
    assert shelf.read(missing=7) == [7]
    assert shelf.take() == ("x", [5, 6, 8, 9, 10])
    assert len(shelf.lanes) == 0


def test_a_lane_that_is_held_lets_go_of_all_when_there_is_no_room_and_keeps_its_attempts() -> None:
    shelf = Shelf()
    for position in range(6):
        shelf.lanes.add("x", entry(position))
    found = shelf.lanes.take(1, 0.0)
    assert found is not None
    found[1][0].attempts = 1
    shelf.lanes.put_back("x", found[1], 5.0)
    assert shelf.gone == [0, 1, 2, 3, 4, 5]
    assert shelf.take(now=4.0) is None
    again = None
    while again is None:
        again = shelf.lanes.take(9, 5.0)
        shelf.read()
    assert [(one.position, one.attempts) for one in again[1]] == [(0, 1)]


def test_a_purge_takes_what_was_let_go_of_and_leaves_what_was_tried() -> None:
    shelf = blocked()
    shelf.lanes.put_back("x", [entry(0, attempts=1)], 5.0)
    entries, positions = shelf.lanes.drop()
    assert sorted([*(one.position for one in entries), *positions]) == [*range(1, 12)]
    assert len(shelf.lanes) == 1
    shelf.lanes.take(9, 5.0)
    shelf.read()
    assert shelf.take(now=5.0) == ("x", [0])


def test_what_is_dropped_while_it_is_being_read_does_not_come_back() -> None:
    shelf = blocked()
    shelf.lanes.release("x")
    for _ in range(2):
        found = shelf.lanes.take(99, 0.0)
        if found is not None:
            shelf.lanes.release(found[0])
    shelf.lanes.take(99, 0.0)
    unread = shelf.lanes.unread()
    assert unread is not None
    shelf.lanes.drop()
    key, items = unread
    messages: dict[int, Message] = {at: message(at) for at in range(12)}
    assert shelf.lanes.read(key, items, messages, lambda at, one: Entry(at, one)) == []
    assert (len(shelf.lanes), shelf.lanes.ready) == (0, 0)


def test_a_purge_leaves_a_retry_that_is_due_in_a_lane_that_is_free() -> None:
    shelf = Shelf()
    for position, key in enumerate("xy"):
        shelf.lanes.add(key, entry(position))
        found = shelf.lanes.take(1, 0.0)
        assert found is not None
        shelf.lanes.put_back(key, [entry(position, attempts=1)], 1.0)
    assert shelf.take(now=1.0) == ("x", [0])  # both are free now, and one is taken
    assert shelf.lanes.drop() == ([], [])
    assert shelf.take(now=1.0) == ("y", [1])


@given(st.lists(st.tuples(st.sampled_from(["add", "take", "release", "retry", "back", "wait"]), st.integers(0, 3))))
def test_whatever_is_let_go_of_each_key_keeps_its_order(steps: list[tuple[str, int]]) -> None:
    shelf, model = Shelf(), defaultdict[int, deque[int]](deque)
    busy: dict[int, list[Entry]] = {}
    now = 0.0
    for position, (what, key) in enumerate(steps):
        if what == "add":
            shelf.lanes.add(key, entry(position))
            model[key].append(position)
        elif what == "wait":
            now += key
        elif what == "take":
            found = shelf.lanes.take(key + 1, now)
            shelf.read()
            found = found or shelf.lanes.take(key + 1, now)
            if found is not None:
                assert isinstance(found[0], int)
                assert [one.position for one in found[1]] == [model[found[0]].popleft() for _ in found[1]]
                busy[found[0]] = found[1]
        elif key in busy and what == "release":
            busy.pop(key)
            shelf.lanes.release(key)
        elif key in busy:
            run = busy.pop(key)
            run[0].attempts += what == "retry"
            shelf.lanes.put_back(key, run, now + 2)
            model[key].extendleft(reversed([one.position for one in run]))
        assert len(shelf.lanes) == sum(map(len, model.values()))
    assert shelf.lanes.ready + shelf.lanes.unloaded <= len(shelf.lanes)


def numbers(lanes: KeyOrder) -> tuple[int, int, int, int]:
    """Messages; ready, their bytes; not in memory."""
    return len(lanes), lanes.ready, lanes.ready_size, lanes.unloaded


def test_what_is_ready_is_counted_over_all_keys_and_what_is_taken_is_not() -> None:
    lanes = KeyOrder()
    for position, key in enumerate("xyxxy"):
        lanes.add(key, entry(position))
    assert numbers(lanes) == (5, 5, 10, 0)
    taken, run = lanes.take(1, 0.0) or ("", [])
    assert (taken, numbers(lanes)) == ("x", (4, 2, 4, 0))
    lanes.add("x", entry(5))
    lanes.put_back("x", run, 0.0)
    assert numbers(lanes) == (6, 6, 12, 0)
    for left in (4, 2):
        taken, run = lanes.take(2, 0.0) or ("", [])
        assert len(lanes) == left
        lanes.release(taken)
    assert numbers(lanes) == (2, 2, 4, 0)


def test_a_purge_takes_off_the_bytes_of_what_it_drops_and_no_others() -> None:
    lanes = KeyOrder()
    for key, first in (("x", entry(0, attempts=1)), ("y", entry(1))):
        lanes.add(key, first)
    lanes.add("x", entry(2))
    lanes.add("x", entry(3))
    entries, positions = lanes.drop()
    assert (sorted(one.position for one in entries), positions) == ([1, 2, 3], [])
    assert numbers(lanes) == (1, 1, 2, 0)


def test_a_purge_takes_off_the_bytes_of_a_key_that_is_in_hand() -> None:
    lanes = KeyOrder(3, 1 << 20)
    for position in range(3):
        lanes.add("x", entry(position))
    key, _ = lanes.take(1, 0.0) or ("", [])
    lanes.drop()
    assert numbers(lanes) == (0, 0, 0, 0)
    for position in range(3, 6):
        lanes.add("x", entry(position))
    assert lanes.unloaded == 0, "what was dropped keeps no room"
    lanes.release(key)
    assert numbers(lanes) == (3, 3, 6, 0)


def test_beyond_a_bound_of_bytes_too_what_waits_is_not_kept_in_memory() -> None:
    lanes = KeyOrder(99, 5)
    lanes.add("x", entry(0))
    lanes.take(1, 0.0)
    for position in range(1, 6):
        lanes.add("x", entry(position))
    assert numbers(lanes) == (5, 0, 0, 2)
