"""One queue's numbers over time."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.monitoring.web.ring import TIERS, Ring, Sums, Tier


def test_a_bucket_holds_mean_highest_and_rates() -> None:
    sums = Sums()
    sums.add(Sums(1, 10, 10, 1.0, 4, 2))
    sums.add(Sums(1, 20, 20, 1.0, 0, 6))
    ring = Ring(3)
    ring.put(7, sums)
    assert ring.columns(7, 1) == {"backlog": [15], "backlog_max": [20], "rate_in": [2], "rate_out": [4]}


def test_what_is_not_known_is_none() -> None:
    ring = Ring(3)
    ring.put(7, Sums(1, 5, 5))
    assert ring.columns(6, 3) == {
        "backlog": [None, 5, None],
        "backlog_max": [None, 5, None],
        "rate_in": [None, None, None],
        "rate_out": [None, None, None],
    }


def test_a_copy_stays_as_it_is() -> None:
    ring = Ring(3)
    ring.put(1, Sums(1, 5, 5))
    copy = ring.copy()
    ring.put(1, Sums(1, 6, 6))
    assert copy.columns(1, 1)["backlog"] == [5]


def test_numbers_make_the_same_sums_again() -> None:
    sums = Sums(3, 15, 9, 2.5, 7, 8)
    assert Sums(*sums.numbers()).numbers() == [3, 15, 9, 2.5, 7, 8]


def test_a_queue_takes_as_much_memory_as_is_said() -> None:
    size = sum(len(array("q", [0]) * tier.length) * (8 + 4 * 4) for tier in TIERS)
    assert size == pytest.approx(240_000, rel=0.01)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1000)), max_size=60), st.integers(-5, 45), st.integers(1, 7)
)
def test_whatever_the_clock_does_a_bucket_is_the_last_that_was_put_there_or_a_gap(
    puts: list[tuple[int, int]], first: int, count: int
) -> None:
    """Buckets come in any order; each place remembers the last one it was given."""
    ring, places = Ring(7), {}
    for bucket, backlog in puts:
        ring.put(bucket, Sums(1, backlog, backlog))
        places[bucket % 7] = (bucket, backlog)
    expected = [places[b % 7][1] if places.get(b % 7, (None,))[0] == b else None for b in range(first, first + count)]
    assert ring.columns(first, count)["backlog"] == expected


def test_tiers_say_where_a_moment_belongs() -> None:
    tier = Tier(10, 6)
    assert (tier.bucket(0), tier.bucket(9.9), tier.bucket(10), tier.span) == (0, 0, 1, 60)
