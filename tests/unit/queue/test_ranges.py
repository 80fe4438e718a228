"""Ranges of positions against sets of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.queue.ranges import COMPACT_AT, Ranges


def made(lengths: list[int]) -> tuple[Ranges, set[int]]:
    """Ranges that are in turn there and not."""
    ranges, held, at = Ranges(), set[int](), 0
    for number, length in enumerate(lengths):
        if number % 2 == 0 and length:
            ranges.add(at, at + length)
            held |= {*range(at, at + length)}
        at += length
    return ranges, held


@given(st.lists(st.integers(0, 4)), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_they_are_the_positions_that_were_added_and_not_dropped(
    lengths: list[int], dropped: int, start: int, stop: int
) -> None:
    ranges, held = made(lengths)
    assert [at for first, after in ranges for at in range(first, after)] == sorted(held)
    ranges.drop_below(dropped)
    held = {at for at in held if at >= dropped}
    assert (ranges.count, bool(ranges)) == (len(held), bool(held))
    if held:
        assert ranges.first == min(held)
    wanted = {*range(start, stop)}
    assert [at for first, after in ranges.among(start, stop) for at in range(first, after)] == sorted(held & wanted)
    left = ranges.leave_out(iter([(start, stop)] if start < stop else []))
    assert [at for first, after in left for at in range(first, after)] == sorted(wanted - held)
    assert ranges.after(start) == next(at for at in range(start, 1000) if at not in held)


def test_neighbours_are_one_range_and_room_is_freed() -> None:
    ranges = Ranges()
    for start in range(0, 10 * COMPACT_AT, 2):
        ranges.add(start, start + 1)
    ranges.add(10 * COMPACT_AT - 1, 10 * COMPACT_AT)
    assert len(ranges) == 5 * COMPACT_AT
    for position in range(0, 10 * COMPACT_AT, 8):
        ranges.drop_below(position)
    assert len(ranges._starts) < 2 * COMPACT_AT
    end = 10 * COMPACT_AT
    assert list(ranges) == [(end - 8, end - 7), (end - 6, end - 5), (end - 4, end - 3), (end - 2, end)]
