"""When cron entries run, in many zones, through both changes of a year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.jobs.schedule import CronSchedule

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
NIGHT = "30 2 * * *"
TWICE = "0,30 2 * * *"
OFTEN = "*/20 * * * *"
HOUR = "*/5 2 * * *"
EVEN = "30 */2 * * *"
QUARTER = "15 * * * *"

YEARS = [
    # A zone, its day with a gap, its day with a repeat, and for each line the runs of the year and of those two days.
    ("Europe/Berlin", "2025-03-30", "2025-10-26", {
        NIGHT: (365, 1, 1), TWICE: (2 * 365 - 1, 1, 2), "@daily": (365, 1, 1), "@hourly": (8760, 23, 25),
        OFTEN: (3 * 8760, 69, 75), HOUR: (12 * 365 - 11 + 12, 1, 24), EVEN: (12 * 365 + 1, 12, 13),
        QUARTER: (8760, 23, 25),
    }),
    ("America/New_York", "2025-03-09", "2025-11-02", {
        NIGHT: (365, 1, 1), "30 1 * * *": (365, 1, 1), TWICE: (2 * 365 - 1, 1, 2), "@hourly": (8760, 23, 25),
        OFTEN: (3 * 8760, 69, 75), HOUR: (12 * 365 - 11, 1, 12), EVEN: (12 * 365, 12, 12), QUARTER: (8760, 23, 25),
    }),
    ("Australia/Lord_Howe", "2025-10-05", "2025-04-06", {
        "15 2 * * *": (365, 1, 1), "45 1 * * *": (365, 1, 1), "0,15 2 * * *": (2 * 365 - 1, 1, 2),
        "@hourly": (8760, 24, 24), OFTEN: (3 * 8760, 71, 73), HOUR: (12 * 365 - 6, 6, 12), QUARTER: (8760, 24, 24),
        "45 * * * *": (8761, 24, 25),
    }),
    ("Africa/Casablanca", "2025-04-06", "2025-02-23", {
        NIGHT: (365, 1, 1), TWICE: (2 * 365 - 1, 1, 2), OFTEN: (3 * 8760, 69, 75), HOUR: (12 * 365 - 11 + 12, 1, 24),
    }),
    ("Asia/Tehran", "2025-03-21", "2025-09-21", {
        NIGHT: (365, 1, 1), TWICE: (2 * 365, 2, 2), OFTEN: (3 * 8760, 72, 72), HOUR: (12 * 365, 12, 12),
        EVEN: (12 * 365, 12, 12),
    }),
    ("Asia/Kolkata", "2025-03-30", "2025-10-26", {NIGHT: (365, 1, 1), OFTEN: (3 * 8760, 72, 72)}),
    ("America/Sao_Paulo", "2018-11-04", "2018-02-17", {
        "@daily": (365, 1, 1), "0,30 0 * * *": (2 * 365 - 1, 1, 2), "30 23 * * *": (365, 1, 1),
        "@hourly": (8760, 23, 25), OFTEN: (3 * 8760, 69, 75), EVEN: (12 * 365, 12, 12),
        "0 */12 * * *": (2 * 365, 2, 2), "0 */23 * * *": (2 * 365 + 1, 2, 3),
    }),
    ("Pacific/Apia", "2011-09-24", "2011-04-02", {
        "30 3 * * *": (365, 1, 1), "@daily": (364, 1, 1), "@hourly": (8736, 23, 25), OFTEN: (3 * 8736, 69, 75),
    }),
    ("Pacific/Apia", "2011-12-31", "2011-12-29", {
        "0 12 * * *": (365, 2, 1), "0 6,18 * * *": (2 * 364 + 1, 3, 2), "*/5 12 * * *": (12 * 364, 12, 12),
        "0 9 30 * *": (11, 1, 0),
    }),
]  # fmt: skip
ROWS = [
    pytest.param(zone, gap, repeat, line, counts, id=f"{zone} {line}")
    for zone, gap, repeat, lines in YEARS
    for line, counts in lines.items()
]


def between(schedule: CronSchedule, start: date, end: date) -> list[datetime]:
    """The runs of local days, with the time of the zone."""
    zone = ZoneInfo(schedule.zone)
    first, last = (datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) for day in (start, end))
    return [slot.astimezone(zone) for slot in schedule.slots(first - SECOND, last - SECOND)]


def on(day: str, line: str, zone: str) -> list[str]:
    start = date.fromisoformat(day)
    return [f"{slot:%H:%M%z}" for slot in between(CronSchedule(line, zone), start, start + DAY)]


@pytest.mark.parametrize(("zone", "gap", "repeat", "line", "counts"), ROWS)
def test_the_runs_of_a_year(zone: str, gap: str, repeat: str, line: str, counts: tuple[int, int, int]) -> None:
    year = date.fromisoformat(gap).year
    runs = between(CronSchedule(line, zone), date(year, 1, 1), date(year + 1, 1, 1))
    assert (len(runs), len(on(gap, line, zone)), len(on(repeat, line, zone))) == counts


@pytest.mark.parametrize(
    ("zone", "day", "line", "runs"),
    [
        ("Europe/Berlin", "2025-03-30", NIGHT, "03:00+0200"),
        ("Europe/Berlin", "2025-03-30", TWICE, "03:00+0200"),
        ("Europe/Berlin", "2025-03-30", "0 2,3 * * *", "03:00+0200"),
        ("Europe/Berlin", "2025-03-30", "30 1-3 * * *", "01:30+0100 03:00+0200 03:30+0200"),
        ("Europe/Berlin", "2025-03-30", HOUR, "03:00+0200"),
        ("Europe/Berlin", "2025-03-30", "30 */8 * * *", "00:30+0100 08:30+0200 16:30+0200"),
        ("Europe/Berlin", "2025-03-30", "30 2/11 * * *", "03:00+0200 13:30+0200"),
        ("Europe/Berlin", "2025-10-26", TWICE, "02:00+0200 02:30+0200"),
        ("Europe/Berlin", "2025-10-26", "30 2/11 * * *", "02:30+0200 02:30+0100 13:30+0100"),
        ("Europe/Berlin", "2025-10-26", "40-59/10 1-3/2 * * *", "01:40+0200 01:50+0200 03:40+0100 03:50+0100"),
        ("Europe/Berlin", "2025-10-26", "*/30 2 * * *", "02:00+0200 02:30+0200 02:00+0100 02:30+0100"),
        ("Europe/Berlin", "2025-10-26", "30 0-3/1 * * *", "00:30+0200 01:30+0200 02:30+0200 02:30+0100 03:30+0100"),
        ("Australia/Lord_Howe", "2025-10-05", "15 2 * * *", "02:30+1100"),
        ("Australia/Lord_Howe", "2025-10-05", "15 0-3/1 * * *", "00:15+1030 01:15+1030 02:30+1100 03:15+1100"),
        ("Australia/Lord_Howe", "2025-10-05", "*/20 2 * * *", "02:30+1100 02:40+1100"),
        ("Australia/Lord_Howe", "2025-10-05", "*/15 2 * * *", "02:30+1100 02:45+1100"),
        ("Australia/Lord_Howe", "2025-04-06", "45 0-2/1 * * *", "00:45+1100 01:45+1100 01:45+1030 02:45+1030"),
        ("America/Sao_Paulo", "2018-11-04", "@daily", "01:00-0200"),
        ("America/Sao_Paulo", "2018-11-04", "* 0 * * *", "01:00-0200"),
        ("America/Sao_Paulo", "2018-02-17", "*/30 23 * * *", "23:00-0200 23:30-0200 23:00-0300 23:30-0300"),
        ("Pacific/Apia", "2011-12-31", "0 6,18 30 * *", "00:00+1400"),
        ("Pacific/Apia", "2011-12-31", "0 */12 * * *", "00:00+1400 12:00+1400"),
        ("Antarctica/Troll", "2025-03-30", "30 1,2 * * *", "03:00+0200"),
        ("Antarctica/Troll", "2025-03-30", "30 1/22 * * *", "03:00+0200 23:30+0200"),
    ],
)
def test_the_runs_of_a_day(zone: str, day: str, line: str, runs: str) -> None:
    assert on(day, line, zone) == runs.split()


@pytest.mark.parametrize("line", [OFTEN, NIGHT, TWICE, EVEN, "* * * * *"])
@pytest.mark.parametrize(("zone", "day"), [("Europe/Berlin", "2025-03-30"), ("Europe/Berlin", "2025-10-26")])
def test_a_window_may_begin_at_any_time_of_a_change(zone: str, day: str, line: str) -> None:
    schedule = CronSchedule(line, zone)
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
    whole = list(schedule.slots(midnight - DAY, midnight + 4 * 60 * MINUTE))
    for start in (midnight + n * 150 * SECOND for n in range(-24, 72)):
        assert list(schedule.slots(start, whole[-1])) == [slot for slot in whole if slot > start]


def test_no_gap_makes_an_interval_longer_than_the_lines_own() -> None:
    for zone, line, longest in [
        ("Europe/Berlin", OFTEN, 20), ("Europe/Berlin", EVEN, 120), ("Australia/Lord_Howe", OFTEN, 20),
        ("Australia/Lord_Howe", QUARTER, 60), ("Antarctica/Troll", "30 */2 * * *", 120),
    ]:  # fmt: skip
        schedule = CronSchedule(line, zone)
        gap = "2025-10-05" if zone == "Australia/Lord_Howe" else "2025-03-30"
        runs = between(schedule, date.fromisoformat(gap) - DAY, date.fromisoformat(gap) + 2 * DAY)
        assert max(later.astimezone(UTC) - run.astimezone(UTC) for run, later in pairwise(runs)) == longest * MINUTE


# What cronsim does.


def cronsims(line: str, zone: str, after: datetime, until: datetime) -> list[datetime]:
    found = []
    for run in CronSim(line, after.astimezone(ZoneInfo(zone))):
        if run.astimezone(UTC) > until:
            break
        found.append(run.astimezone(UTC))
    return found


FIXED = [NIGHT, TWICE, "0 0 * * *", "30 23 * * SUN", "15,45 1-3 * * *", "0 3 L * *", "45 1 * * *"]


@pytest.mark.parametrize(("zone", "gap"), [(zone, gap) for zone, gap, _, _ in YEARS])
@pytest.mark.parametrize("line", FIXED)
def test_at_a_time_of_the_day_the_rule_is_cronsims(line: str, zone: str, gap: str) -> None:
    start = datetime(int(gap[:4]), 1, 1, tzinfo=UTC)
    end = start + 365 * DAY
    assert list(CronSchedule(line, zone).slots(start, end)) == cronsims(line, zone, start, end)


@pytest.mark.parametrize(
    ("line", "zone", "more"),
    [
        (OFTEN, "Europe/Berlin", []),
        ("0 * * * *", "America/New_York", []),
        ("0/10 0-23 * * *", "Europe/Berlin", [f"2025-10-26T01:{minute:02}" for minute in range(0, 60, 10)]),
        (HOUR, "Europe/Berlin", ["2025-03-30T01:00"]),
        (EVEN, "Europe/Berlin", ["2025-03-30T01:00"]),
        (QUARTER, "Australia/Lord_Howe", ["2025-10-04T15:30"]),
        ("45 * * * *", "Australia/Lord_Howe", ["2025-04-05T15:15", "2025-10-04T15:45"]),
    ],
)
def test_what_cronsim_leaves_out_by_real_time(line: str, zone: str, more: list[str]) -> None:
    ours, theirs = set(), set()
    for month in (3, 4, 10, 11):
        start = datetime(2025, month, 1, tzinfo=UTC)
        ours |= set(CronSchedule(line, zone).slots(start, start + 30 * DAY))
        theirs |= set(cronsims(line, zone, start, start + 30 * DAY))
    assert [f"{slot:%Y-%m-%dT%H:%M}" for slot in sorted(ours - theirs)] == more
    assert theirs <= ours


def test_cronsim_returns_times_that_the_clocks_skip() -> None:
    """Why it is given no zone."""
    zone = ZoneInfo("Pacific/Apia")
    run = next(CronSim("0 * 30 12 *", datetime(2011, 12, 29, 20, 30, tzinfo=zone)))
    assert (run.day, run.astimezone(UTC).astimezone(zone).day) == (30, 31)


# Any line, any window.

MINUTES = ("*", "*/5", "*/20", "0", "30", "15", "45", "0,30", "7-50/9", "0/10", "10-20")
HOURS = ("*", "*/2", "1-3", "2", "0", "3", "0-23", "23", "*/6", "1", "0,2", "2/3")
LINES = st.builds(
    " ".join,
    st.tuples(
        st.sampled_from(MINUTES), st.sampled_from(HOURS), st.sampled_from(("*", "*", "1-15", "L", "*/2")),
        st.just("*"), st.sampled_from(("*", "*", "SUN", "SAT,SUN", "0L")),
    ),
)  # fmt: skip
CHANGES = [
    ("Europe/Berlin", "2025-03-30"), ("Europe/Berlin", "2025-10-26"), ("America/New_York", "2025-11-02"),
    ("Australia/Lord_Howe", "2025-10-05"), ("Australia/Lord_Howe", "2025-04-06"), ("Africa/Casablanca", "2025-04-06"),
    ("America/Sao_Paulo", "2018-11-04"), ("America/Sao_Paulo", "2018-02-18"), ("Pacific/Apia", "2011-12-31"),
    ("Antarctica/Troll", "2025-03-30"), ("Antarctica/Troll", "2025-10-26"), ("America/Caracas", "2007-12-09"),
    ("Asia/Pyongyang", "2015-08-15"), ("America/Havana", "2025-11-02"), ("Asia/Tehran", "2025-03-21"),
]  # fmt: skip


@st.composite
def windows(draw: st.DrawFn) -> tuple[CronSchedule, datetime, datetime]:
    """A schedule, and a window about a change of its zone's clocks."""
    zone, day = draw(st.sampled_from(CHANGES))
    change = datetime.fromisoformat(day).replace(tzinfo=UTC)
    start, length = draw(st.integers(-2 * 86400, 86400)), draw(st.integers(0, 3 * 86400))
    return CronSchedule(draw(LINES), zone), change + start * SECOND, change + (start + length) * SECOND


