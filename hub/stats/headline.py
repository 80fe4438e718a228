"""Headline of a hub: when all consumers will have caught up, or which one will not. Pure.

A backlog counts when messages have waited for some seconds: that of a consumer which keeps up comes and goes with each
message, and a line that went with it would say something else at every look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from hub.stats.condition import SMALL

CALM = 5.0
"""Seconds that a message may wait for a thread without being told of."""

Kind = Literal["clear", "gain", "steady", "unknown", "behind", "paused"]
RANKS: Mapping[Kind, int] = {"clear": 0, "paused": 1, "gain": 2, "unknown": 3, "steady": 4, "behind": 5}
"""What is told rather than what: first of who will not catch up, last of who an operator has paused."""
KINDS: Mapping[str | None, Kind] = {"catching_up": "gain", "steady": "steady", "falling_behind": "behind"}


@dataclass(frozen=True)
class Headline:
    """The consumer that will be clear last. :ivar others: how many more there are of its kind.

    :ivar seconds: until it is clear, ``at``: epoch seconds of it; of kind ``gain`` only.
    :ivar alone: seconds that its backlog would take if nothing more came; of kind ``behind`` only.
    """

    kind: Kind = "clear"
    consumer: str | None = None
    others: int = 0
    backlog: int = 0
    seconds: float | None = None
    at: float | None = None
    estimated: bool = False
    alone: float | None = None
    loss: float | None = None


def headline(consumers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """As it stands in the status. :param consumers: the rows of the status, by name."""
    found = list(_behind(consumers))
    if not found:
        return asdict(Headline())
    last = max(found, key=_order)
    others = sum(one.kind == last.kind for one in found) - 1
    return {**asdict(last), "others": others}


def _order(one: Headline) -> tuple[int, float, int]:
    few = one.kind in ("unknown", "steady") and one.backlog < SMALL
    return 0 if few else RANKS[one.kind], one.seconds or 0.0, one.backlog


def _behind(consumers: Mapping[str, Mapping[str, Any]]) -> Iterator[Headline]:
    for name, row in consumers.items():
        if row["state"] == "orphan" or not _waits(row):
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
