"""What is due of a cron entry, whatever the machine's clock does; and bad input."""

from __future__ import annotations

import sys
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import MissingExtra
from hub.jobs.cron_line import BadSchedule
from hub.jobs.schedule import LONGEST_STEP, MOST_COUNTED, CatchUp, CronSchedule, Due
from tests.unit.jobs.test_schedule import DAY, MINUTE, NIGHT, on, windows

NOON = datetime(2027, 6, 1, 12, 0, 5, tzinfo=UTC)


def hourly() -> CronSchedule:
    return CronSchedule("@hourly", "UTC")


def at(*hours: int) -> tuple[datetime, ...]:
    return tuple(NOON.replace(hour=hour, second=0) for hour in hours)


@pytest.mark.parametrize("catch_up", ["all", "last", "none"])
def test_in_time_each_slot_runs_once(catch_up: CatchUp) -> None:
    runs: list[datetime] = []
    now = last = at(10)[0]
    while now < NOON:
        now += timedelta(seconds=41)
        due = hourly().due(last, now, catch_up)
        runs += due.slots
        last = due.last
        assert due.skipped == 0
    assert (tuple(runs), last) == (at(11, 12), at(12)[0])


def test_a_clock_that_steps_back_runs_nothing_twice() -> None:
    runs: list[datetime] = []
    schedule, (last,) = hourly(), at(9)
    for now in (*at(10, 11), NOON - 90 * MINUTE, *at(9, 10, 11), NOON):
        due = schedule.due(last, now)
        assert due.last >= last
        runs += due.slots
        last = due.last
    assert tuple(runs) == at(10, 11, 12)


def test_a_clock_that_was_years_ahead_does_not_leave_the_entry_at_rest() -> None:
    schedule, now = hourly(), NOON + 2 * MINUTE
    ahead = schedule.due(now + LONGEST_STEP, now)
    assert (ahead.slots, ahead.last) == ((), now + LONGEST_STEP)
    due = schedule.due(now + 1000 * LONGEST_STEP, now, "all")
    assert (due.slots, due.skipped, due.last) == ((), 0, now)
    assert schedule.due(due.last, NOON + 60 * MINUTE, "all").slots == at(13)


@pytest.mark.parametrize(
    ("catch_up", "now", "slots", "skipped"),
    [
        ("all", NOON, (9, 10, 11, 12), 0),
        ("last", NOON, (12,), 3),
        ("none", NOON, (12,), 3),
        ("all", NOON + 2 * MINUTE, (9, 10, 11, 12), 0),
        ("last", NOON + 2 * MINUTE, (12,), 3),
        ("none", NOON + 2 * MINUTE, (), 4),
    ],
)
def test_after_time_away_what_was_missed(
    catch_up: CatchUp, now: datetime, slots: tuple[int, ...], skipped: int
) -> None:
    assert hourly().due(at(8)[0], now, catch_up) == Due(at(*slots), skipped, at(12)[0])
    assert hourly().due(at(12)[0], now, catch_up) == Due((), 0, at(12)[0])


def test_all_that_are_in_time_run_even_if_only_the_last_missed_one_does() -> None:
    schedule = CronSchedule("* * * * *", "UTC")
    due = schedule.due(NOON - 10 * MINUTE, NOON, "last", grace=150)
    assert (due.slots, due.skipped) == (tuple(at(12)[0] - n * MINUTE for n in (2, 1, 0)), 7)


def test_a_slot_is_missed_when_it_is_older_than_the_grace() -> None:
    assert hourly().due(at(11)[0], NOON, "none", grace=5).slots == at(12)
    assert hourly().due(at(11)[0], NOON, "none", grace=4.9).slots == ()


@pytest.mark.parametrize("catch_up", ["all", "last", "none"])
def test_the_slots_of_many_years_are_bounded(catch_up: CatchUp) -> None:
    due = CronSchedule("* * * * *", "Europe/Berlin").due(NOON - 10_000 * DAY, NOON, catch_up, most=50)
    runs = 50 if catch_up == "all" else 1
    assert (len(due.slots), due.slots[-1], due.skipped, due.last) == (runs, at(12)[0], MOST_COUNTED, at(12)[0])


