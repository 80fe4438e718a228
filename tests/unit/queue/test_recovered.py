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
