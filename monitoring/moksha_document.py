"""What moksha.hub publishes of itself, made of a snapshot: one document in the words of moksha.hub 1.5.17. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

MOST_TIMES = 1000
"""Of one consumer in one document, about: moksha keeps 1024."""
NOT_YET = frozenset({"starting", "failing to start", "stopped", "orphan"})
"""States of a consumer that no worker is in."""


@dataclass(frozen=True)
class _Counts:
    """Of one consumer, since ever. ``taken``: attempts that were begun. ``times``: consume times, in buckets."""

    received: int
    taken: int
    failed: int
    bounds: Sequence[float]
    times: Sequence[int]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> _Counts:
        histogram = row.get("consume_histogram") or {"bounds": [], "counts": []}
        taken = row["finished"] + row["retried"] + row["dead"] + row["in_flight"]
        return cls(row["received"], taken, row["failed"], histogram["bounds"], histogram["counts"])


class Publications:
    """moksha tells what came *since the last document*, the hub since ever: this remembers what was told last.

    The first document that has a consumer says that nothing came yet: the counts of a durable queue are older than the
    hub is.

    :param interval: seconds between two documents.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._told: dict[str, _Counts] = {}

    def document(self, snapshot: Mapping[str, Any]) -> dict[str, Any]:
        """The next one, JSON-able."""
        rows = snapshot["consumers"]
        counts = {name: _Counts.of(row) for name, row in rows.items()}
        consumers = [
            _consumer(name, row, self._told.get(name, counts[name]), counts[name]) for name, row in rows.items()
        ]
        self._told = counts
        return {"consumers": consumers, "producers": [_ourselves(snapshot["hub"]["time"], self._interval)]}


def _consumer(name: str, row: Mapping[str, Any], before: _Counts, now: _Counts) -> dict[str, Any]:
    topics = row["topics"]
    return {
        # moksha has the class here. Two consumers may be of one class, so it is the name in hub.conf, which is the
        # operator's to choose: one who moves keeps the class's.
        "name": name,
        "module": _module(row),
        "topic": topics[0] if len(topics) == 1 else list(topics),
        "initialized": row["state"] not in NOT_YET,
        "exceptions": max(0, now.failed - before.failed),
        "jsonify": True,
        # moksha says None of a consumer that does not start; our queues fill all the same, and the number is known.
        "backlog": row["backlog"],
        "headcount_out": max(0, now.taken - before.taken),
        "headcount_in": max(0, now.received - before.received),
        "times": _times(before, now),
    }


def _module(row: Mapping[str, Any]) -> str:
    """``package.module`` of ``package.module:Class``; else the type in hub.conf; of an orphan nothing."""
    return (row.get("class") or row.get("type") or "").partition(":")[0]


def _ourselves(time: float, interval: float) -> dict[str, Any]:
    """Checks of a moksha hub ask for the producer that publishes; here it is this exporter, under the same name."""
    return {
        "name": "MonitoringProducer",
        "module": "moksha.hub.monitoring",
        "initialized": True,
        "exceptions": 0,
        "frequency": interval,
        "now": False,
        "last_ran": time,
    }


def _times(before: _Counts, now: _Counts) -> list[float]:
    """Seconds that each call took since, as near as its bucket says. Of too many, each bucket has its share, and one
    at least: the shortest and the longest are what readers draw."""
    if before.bounds != now.bounds:
        return []
    counts = [max(0, new - old) for new, old in zip(now.times, before.times, strict=True)]
    total = max(sum(counts), MOST_TIMES)
    kept = [-(-count * MOST_TIMES // total) for count in counts]  # rounded up
    return [middle for middle, count in zip(_middles(now.bounds), kept, strict=True) for _ in range(count)]


def _middles(bounds: Sequence[float]) -> list[float]:
    """Of the buckets: the geometric mean of the bounds; of the first, half its bound; of the last, the bound."""
    if not bounds:
        return []
    inner = [math.sqrt(lower * upper) for lower, upper in pairwise(bounds)]
    return [bounds[0] / 2, *inner, bounds[-1]]
