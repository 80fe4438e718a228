"""Times as people type them, in the future: until when a queue is to be paused."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import click

from hub.units import parse_duration

FARTHEST = 100 * 365 * 86400.0
"""Seconds: beyond it dates can't be shown."""


def later(text: str, now: float) -> float:
    """Epoch seconds of ``1h`` (from now), of ``14:30`` (the next), or of ``2026-11-21T08:00``; local time if it says no
    other.

    :raises click.UsageError: it is none of these, or it is past, or too far away.
    """
    moment = _read(text.strip(), now)
    if moment <= now:
        raise click.UsageError(f"{text!r} is past")
    if moment > now + FARTHEST:
        raise click.UsageError(f"{text!r} is too far away")
    return moment


def _read(text: str, now: float) -> float:
    try:
        return now + parse_duration(text)
    except ValueError:
        pass
    try:
        return _next(time.fromisoformat(text), now) if len(text) <= len("14:30:00") else _date(text)
    except (ValueError, OverflowError) as error:
        expected = "expected a duration such as 1h, a time such as 14:30, or a date and time"
        raise click.UsageError(f"{expected}, not {text!r}") from error


def _next(clock: time, now: float) -> float:
    today = datetime.fromtimestamp(now)
    moment = datetime.combine(today.date(), clock)
    return (moment if moment > today else moment + timedelta(days=1)).timestamp()


def _date(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def clock_time(moment: float, now: float) -> str:
    """``14:30:00``, with the date if it is more than a day away."""
    form = "%H:%M:%S" if abs(moment - now) < 86400 else "%Y-%m-%d %H:%M"
    return datetime.fromtimestamp(moment).strftime(form)
