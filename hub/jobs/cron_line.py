"""The line of a cron entry: which minutes of which days it names, on a clock that never changes. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, takewhile

from hub.errors import HubError
from hub.extra import Extra

CRONSIM = Extra("A cron line", "jobs", ("cronsim",))
"""The library that reads cron lines. It is imported for the first line that is read."""
LONGEST = 200
"""Characters of a line."""
FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day of month": "1 to 31, L (the last day) or LW (the last weekday)",
    "month": "1 to 12 or JAN to DEC",
    "day of week": "0 to 7 or SUN to SAT, with #1 to #5 (the first to the fifth of the month), or 0L to 7L (the last)",
}
"""The fields of a line in their order, each with the values that it may have."""
NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
"""Names of whole lines, as in crontab(5). There is no ``@reboot``: it names no time."""
_SOME_DAY = datetime(2000, 1, 1)
_MINUTE = timedelta(minutes=1)


class BadSchedule(HubError, ValueError):
    """The line or the zone of a cron entry can't be used; the text says what is expected.

    :ivar field: ``minute``, ``hour``, ``day of month``, ``month``, ``day of week``, ``line`` (as a whole) or ``zone``.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field

    def __reduce__(self) -> tuple[type[BadSchedule], tuple[str, str]]:
        return type(self), (self.field, str(self))


class CronLine:
    """Five fields, as crontab(5) of Debian has them, or a nickname such as ``@hourly``.

    The fields are cronsim's: ``*``, numbers, names in any case, ranges, lists, steps, ``L``, ``LW``, ``MON#2``, ``5L``.
    If the day of month or the day of week begins with ``*``, a day must match both; else one of them is enough.
    cronsim has no nicknames, and takes a sixth field, of seconds, which is refused here.

    :param text: the line. :raises BadSchedule: it can't be read, or names no day that there is.
    :raises hub.errors.MissingExtra: cronsim is not installed.
    :ivar by_real_time: the minute or the hour has a ``*`` or a step, or names all values: the line means "every so
        often" rather than "at this time of the day".
    """

    def __init__(self, text: str) -> None:
        CRONSIM.check()
        self.text = text
        fields = _split(text)
        for place, field in enumerate(fields):
            _check(text, place, field)
        minute, hour, *days = fields
        self._days = f"0 0 {' '.join(days)}"
        minutes = [wall.minute for wall in _walk(f"{minute} * * * *", _SOME_DAY, timedelta(hours=1))]
        hours = [wall.hour for wall in _walk(f"0 {hour} * * *", _SOME_DAY, timedelta(days=1))]
        self._times = [timedelta(hours=hour, minutes=minute) for hour in hours for minute in minutes]
        self.by_real_time = any(sign in minute + hour for sign in "*/") or len(minutes) == 60 or len(hours) == 24
        try:
            found = next(self.walls(_SOME_DAY), None)
        except ValueError as error:
            raise _never(text) from error
        if found is None:
            raise _never(text)

    def walls(self, start: datetime) -> Iterator[datetime]:
        """Yield the times that the line names, ascending, as a clock on the wall without zone shows them.

        :param start: without zone; the first time is not before its minute.
        """
        start = start.replace(second=0, microsecond=0)
        midnight = start.replace(hour=0, minute=0)
        first = bisect_left(self._times, start - midnight)
        for day in _walk(self._days, midnight):
            for time in islice(self._times, first if day == midnight else 0, None):
                yield day + time


def _split(text: str) -> list[str]:
    """The five fields."""
    if len(text) > LONGEST:
        raise BadSchedule("line", f"a cron line has at most {LONGEST} characters, not {len(text)}: {text[:40]!r}...")
    line = text.strip(" \t")
    if not line.isascii() or not line.replace("\t", " ").isprintable():
        raise BadSchedule("line", f"expected a cron line in printable ASCII, not {text!r}")
    if line.startswith("@"):
        if line.lower() not in NICKNAMES:
            raise BadSchedule("line", f"expected a cron line or one of {', '.join(NICKNAMES)}, not {text!r}")
        line = NICKNAMES[line.lower()]
    fields = line.split()
    if len(fields) != len(FIELDS):
        raise BadSchedule("line", f"expected the five fields {', '.join(FIELDS)}, not {len(fields)}: {text!r}")
    return fields


def _check(text: str, place: int, field: str) -> None:
    """Have cronsim read one field alone, so that an error is about this one."""
    name, expected = list(FIELDS.items())[place]
    alone = ["*"] * len(FIELDS)
    alone[place] = field
    try:
        _walk(" ".join(alone), _SOME_DAY)
    except ValueError as error:
        problem = (
            f"expected the {name} to be {expected}, or *, or a list, range or step of these, not {field!r}: {text!r}"
        )
        raise BadSchedule(name, problem) from error


def _never(text: str) -> BadSchedule:
    """The error of a line such as that of 30 February."""
    return BadSchedule("day of month", f"no day is ever that of the cron line {text!r}")


def _walk(line: str, start: datetime, length: timedelta | None = None) -> Iterator[datetime]:
    """Walk through a line's times from ``start`` on, for ``length`` (``None``: without end).

    They are without zone, so that cronsim changes nothing for daylight saving. It reads the line in this call.

    :raises ValueError: cronsim can't read it.
    """
    from cronsim import CronSim, CronSimError

    try:
        found = CronSim(line, start - _MINUTE)
    except CronSimError as error:
        raise ValueError(str(error)) from error
    return found if length is None else takewhile(lambda wall: wall < start + length, found)
