"""Times to come, as people type them and as they are shown: until when a queue is paused, when it will be clear."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

import click

from hub.units import format_duration, parse_duration

FARTHEST = 100 * 365 * 86400.0
"""Seconds: beyond it dates can't be shown."""
LEAST_SHOWN = 0.05
"""Messages a second: less would be shown as 0.0."""


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
    """``14:30:00``, and ``2026-11-22 14:30`` where that is not today."""
    shown = datetime.fromtimestamp(moment)
    today = shown.date() == datetime.fromtimestamp(now).date()
    return shown.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M")


def caught_up(row: Mapping[str, Any], now: float) -> str:
    """When a consumer will have nothing left, by its status: ``in 3m 20s, 14:32:10``, ``~in 5s ...`` where that is a
    guess, ``not before 14:30:00`` while it is paused, ``falling behind by 20.0/s (5m 10s)`` with how long the
    backlog would take if nothing more came, ``now``, or ``-``: not known."""
    if (until := row.get("paused_until")) is not None:
        return f"not before {clock_time(until, now)}"
    if row["trend"] == "falling_behind":
        loss = row["rate_in"] - row["rate_out"]  # of the last seconds; the trend is of a longer time
        by = f" by {loss:.1f}/s" if loss >= LEAST_SHOWN else ""
        alone = row.get("catch_up_alone_seconds")
        return f"falling behind{by}" + ("" if alone is None else f" ({format_duration(alone)})")
    seconds = row["catch_up_seconds"]
    if seconds is None:
        return "holding steady" if row["trend"] == "steady" else "-"
    if not row["backlog"]:
        return "now"
    mark = "~" if row["catch_up_estimated"] else ""
    return f"{mark}in {format_duration(seconds)}, {clock_time(now + seconds, now)}"


def all_clear(headline: Mapping[str, Any], now: float) -> str:
    """When all consumers will have caught up, by the status's headline; see :mod:`hub.stats.headline`."""
    kind, backlog = headline["kind"], headline["backlog"]
    who = f"{headline['consumer']}" + (f" and {headline['others']} more" if headline["others"] else "")
    if kind == "clear":
        return "all caught up"
    if kind == "gain":
        mark = "~" if headline["estimated"] else ""
        return f"all caught up {mark}in {format_duration(headline['seconds'])}, {clock_time(headline['at'], now)}"
    words = {"behind": "falling behind", "steady": "holding steady", "paused": "paused"}.get(
        kind, "time to catch up not known"
    )
    return f"{words}: {who} with {backlog}"
