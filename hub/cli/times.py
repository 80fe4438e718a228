"""Times as people type them, and as they are shown: the end of a pause, the time of catching up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

import click

from hub.stats import reading, words
from hub.units import parse_duration

FARTHEST = 100 * 365 * 86400.0
"""Seconds from now up to which a time is accepted; later dates can't be shown."""


def later(text: str, now: float) -> float:
    """Epoch seconds of ``1h`` (from now), ``14:30`` (the next one) or ``2026-11-21T08:00``. Times without a zone are
    local.

    :raises click.UsageError: the text is none of these, or the time is past, or too far away.
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


def earlier(text: str, now: float) -> float:
    """Epoch seconds of ``2h`` (ago) or ``2026-11-21T08:00``. Times without a zone are local.

    :raises click.UsageError: the text is neither.
    """
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise click.UsageError(f"expected an age such as 2h, or a date and time, not {text!r}") from error


def clock_time(moment: float, now: float) -> str:
    """Local time as ``14:30:00`` if it is today, otherwise as ``2026-11-22 14:30``. Both arguments: epoch seconds.
    A moment that no calendar has is shown as these."""
    try:
        shown = datetime.fromtimestamp(moment)
    except (ValueError, OverflowError, OSError):
        return f"{moment:.0f} s after 1970"
    today = shown.date() == datetime.fromtimestamp(now).date()
    return shown.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M")


def state(row: Mapping[str, Any], now: float) -> str:
    """The state of a queue in words, such as ``paused until 14:30:00``."""
    return reading.words(row).replace("paused", paused(row, now))


def paused(row: Mapping[str, Any], now: float) -> str:
    """The word ``paused``, with the end of the pause if it has one."""
    until = row.get("paused_until")
    return "paused" if until is None else f"paused until {clock_time(until, now)}"


def caught_up(row: Mapping[str, Any], now: float) -> str:
    """The time to catch up of a consumer, in the hub's words and with the time of day: ``in 3m 20s, 14:32:10``,
    ``paused, not before 14:30:00``, ``falling behind by 20.0/s, 5m 10s of work waiting``, ``now``, ``not known``."""
    text, detail = (row["caught_up"], row["caught_up_detail"]) if "caught_up" in row else words.caught_up(row)[1:]
    until, seconds = row.get("paused_until"), row.get("catch_up_seconds")
    if row.get("paused"):
        return f"{text} {detail}".strip() if until is None else f"{text}, not before {clock_time(until, now)}"
    if seconds is not None and row["backlog"]:
        return f"{text}, {clock_time(row['catch_up_at'], now)}"
    return f"{text} {detail}".strip()


def all_clear(headline: Mapping[str, Any], now: float) -> str:
    """The time at which all consumers will have caught up, in the hub's words and with the time of day."""
    text, detail = (headline["text"], headline["detail"]) if "text" in headline else words.all_caught_up(headline)[1:]
    clock = "" if headline["at"] is None else f", {clock_time(headline['at'], now)}"
    return f"caught up: {text}{clock}{f' ({detail})' if detail else ''}"