def test_the_newest_are_found_where_most_are_long_ago() -> None:
    schedule = CronSchedule("0 8,9 1 1 *", "Europe/Berlin")
    due = schedule.due(datetime(2020, 6, 1, tzinfo=UTC), NOON, "all", most=3)
    assert [f"{slot:%Y %H}" for slot in due.slots] == ["2026 08", "2027 07", "2027 08"]
    assert due.skipped == 11


@settings(deadline=None)
@given(windows(), st.integers(1, 20))
def test_all_that_is_due_is_run_or_counted(window: tuple[CronSchedule, datetime, datetime], most: int) -> None:
    schedule, start, end = window
    slots = list(schedule.slots(start, end))
    due = schedule.due(start, end, "all", most)
    assert (list(due.slots), due.skipped) == (slots[-most:], min(MOST_COUNTED, max(0, len(slots) - most)))
    assert due.last == (slots[-1] if slots else start)


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("europe/berlin", "expected an IANA time zone such as 'Europe/Berlin', not 'europe/berlin'"),
        ("America/NewYork", "such as 'America/New_York'"),
        ("+02:00", "such as 'Europe/Berlin', not '+02:00'"),
        ("", "not ''"),
        ("Europe", "not 'Europe'"),
        ("zone.tab", "not 'zone.tab'"),
        ("../../etc/passwd", "not '../../etc/passwd'"),
        ("/etc/localtime", "not '/etc/localtime'"),
        ("a\0", r"not 'a\x00'"),
        ("\ud800", r"not '\ud800'"),
        ("localtime", "the same on every machine, not 'localtime'"),
        ("right/Europe/Berlin", "the same on every machine"),
        ("a" * 65, "at most 64 characters"),
    ],
)
def test_a_bad_zone(zone: str, told: str) -> None:
    with pytest.raises(BadSchedule) as found:
        CronSchedule(NIGHT, zone)
    assert (found.value.field, told in str(found.value)) == ("zone", True), found.value


@pytest.fixture
def no_system_zones() -> Iterator[None]:
    zoneinfo.reset_tzpath(to=())
    ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()
    ZoneInfo.clear_cache()


@pytest.mark.usefixtures("no_system_zones")
def test_a_machine_without_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("tzdata.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "tzdata", None)
    with pytest.raises(MissingExtra, match=r"^A time zone, on a machine without any, needs .* 'hubbub\[jobs\]'$"):
        CronSchedule(NIGHT, "Europe/Berlin")


@pytest.mark.usefixtures("no_system_zones")
def test_the_zones_of_the_extra_serve_where_the_system_has_none() -> None:
    assert on("2025-03-30", NIGHT, "Europe/Berlin") == ["03:00+0200"]


def test_times_need_a_zone() -> None:
    naive = datetime(2027, 1, 1)
    for call in (
        lambda: hourly().slots(naive, NOON),
        lambda: hourly().slots(NOON, naive),
        lambda: hourly().next_slot(naive),
    ):
        with pytest.raises(ValueError, match="a time with a zone"):
            call()


@pytest.mark.parametrize(
    ("catch_up", "most", "grace"), [("some", 1, 0), ("all", 0, 0), ("all", 1, -1), ("all", 1, float("nan"))]
)
def test_bad_arguments(catch_up: CatchUp, most: int, grace: float) -> None:
    with pytest.raises(ValueError, match="expected catch_up of"):
        hourly().due(NOON, NOON, catch_up, most, grace)


def test_any_zone_of_the_times_is_taken_and_utc_is_returned() -> None:
    tokyo = NOON.astimezone(ZoneInfo("Asia/Tokyo"))
    found = list(islice(hourly().slots(tokyo - 3 * 60 * MINUTE, tokyo), 9))
    assert (tuple(found), {slot.tzinfo for slot in found}) == (at(10, 11, 12), {UTC})


def test_its_text() -> None:
    assert repr(CronSchedule(NIGHT, "UTC")) == "CronSchedule('30 2 * * *', 'UTC')"
