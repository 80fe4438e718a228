"""What waited for a retry when the hub ended."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.queue.delivery import Entry
from hub.queue.schedule import Recovered

POSITIONS = st.sets(st.integers(0, 30))


def resumed(positions: set[int], with_keys: bool) -> Recovered:
    made = Recovered()
    made.add({at: Entry(at, None, 1) for at in positions}, with_keys)
    return made


@given(POSITIONS, st.integers(0, 30), st.integers(0, 30))
def test_what_is_aside_is_left_out(positions: set[int], start: int, count: int) -> None:
    found = resumed(positions, with_keys=False).leave_out(iter([(start, start + count)]))
    assert [at for first, after in found for at in range(first, after)] == [
        at for at in range(start, start + count) if at not in positions
    ]


@given(POSITIONS, st.integers(0, 30), st.integers(0, 30))
def test_what_comes_in_turn_is_not_left_out_unless_it_is_spared(positions: set[int], start: int, stop: int) -> None:
    made = resumed(positions, with_keys=True)
    assert list(made.leave_out(iter([(0, 31)]))) == [(0, 31)]
    spared = sorted(at for at in positions if start <= at < stop)
    assert [entry.position for entry in made.exempt(start, stop)] == spared
    assert [at for first, after in made.leave_out(iter([(0, 31)])) for at in range(first, after)] == [
        at for at in range(31) if at not in spared
    ]
    assert len(made) == len(positions)


@given(POSITIONS, st.integers(0, 30), st.integers(1, 30))
def test_such_a_one_is_taken_alone_and_the_others_up_to_it(positions: set[int], start: int, limit: int) -> None:
    count = resumed(positions, with_keys=True).alone(start, limit)
    assert 1 <= count <= limit
    assert not positions.intersection(range(start, start + count)) or count == 1
    assert count == limit or start in positions or start + count in positions


def test_the_positions_of_the_schedule_are_cut_out_of_the_ranges() -> None:
    made = resumed({3, 4, 8}, with_keys=False)
    assert list(made.leave_out(iter([(0, 10), (12, 14)]))) == [(0, 3), (5, 8), (9, 10), (12, 14)]
    assert list(made.leave_out(iter([(3, 5), (8, 9)]))) == []
    assert (made.among(4, 8), made.among(4, 9), len(made)) == ([4], [4, 8], 0)


def test_in_turn_they_are_not_cut_out_and_taken_alone() -> None:
    made = resumed({3, 4, 8}, with_keys=True)
    assert list(made.leave_out(iter([(0, 10)]))) == [(0, 10)]
    assert [made.alone(position, 9) for position in (0, 3, 4, 5, 8, 9)] == [3, 1, 1, 3, 1, 9]
    assert (made.alone(0, 3), made.alone(0, 4)) == (3, 3)
    assert [entry.position for entry in made.exempt(4, 8)] == [4]
    assert list(made.leave_out(iter([(0, 10)]))) == [(0, 4), (5, 10)]
    assert (made.get(4), len(made), made.alone(4, 2)) == (None, 3, 2)
    made.put_back(made.exempted.pop())
    assert (made.get(4), made.pop(3), made.pop(3)) == (Entry(4, None, 1), Entry(3, None, 1), None)


def test_what_arrives_delayed_is_left_out_too_and_what_was_read_is_forgotten() -> None:
    made = resumed({3, 8}, with_keys=False)
    made.leave_out_later(range(10, 12), 5)
    assert (made.among(0, 99), list(made.leave_out(iter([(5, 13)])))) == ([8, 10, 11], [(5, 8), (9, 10), (12, 13)])
    kept = resumed({3}, with_keys=True)
    kept.leave_out_later(range(10, 12), 5)
    assert kept.among(0, 99) == [3, 10, 11], "one is still to come in turn"
