"""Headline of a hub: the time at which all consumers have caught up, or the one that will not. Pure.

A backlog counts only if messages have waited for some seconds: the backlog of a consumer that keeps up comes and goes
with each message, and the headline would change each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from hub.stats.condition import SMALL, in_headline
from hub.stats.words import all_caught_up
from hub.status.hub import HeadlineRow
from hub.status.states import NOBODY
from hub.status.states import HeadlineKind as Kind

CALM = 5.0
"""Seconds that a message may wait for a thread before its backlog counts."""

RANKS: Mapping[Kind, int] = {"clear": 0, "paused": 1, "gain": 2, "unknown": 3, "steady": 4, "behind": 5}
"""Priority of the kinds: the highest is shown. Consumers that will not catch up come first."""
KINDS: Mapping[str | None, Kind] = {"catching_up": "gain", "steady": "steady", "falling_behind": "behind"}


@dataclass(frozen=True)
class Headline:
    """The consumer that catches up last.

    :ivar seconds: time to catch up; ``at``: epoch seconds at which it has; only for the kind ``gain``.
    :ivar alone: seconds that its backlog would take if nothing more arrived; only for the kind ``behind``.
    """

    kind: Kind = "clear"
    consumer: str | None = None
    backlog: int = 0
    seconds: float | None = None
    at: float | None = None
    estimated: bool = False
    alone: float | None = None
    loss: float | None = None


def headline(consumers: Mapping[str, Mapping[str, Any]]) -> HeadlineRow:
    """The headline of the status. :param consumers: rows of the status, by name."""
    found = list(_behind(consumers))
    last = max(found, key=_order, default=Headline())
    numbers = {**asdict(last), "others": max(0, sum(one.kind == last.kind for one in found) - 1)}
    words = all_caught_up(numbers)
    return cast("HeadlineRow", {**numbers, "text": words.text, "detail": words.detail})


def _order(one: Headline) -> tuple[int, float, int]:
    few = one.kind in ("unknown", "steady") and one.backlog < SMALL
    return 0 if few else RANKS[one.kind], one.seconds or 0.0, one.backlog


def _behind(consumers: Mapping[str, Mapping[str, Any]]) -> Iterator[Headline]:
    for name, row in consumers.items():
        if row["state"] == "orphan" or row.get("drained_by") == NOBODY or not in_headline(row) or not _waits(row):
            continue
        kind: Kind = "paused" if row["paused"] else KINDS.get(row["trend"], "unknown")
        yield Headline(
            kind,
            name,
            backlog=row["backlog"],
            seconds=row["catch_up_seconds"],
            at=row["catch_up_at"],
            estimated=row["catch_up_estimated"],
            alone=row["catch_up_alone_seconds"],
            loss=_loss(row) if kind == "behind" else None,
        )


def _waits(row: Mapping[str, Any]) -> bool:
    if row["trend"] == "falling_behind":
        return bool(row["backlog"] >= SMALL)
    return bool(row["backlog"] > row["in_flight"] and (row["oldest_age"] or 0.0) >= CALM)


def _loss(row: Mapping[str, Any]) -> float | None:
    if row["rate_in"] is None or row["rate_out"] is None:
        return None
    return max(0.0, float(row["rate_in"] - row["rate_out"]))
