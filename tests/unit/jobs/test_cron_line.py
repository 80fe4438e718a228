"""The line of a cron entry."""

from __future__ import annotations

import pickle
import sys
from datetime import datetime
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import MissingExtra
from hub.jobs.cron_line import FIELDS, LONGEST, NICKNAMES, BadSchedule, CronLine

START = datetime(2026, 3, 1, 3, 4, 59)


def walls(line: str, count: int) -> list[str]:
    return [f"{wall:%m-%d %H:%M}" for wall in islice(CronLine(line).walls(START), count)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("* * * * *", ["03-01 03:04", "03-01 03:05"]),
        ("4 3 * * *", ["03-01 03:04", "03-02 03:04"]),
        ("3 3 * * *", ["03-02 03:03", "03-03 03:03"]),
        ("\t0,30  2-3 * * * ", ["03-01 03:30", "03-02 02:00", "03-02 02:30", "03-02 03:00"]),
        ("0 0 L feb-apr *", ["03-31 00:00", "04-30 00:00"]),
        ("0 0 LW * *", ["03-31 00:00", "04-30 00:00", "05-29 00:00"]),
        ("0 0 * * Mon#2", ["03-09 00:00", "04-13 00:00"]),
        ("0 0 * * 5L", ["03-27 00:00", "04-24 00:00"]),
        ("0 0 * * 7", ["03-08 00:00", "03-15 00:00"]),
        ("0 0 13 * 5", ["03-06 00:00", "03-13 00:00", "03-20 00:00"]),
        ("0 0 */13 * 5", ["03-27 00:00", "05-01 00:00"]),
        ("0 0 29 2 *", ["02-29 00:00"]),
        ("@Hourly", ["03-01 04:00", "03-01 05:00"]),
        ("@yearly", ["01-01 00:00"]),
    ],
)
def test_the_times_that_it_names(line: str, expected: list[str]) -> None:
    assert walls(line, len(expected)) == expected


def test_each_nickname_is_a_line() -> None:
    assert {name: walls(name, 3) for name in NICKNAMES} == {name: walls(line, 3) for name, line in NICKNAMES.items()}


@pytest.mark.parametrize(
    ("line", "by_real_time"),
    [
        ("30 2 * * *", False),
        ("0,20,40 0,12 */2 * *", False),
        ("0-30 8-17 * * *", False),
        ("@daily", False),
        ("*/20 2 * * *", True),
        ("0 * * * *", True),
        ("0/20 2 * * *", True),
        ("5,*/20 2 * * *", True),
        ("0 8-18/2 * * *", True),
        ("0 0-23 * * *", True),
        ("0-59 2 * * *", True),
        ("@hourly", True),
    ],
)
def test_a_star_or_a_step_or_all_values_mean_every_so_often(line: str, by_real_time: bool) -> None:
    assert CronLine(line).by_real_time is by_real_time


@pytest.mark.parametrize(
    ("line", "field", "told"),
    [
        (
            "60 * * * *",
            "minute",
            "expected the minute to be 0 to 59, or *, or a list, range or step of these, not '60'",
        ),
        ("*/0 * * * *", "minute", "not '*/0'"),
        ("5-1 * * * *", "minute", "not '5-1'"),
        (",1 * * * *", "minute", "not ',1'"),
        ("* 24 * * *", "hour", "to be 0 to 23"),
        ("* * 0 * *", "day of month", "to be 1 to 31, L (the last day) or LW (the last weekday)"),
        ("* * * 13 *", "month", "JAN to DEC"),
        ("* * * * MOON", "day of week", "not 'MOON': '* * * * MOON'"),
        ("* * * * L", "day of week", "0L to 7L (the last)"),
        ("0 0 30 2 *", "day of month", "no day is ever that of the cron line '0 0 30 2 *'"),
        ("0 0 31 4,6,9 *", "day of month", "no day is ever"),
        ("0 0 */30 2 MON#5", "day of month", "no day is ever"),
        ("", "line", "expected the five fields minute, hour, day of month, month, day of week, not 0: ''"),
        ("* * * *", "line", "not 4"),
        ("0 * * * * *", "line", "not 6"),
        ("@reboot", "line", "@hourly, not '@reboot'"),
        ("* * * * \u017fUN", "line", "printable ASCII"),
        ("* * * *\n*", "line", "printable ASCII"),
        ("0," * LONGEST, "line", f"at most {LONGEST} characters, not {2 * LONGEST}: '0,0,"),
    ],
)
def test_an_error_names_the_field(line: str, field: str, told: str) -> None:
    with pytest.raises(BadSchedule) as found:
        CronLine(line)
    assert (found.value.field, told in str(found.value)) == (field, True), found.value
    again = pickle.loads(pickle.dumps(found.value))
    assert (again.field, str(again)) == (field, str(found.value))


def test_without_cronsim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cronsim", None)
    with pytest.raises(MissingExtra, match=r"^A cron line needs an optional library: pip install 'hubbub\[jobs\]'$"):
        CronLine("* * * * *")


TOKENS = st.sampled_from([*"0123456789*/-,#L \t@", "LW", "SUN", "feb", "31", "\u00b2", "\0"])


@given(st.one_of(st.text(max_size=20), st.lists(TOKENS, max_size=24).map("".join)))
def test_any_text_is_a_line_or_an_error_with_a_field(text: str) -> None:
    field, first = "", START
    try:
        first = next(CronLine(text).walls(START))
    except BadSchedule as error:
        field = error.field
    assert field in ("", "line", *FIELDS)
    assert first >= START.replace(second=0)
