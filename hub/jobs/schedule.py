"""When a cron entry runs: its line, on the clocks of its zone, through daylight saving and steps of the clock. Pure.

**The rule.** A *slot* is an instant in UTC at which the entry runs. When the zone's clocks change, the line decides:

- An entry *at a time of the day* (``30 2 * * *``) runs once for each time that the line names. If the clocks skip the
  time, it runs just after the gap, at the first instant of the new time: once, however many of its times are skipped,
  and not beside a run that is due then anyway. If the clocks repeat the time, it runs the first time.
- An entry *by real time*, whose minute or hour has a ``*`` or a step or names all values (``*/20 * * * *``,
  ``@hourly``), runs whenever the clocks show a time that it names, also when they show it again: ``*/20`` has 69 runs
  on a day of 23 hours, and 75 on one of 25. If the clocks skip a time that it names, and no run comes as early by real
  time as the skipped one would have, it runs just after the gap. So a gap leaves no hole: ``*/5 2 * * *`` runs once on
  the day without that hour, and ``30 */2 * * *`` does not wait for three hours.

No entry runs when the clocks do not show its time, but for that run after a gap: when an hour comes again, ``0 */3 * *
*`` once waits for four hours. Who names two times of the day and wants each once writes them: ``0 0,12 * * *``, not ``0
*/12 * * *``, which runs twice at a midnight that comes again.

**cronsim's rule**, that of Debian's cron, is the same for entries at a time of the day, and for most by real time. Ours
differs in this:

- cronsim looks whether the minute or the hour begins with ``*``. So ``0/10 0-23 * * *`` is at times of the day there,
  and rests for an hour in autumn.
- cronsim, as Debian's cron, leaves the hole that a gap makes: ``*/5 2 * * *`` does not run on the day without that
  hour, and ``15 * * * *`` in Australia/Lord_Howe, where 30 minutes are skipped, waits for 90.
- cronsim goes on by whole hours, and so passes over times where half an hour is skipped or repeated: ``45 * * * *`` in
  Australia/Lord_Howe does not run at the second 01:45 in autumn, nor at 02:45 in spring, and waits for 90 minutes.
- cronsim returns times that the clocks skip, where the gap is at midnight and the line names the day.

So cronsim reads the line and finds its days, without a zone; what a zone does to them is decided here.

**Zones** are IANA's, read by :mod:`zoneinfo`: from the system, and where it has none, or not that one (Debian 13 has
``US/Eastern`` in a package of its own), from the package ``tzdata``, which the extra ``jobs`` brings. The system's come
first, because its administrator keeps them up to date. A process keeps what it has read until it ends.
"""

from __future__ import annotations

import zoneinfo
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from itertools import islice, takewhile
from typing import Literal, get_args

from hub.extra import Extra
from hub.jobs.cron_line import BadSchedule, CronLine

ZONES = Extra("A time zone, on a machine without any,", "jobs", ("tzdata",))
"""The zones of machines that have none of their own."""
CatchUp = Literal["all", "last", "none"]
"""Which missed slots run: each of them, the last one, none."""
MOST_RUNS = 100
"""Slots that are returned as due at a time, by default."""
MOST_COUNTED = 1000
"""Skipped slots that are counted at a time, in 10 us each, or 100 us if each is on a day of its own."""
GRACE = 60.0
"""Seconds after its time within which a slot is not missed, by default."""
LONGEST_STEP = timedelta(days=1)
"""How far ahead a last slot may be. One that is further is of a clock that was wrong, and is given up."""
LONGEST_ZONE = 64
"""Characters of a zone's name."""
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Due:
    """What is due of an entry.

    :ivar slots: to run now, ascending.
    :ivar skipped: slots that do not run, because of ``catch_up`` or the bound. The count ends at ``MOST_COUNTED``:
        there may have been more.
    :ivar last: the slot to keep as the last one. Later than ``now``: the clock has stepped back, by ``LONGEST_STEP`` at
        most, and nothing is due until it has passed that slot again.
    """

    slots: tuple[datetime, ...]
    skipped: int
    last: datetime