def walls(line: str, start: datetime, end: datetime) -> Iterator[datetime]:
    """The times of a line, on a clock without zone."""
    for wall in CronSim(line, start.replace(tzinfo=None, second=0) - 2 * DAY):
        if wall > end.replace(tzinfo=None) + 2 * DAY:
            return
        yield wall


def expected(schedule: CronSchedule, start: datetime, end: datetime) -> Iterator[datetime]:
    """The rule, minute by minute."""
    zone = ZoneInfo(schedule.zone)
    named = set(walls(schedule.line, start, end))
    by_real_time = any(sign in "".join(schedule.line.split()[:2]) for sign in "*/") or " 0-23 " in schedule.line
    shown: set[datetime] = set()
    now = start.replace(second=0) - DAY - 3 * MINUTE
    before = now.astimezone(zone).replace(tzinfo=None)
    while now < end:
        now += MINUTE
        wall = now.astimezone(zone).replace(tzinfo=None)
        skipped = sorted(named & {before + MINUTE * n for n in range(1, (wall - before) // MINUTE)})
        runs = wall in named and (by_real_time or wall not in shown)
        if skipped and by_real_time:
            late = skipped[0] - before - MINUTE
            runs = runs or not any(wall + MINUTE * n in named for n in range(late // MINUTE + 1))
        if (runs or (skipped and not by_real_time)) and start < now <= end:
            yield now
        shown.add(wall)
        before = wall


@settings(deadline=None)
@given(windows())
def test_the_slots_are_those_of_the_rule(window: tuple[CronSchedule, datetime, datetime]) -> None:
    schedule, start, end = window
    slots = list(schedule.slots(start, end))
    assert slots == list(expected(schedule, start, end))
    assert all(slot < later for slot, later in pairwise(slots))


@settings(deadline=None)
@given(windows(), st.floats(0, 1))
def test_two_windows_that_meet_are_the_whole(window: tuple[CronSchedule, datetime, datetime], part: float) -> None:
    schedule, start, end = window
    middle = start + (end - start) * part
    assert [*schedule.slots(start, middle), *schedule.slots(middle, end)] == list(schedule.slots(start, end))


@settings(deadline=None)
@given(windows())
def test_the_next_slot_is_the_first(window: tuple[CronSchedule, datetime, datetime]) -> None:
    schedule, start, end = window
    assert next(schedule.slots(start, end), None) in (schedule.next_slot(start), None)
    assert schedule.next_slot(start) > start
