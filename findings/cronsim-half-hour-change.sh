#!/usr/bin/env bash
# cronsim 2.8: an hourly line misses a run at each change of a zone whose clocks move by half an hour.
#
# Guessed: with a "*" in the minute or the hour, cronsim returns every minute whose time on the clocks matches the line, as
# Debian's cron does, which looks at the clocks each minute ("Jobs which are specified with wildcards are run based on the
# new time immediately", cron(8)). So "45 * * * *" in Australia/Lord_Howe, where 02:00 becomes 02:30 in October and 01:30
# in April, has 02:45 on the one day, and 01:45 twice on the other.
# Found: it has neither 02:45 nor the second 01:45, and waits for 90 minutes both times. "45,46 * * * *", with a minute
# more, has all of them. Where a field has one value, cronsim goes on to it by the clock's distance, 59 minutes or a whole
# hour of real time; the change in between makes it arrive half an hour beside it, and it goes on to the next hour.
# For the same reason "0 */6 * * *" has no run at all at midnight of 15 August 2015 in Asia/Pyongyang.
# So who needs a run for each hour walks with cronsim on times without a zone, and applies the zone's changes to these.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet --disable-pip-version-check cronsim==2.8 tzdata 2>/dev/null
"$directory/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from zoneinfo import ZoneInfo

from cronsim import CronSim


def cronsims(line, start, end):
    runs = []
    for run in CronSim(line, start):
        if run.astimezone(UTC) > end.astimezone(UTC):
            return runs
        runs.append(run)


def minutes(start, end):
    now = start.astimezone(UTC)
    while now < end.astimezone(UTC):
        now += timedelta(minutes=1)
        yield now.astimezone(start.tzinfo)


def show(runs):
    return " ".join(f"{run:%H:%M%z}" for run in runs)


print("cronsim", version("cronsim"))
SIXTHS = ("00:00", "06:00", "12:00", "18:00")
CASES = [
    ("45 * * * *", "Australia/Lord_Howe", "2025-10-05 00:00", "2025-10-05 04:00", lambda run: run.minute == 45),
    ("45 * * * *", "Australia/Lord_Howe", "2025-04-06 00:00", "2025-04-06 04:00", lambda run: run.minute == 45),
    ("0 */6 * * *", "Asia/Pyongyang", "2015-08-14 17:00", "2015-08-15 07:00", lambda run: f"{run:%H:%M}" in SIXTHS),
]
missed = []
for line, zone, start, end, matches in CASES:
    start, end = (datetime.fromisoformat(time).replace(tzinfo=ZoneInfo(zone)) for time in (start, end))
    shown, found = [run for run in minutes(start, end) if matches(run)], cronsims(line, start, end)
    print(f"{line} in {zone}, {start:%d %B %Y}")
    print("  the clocks show", show(shown))
    print("  cronsim returns", show(found))
    if line.startswith("45"):
        more = [run for run in cronsims("45,46 * * * *", start, end) if run.minute == 45]
        print("  of 45,46       ", show(more))
        assert show(more) == show(shown)
    missed.append(sorted(set(show(shown).split()) - set(show(found).split())))
assert missed == [["02:45+1100"], ["01:45+1030"], ["00:00+0830"]], missed
PYTHON
