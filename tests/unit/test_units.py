"""Durations and sizes as people write them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cli.top.columns import COLUMNS, MORE
from hub.status.catalogue import metric_of
from hub.units import format_duration, format_size, parse_duration, parse_size
from tests.support import ROOT


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("30s", 30),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("2d", 172800),
        (5, 5),
        (0.5, 0.5),
        ("500us", 5e-4),
        (timedelta(minutes=1, milliseconds=500), 60.5),
    ],
)
def test_durations_are_read(text: object, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    ["", "5", "5 parsecs", "-5s", "s5", -1, float("nan"), float("inf"), True, None, [], timedelta(seconds=-1)],
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "count"), [("8MiB", 8 << 20), ("64KiB", 65536), ("1.5kB", 1500), (7, 7), ("10 B", 10)]
)
def test_sizes_are_read(text: object, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "8", "8 mb", -1, 1.5, True, None])
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (5e-4, "500us"),
        (0.25, "250ms"),
        (1.5, "1.5s"),
        (42, "42s"),
        (4000, "1h 6m"),
        (90000, "1d 1h"),
        (60, "1m"),
    ],
)
def test_durations_are_written(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0B"), (1023, "1023B"), (1536, "1.5KiB"), (8 << 20, "8MiB"), (3 << 40, "3TiB")]
)
def test_sizes_are_written(count: int, text: str) -> None:
    assert format_size(count) == text


@given(st.integers(0, 10**7))
def test_what_is_written_can_be_read_again(seconds: int) -> None:
    """Two units are kept: what is lost is less than the smaller one."""
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=1 / 24, abs=0.5)


SHOWN = json.loads(Path(__file__).with_name("shown.json").read_text(encoding="utf-8"))
"""Cases that the page's words.test.mjs has too: the page and the command show the same."""


def test_the_command_shows_what_the_page_does() -> None:
    assert [[value, format_duration(value)] for value, _ in SHOWN["duration"]] == SHOWN["duration"]
    assert [[value, format_size(value)] for value, _ in SHOWN["size"]] == SHOWN["size"]
    assert [[value, f"{value:.0%}"] for value, _ in SHOWN["share"]] == SHOWN["share"]
    assert [[value, f"{value:.1f}"] for value, _ in SHOWN["rate"]] == SHOWN["rate"]


def test_the_page_and_the_command_have_the_same_words_for_their_columns() -> None:
    text = (ROOT / "monitoring/web/static/js/model/order.js").read_text(encoding="utf-8")
    page = {label.lower() for label in re.findall(r"label: '([^']+)'", text)}
    keys = re.findall(r"number\('(\w+)'|metric: '(\w+)'", text)  # with the catalogue's title
    page |= {metric_of("consumers", number or metric).title.lower() for number, metric in keys}
    elsewhere = {
        "last minutes",
        "caught up",
        "p99",
        "failed",
        "dropped",
        "readers",
    }  # of another length, or not in the page's table
    assert {column.heading for column in (*COLUMNS, *MORE)} - elsewhere <= page