class CronSchedule:
    """The slots of one cron entry; the module's docstring has the rule.

    :param line: five fields or a nickname, as :class:`hub.jobs.cron_line.CronLine` takes them.
    :param zone: IANA's name, such as ``Europe/Berlin``.
    :raises BadSchedule: the line or the zone can't be used.
    :raises hub.errors.MissingExtra: cronsim is not installed, or the machine has no zones.
    """

    def __init__(self, line: str, zone: str) -> None:
        self.line = line
        self.zone = zone
        self._zone = _find(zone)
        self._line = CronLine(line)

    def __repr__(self) -> str:
        return f"CronSchedule({self.line!r}, {self.zone!r})"

    def slots(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the slots after ``after`` and not after ``until``, ascending, in UTC.

        Two windows that meet have together the slots of the whole. :raises ValueError: a time has no zone.
        :raises OverflowError: the year 10000 is reached.
        """
        after, until = _utc(after), _utc(until)
        return takewhile(lambda slot: slot <= until, self._slots(after))

    def next_slot(self, after: datetime) -> datetime:
        """The first slot after ``after``, in UTC. :raises ValueError: the time has no zone."""
        return next(self._slots(_utc(after)))

    def due(
        self,
        last: datetime,
        now: datetime,
        catch_up: CatchUp = "last",
        most: int = MOST_RUNS,
        grace: float = GRACE,
    ) -> Due:
        """Find what is due now, once for each slot, whatever the clock did since the last call.

        After a step back nothing is due until the clock has passed ``last``; after one of more than ``LONGEST_STEP``
        the entry goes on from ``now``, as a new one. After a step forward, or time away, the slots in between
        are *missed*, but for those younger than ``grace``, which run whatever ``catch_up`` says.

        :param last: ``Due.last`` of the call before; for a new entry, the time when it was made.
        :param catch_up: which missed slots run. ``last``: the last one stands for all; it is left out if a slot runs
            that was not missed.
        :param most: slots that run at a time, 1 or more: the newest. :param grace: seconds.
        :raises ValueError: a time has no zone, or another argument is wrong.
        """
        last, now = _utc(last), _utc(now)
        if catch_up not in get_args(CatchUp) or most < 1 or not 0 <= grace < float("inf"):
            raise ValueError(
                f"expected catch_up of {get_args(CatchUp)}, most of 1 or more, grace of 0 or more, not "
                f"{catch_up!r}, {most!r}, {grace!r}"
            )
        if last - now > LONGEST_STEP:
            return Due((), 0, now)
        newest = self._newest(last, now, most)
        if not newest:
            return Due((), 0, last)
        older = sum(1 for _ in islice(self.slots(last, newest[0]), MOST_COUNTED + 1)) - 1
        in_time = [slot for slot in newest if (now - slot).total_seconds() <= grace]
        runs = {"all": newest, "last": in_time or newest[-1:], "none": in_time}[catch_up]
        skipped = min(older + len(newest) - len(runs), MOST_COUNTED)
        return Due(tuple(runs), skipped, newest[-1])

    def _newest(self, after: datetime, until: datetime, most: int) -> list[datetime]:
        """The last slots of a window, found without a walk through all of a long one."""
        length = timedelta(hours=1)
        while True:
            whole = until - after <= length
            start = after if whole else until - length
            found = deque(self.slots(start, until), maxlen=most)
            if whole or len(found) == most:
                return list(found)
            length *= 2

    def _slots(self, after: datetime) -> Iterator[datetime]:
        """All slots after a time in UTC."""
        again: deque[datetime] = deque()  # the second pass through repeated times comes after all of the first
        for wall in self._line.walls(self._first_wall(after)):
            first, second = self._utc_of(wall, 0), self._utc_of(wall, 1)
            if second < first:
                gap = self._end_of_gap(second, first)
                if self._line.by_real_time and self._runs_between(gap, first):
                    continue
                first = gap
            elif second > first and second > after and self._line.by_real_time:
                again.append(second)
            while again and again[0] < first:
                yield again.popleft()
            if first > after:
                yield first
                after = first

    def _first_wall(self, after: datetime) -> datetime:
        """The earliest time on the wall that an instant later than ``after`` can have."""
        wall = after.astimezone(self._zone).replace(tzinfo=None, fold=0)
        return wall - (self._utc_of(wall, 1) - after)

    def _utc_of(self, wall: datetime, fold: int) -> datetime:
        """The instant of a time on the wall; ``fold``: 0 for the first of two, 1 for the second.

        In a gap, 0 reckons with the offset before it and 1 with that after it, so that 0 is the later one.
        """
        return wall.replace(tzinfo=self._zone, fold=fold).astimezone(UTC)

    def _end_of_gap(self, before: datetime, after: datetime) -> datetime:
        """The first instant with the new offset, which is later than ``before`` and not later than ``after``."""
        old = before.astimezone(self._zone).utcoffset()
        seconds = range(int((after - before).total_seconds()) + 1)
        changed = bisect_left(
            seconds, True, key=lambda n: (before + n * _SECOND).astimezone(self._zone).utcoffset() != old
        )
        return before + changed * _SECOND

    def _runs_between(self, start: datetime, end: datetime) -> bool:
        """Whether the line names a time that the clocks show from one instant to another, both included."""
        first, last = (one.astimezone(self._zone).replace(tzinfo=None, fold=0) for one in (start, end))
        return next(self._line.walls(first)) <= last


def _utc(time: datetime) -> datetime:
    """The same instant in UTC."""
    if time.tzinfo is None:
        raise ValueError(f"expected a time with a zone, such as UTC, not {time!r}")
    return time.astimezone(UTC)


def _find(name: str) -> zoneinfo.ZoneInfo:
    """Find a zone."""
    if len(name) > LONGEST_ZONE:
        raise BadSchedule("zone", f"the name of a time zone has at most {LONGEST_ZONE} characters: {name[:20]!r}...")
    if name in ("localtime", "posixrules") or name.startswith(("posix/", "right/")):
        raise BadSchedule("zone", f"expected an IANA time zone, the same on every machine, not {name!r}")
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        known = {zone.lower(): zone for zone in zoneinfo.available_timezones()}
        if not known:
            raise ZONES.error() from error
        near = [known[zone] for zone in get_close_matches(name.lower(), known, 1)] or ["Europe/Berlin"]
        raise BadSchedule("zone", f"expected an IANA time zone such as {near[0]!r}, not {name!r}") from error
