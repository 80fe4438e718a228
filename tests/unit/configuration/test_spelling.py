"""Values as one would write them."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.configuration.spelling import exact_duration, exact_size, shown
from hub.settings import LARGEST, LONGEST
from hub.units import parse_duration, parse_size


@given(st.floats(0, LONGEST) | st.integers(0, int(LONGEST)).map(float) | st.integers(0, 10**10).map(lambda n: n / 1e6))
def test_a_duration_is_read_again_exactly(seconds: float) -> None:
    assert parse_duration(exact_duration(seconds)) == seconds


@given(st.integers(0, LARGEST) | st.integers(0, 1 << 20).map(lambda n: n << 20))
def test_a_size_is_read_again_exactly(count: int) -> None:
    assert parse_size(exact_size(count)) == count


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (5e-4, "500us"),
        (0.0015, "1500us"),
        (0.25, "250ms"),
        (1.5, "1.5s"),
        (90, "1m30s"),
        (4000, "1h6m40s"),
        (86400, "1d"),
        (1e-9, "0.000000001s"),
    ],
)
def test_durations_are_written_shortly(seconds: float, text: str) -> None:
    assert exact_duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0B"), (1500, "1500B"), (1536, "1536B"), (8192, "8KiB"), (3 << 30, "3GiB")]
)
def test_sizes_are_written_shortly(count: int, text: str) -> None:
    assert exact_size(count) == text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a", "'a'"),
        ("a\nb", r"'a\nb'"),
        ("x" * 100, f"'{'x' * 60}'..."),
        (True, "true"),
        (1.5, "1.5"),
        (1 << 200, "so large a number"),
        ([1], "a list"),
        ({"a": 1}, "a table"),
        (datetime.date(1979, 5, 27), "1979-05-27"),
    ],
)
def test_what_was_found_is_shown_in_a_few_words(value: object, words: str) -> None:
    assert shown(value) == words
