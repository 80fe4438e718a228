"""How many jobs are claimed before a worker asks for them."""

from __future__ import annotations

from hub.job_database.pace import FIRST_CLAIM, MOST_AHEAD, MOST_BYTES, Pace


def test_at_first_as_many_as_workers_ask_for() -> None:
    pace = Pace(0.0)
    assert (pace.wanted(3, 0), pace.wanted(3, 1), pace.wanted(3, 3), pace.wanted(0, 0)) == (3, 2, 0, 0)


def test_slow_workers_claim_nothing_ahead() -> None:
    pace = Pace(0.0)
    pace.arrive(1, 10, 0.0)
    pace.deliver(1)
    pace.arrive(1, 10, 10.0)
    assert (pace.wanted(0, 0), pace.wanted(2, 0)) == (0, 2)


def test_fast_ones_claim_a_tenth_of_a_second_ahead_and_anew_when_half_of_it_is_left() -> None:
    pace = Pace(0.0)
    pace.deliver(1000)
    pace.arrive(10, 100, 1.0)
    assert pace.wanted(5, 0) == 105
    assert (pace.wanted(0, 50), pace.wanted(0, 49)) == (0, 51)


def test_the_number_is_bounded() -> None:
    pace = Pace(0.0)
    assert pace.wanted(5000, 0) == FIRST_CLAIM
    pace.deliver(10**9)
    pace.arrive(10, 100, 1.0)
    assert pace.wanted(0, 0) == MOST_AHEAD


def test_large_bodies_are_few_at_a_time_as_soon_as_one_was_seen() -> None:
    pace = Pace(0.0)
    pace.arrive(1, MOST_BYTES // 4, 0.0)
    assert pace.wanted(100, 0) == 4
    pace.arrive(1, 4 * MOST_BYTES, 0.0)
    assert pace.wanted(100, 0) == 1
    for _ in range(200):
        pace.arrive(1, 10, 0.0)
    assert pace.wanted(100, 0) == 100
