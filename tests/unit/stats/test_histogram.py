"""The histogram's percentiles."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.stats.histogram import BOUNDS, Histogram, coarse, fine, merge, percentiles, shares

TIMES = st.lists(st.floats(BOUNDS[0], BOUNDS[-1], exclude_max=True), min_size=1, max_size=60)


@given(TIMES, st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_right_within_a_tenth(times: list[float], share: float) -> None:
    histogram = Histogram()
    for seconds in times:
        histogram.add(seconds)
    (found,) = percentiles(histogram.counts, [share])
    assert found == pytest.approx(sorted(times)[math.ceil(share * len(times)) - 1], rel=0.1)


@given(st.lists(TIMES, min_size=1, max_size=4))
def test_merged_histograms_say_what_one_would(parts: list[list[float]]) -> None:
    histograms, one = [Histogram() for _ in parts], Histogram()
    for histogram, times in zip(histograms, parts, strict=True):
        for seconds in times:
            histogram.add(seconds)
            one.add(seconds)
    assert merge(histograms) == one.counts


def test_nothing_counted_is_not_zero_but_unknown() -> None:
    assert percentiles(Histogram().counts, [0.5, 0.99]) == [None, None]


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 1e-9])
def test_less_than_the_first_bound_is_the_first_bound_at_most(seconds: float) -> None:
    histogram = Histogram()
    histogram.add(seconds)
    (found,) = percentiles(histogram.counts, [0.5])
    assert found is not None
    assert 0 < found <= BOUNDS[0]


def test_more_than_the_last_bound_is_the_last_bound() -> None:
    histogram = Histogram()
    histogram.add(1e9)
    assert percentiles(histogram.counts, [0.5]) == [BOUNDS[-1]]


def test_fewer_buckets_hold_the_same() -> None:
    histogram = Histogram()
    times = [1e-7, 1e-6, 3e-6, 5e-6, 0.02, 1.0, 2000.0]
    for seconds in times:
        histogram.add(seconds)
    bounds, counts = coarse(histogram.counts)
    assert len(counts) == len(bounds) + 1
    edges = [0.0, *bounds, float("inf")]
    assert counts == [sum(low <= seconds < high for seconds in times) for low, high in pairwise(edges)]


def test_the_fine_ones_are_those_that_hold_something() -> None:
    histogram = Histogram()
    histogram.add(0.001, 3)
    histogram.add(2.0)
    found = fine(histogram.counts)
    assert [count for _, count in found] == [3, 1]
    assert [seconds for seconds, _ in found] == pytest.approx([0.001, 2.0], rel=0.1)


def test_the_shares_are_named() -> None:
    histogram = Histogram()
    for seconds, count in [(0.01, 90), (0.1, 8), (1.0, 2)]:
        histogram.add(seconds, count)
    found = dict(shares(histogram.counts))
    assert found == {
        name: pytest.approx(seconds, rel=0.1) for name, seconds in {"p50": 0.01, "p95": 0.1, "p99": 1.0}.items()
    }
    assert shares([0] * 121) == {"p50": None, "p95": None, "p99": None}
