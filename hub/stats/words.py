"""Words for the time to catch up: the same in the status, on the page, in ``hubbub top`` and ``status``. Pure.

They contain no time of day, because the reader may be in another time zone. Readers add it, from ``catch_up_at``,
``paused_until`` and the headline's ``at``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hub.status.states import NOBODY, CaughtUpKind
from hub.units import format_duration

LEAST_SHOWN = 0.05
"""Messages per second below which a rate would be shown as 0.0."""
TEXTS: Mapping[CaughtUpKind, str] = {
    "clear": "now",
    "behind": "falling behind",
    "steady": "holding steady",
    "unknown": "not known",
    "paused": "paused",
    "never": "nobody reads it",
}


class CaughtUp(NamedTuple):
    """The time to catch up in words. :ivar kind: for sorting and colours. :ivar detail: more text, or empty."""

    kind: CaughtUpKind
    text: str
    detail: str = ""


def caught_up(row: Mapping[str, Any]) -> CaughtUp:
    """The time to catch up of one consumer. :param row: its row of the status."""
    trend, seconds, backlog = row.get("trend"), row.get("catch_up_seconds"), row["backlog"]
    if row.get("paused"):
        return _of_kind("paused", "" if row.get("paused_until") else "until resumed")
    if not backlog:
        return _of_kind("clear")
    if trend == "falling_behind":
        rates = row.get("rate_in"), row.get("rate_out")
        loss = None if None in rates else rates[0] - rates[1]  # type: ignore[operator] # neither is None
        return _of_kind("behind", _behind(loss, row.get("catch_up_alone_seconds")))
    if trend == "catching_up" and seconds is not None:
        return CaughtUp("gain", _in(seconds, row["catch_up_estimated"]))
    if trend == "steady":
        return _of_kind("steady")
    if row.get("state") == "orphan":
        return CaughtUp("never", "no consumer")
    if row.get("drained_by") == NOBODY:
        return _of_kind("never")
    return _of_kind("unknown")


def all_caught_up(headline: Mapping[str, Any]) -> CaughtUp:
    """The time to catch up of all consumers. :param headline: from the status; see :mod:`hub.stats.headline`."""
    kind: CaughtUpKind = headline["kind"]
    who = f"{headline['consumer']} and {headline['others']} more" if headline["others"] else headline["consumer"]
    if kind == "clear":
        return _of_kind(kind)
    if kind == "gain":
        return CaughtUp(kind, _in(headline["seconds"], headline["estimated"]), who)
    if kind == "behind":
        return _of_kind(kind, f"{who} {_behind(headline['loss'], headline['alone'])}".strip())
    return _of_kind(kind, f"{who}: {headline['backlog']:,} waiting")


def _of_kind(kind: CaughtUpKind, detail: str = "") -> CaughtUp:
    return CaughtUp(kind, TEXTS[kind], detail)


def _in(seconds: float, estimated: bool) -> str:
    return f"{'~' if estimated else ''}in {format_duration(seconds)}"


def _behind(loss: float | None, alone: float | None) -> str:
    """The recent loss, which may be none although the longer trend is bad, and the time that the backlog would take if
    nothing more arrived."""
    by = f"by {loss:.1f}/s" if loss is not None and loss >= LEAST_SHOWN else ""
    left = "" if alone is None else f"{format_duration(alone)} of work waiting"
    return ", ".join(filter(None, (by, left)))
