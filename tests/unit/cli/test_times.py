"""Times to come, as people type them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click
import pytest

from hub.cli.times import all_clear, caught_up, clock_time, later
from hub.stats import words

NOW = datetime(2026, 11, 21, 10, 5).timestamp()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1h", datetime(2026, 11, 21, 11, 5)),
        ("1h30m", datetime(2026, 11, 21, 11, 35)),
        (" 14:30 ", datetime(2026, 11, 21, 14, 30)),
        ("10:06:30", datetime(2026, 11, 21, 10, 6, 30)),
        ("10:05", datetime(2026, 11, 22, 10, 5)),
        ("08:00", datetime(2026, 11, 22, 8, 0)),
        ("2026-11-30", datetime(2026, 11, 30)),
        ("2026-11-21T14:30", datetime(2026, 11, 21, 14, 30)),
    ],
)
def test_a_moment_is_after_a_while_at_the_next_such_time_or_at_a_date(text: str, moment: datetime) -> None:
    assert later(text, NOW) == moment.timestamp()


def test_a_date_may_say_its_zone() -> None:
    zoned = datetime.fromisoformat("2026-12-01T00:00+02:00")
    assert later("2026-12-01T00:00+02:00", NOW) == zoned.timestamp()


@pytest.mark.parametrize(
    "text", ["", "soon", "25:00", "5", "-1h", "0s", "2026-11-20", "2026-11-21T10:05", "9" * 400 + "d"]
)
def test_what_is_no_moment_to_come_is_wrong_use(text: str) -> None:
    with pytest.raises(click.UsageError):
        later(text, NOW)


def test_a_moment_that_is_not_today_is_shown_with_its_date() -> None:
    assert clock_time(NOW + 60, NOW) == "10:06:00"
    assert clock_time(later("09:00", NOW), NOW) == "2026-11-22 09:00"
    assert clock_time(NOW - timedelta(hours=12).total_seconds(), NOW) == "2026-11-20 22:05"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "in 3m 20s, 10:08:20"),
        ({"catch_up_seconds": 86400.0}, "in 1d, 2026-11-22 10:05"),
        ({"catch_up_estimated": True}, "~in 3m 20s, 10:08:20"),
        ({"trend": "falling_behind", "catch_up_seconds": None}, "falling behind by 20.0/s"),
        (
            {"trend": "falling_behind", "catch_up_seconds": None, "catch_up_alone_seconds": 64.0},
            "falling behind by 20.0/s, 1m 4s of work waiting",
        ),
        ({"trend": "steady", "catch_up_seconds": None}, "holding steady"),
        ({"trend": "unknown", "catch_up_seconds": None}, "not known"),
        ({"trend": "idle", "backlog": 0, "catch_up_seconds": 0.0}, "now"),
        ({"paused": True, "paused_until": NOW + 60}, "paused, not before 10:06:00"),
        ({"paused": True}, "paused until resumed"),
    ],
)
def test_the_time_to_catch_up_is_said_or_why_there_is_none(changes: dict[str, Any], said: str) -> None:
    known = {"trend": "catching_up", "backlog": 10, "catch_up_seconds": 200.0, "catch_up_estimated": False}
    row = {**known, "rate_in": 30.0, "rate_out": 10.0, **changes}
    if (seconds := row["catch_up_seconds"]) is not None:
        row["catch_up_at"] = NOW + seconds
    clear = words.caught_up(row)
    told = {**row, "caught_up": clear.text, "caught_up_detail": clear.detail}
    assert caught_up(told, NOW) == said
    assert caught_up(row, NOW) == said, "of a hub of an earlier version, which tells the numbers only"


def test_the_words_of_the_hub_are_shown_as_they_are() -> None:
    assert caught_up({"backlog": 3, "caught_up": "some day", "caught_up_detail": "perhaps"}, NOW) == "some day perhaps"
    told = {"text": "some day", "detail": "b and 2 more", "at": NOW + 60}
    assert all_clear(told, NOW) == "caught up: some day, 10:06:00 (b and 2 more)"


@pytest.mark.parametrize("moment", [1e13, -1e13, 1e300])
def test_a_moment_beyond_all_calendars_is_shown_in_seconds(moment: float) -> None:
    assert clock_time(moment, NOW) == f"{moment:.0f} s after 1970"
