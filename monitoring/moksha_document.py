"""Monitoring document in the format of moksha.hub 1.5.17, made from snapshots. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

MOST_TIMES = 1000
"""Times of one consumer in one document, approximately: moksha keeps 1024."""
NOT_YET = frozenset({"starting", "failing to start", "stopped", "orphan"})
"""States of a consumer without running workers."""


@dataclass(frozen=True)
class _Counts:
    """Counts of one consumer, total. ``taken``: attempts begun. ``times``: calls by approximate duration in seconds."""

    received: int
    taken: int
    failed: int
    times: Mapping[float, int]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> _Counts:
        taken = row["finished"] + row["retried"] + row["dead"] + row["in_flight"]
        return cls(row["received"], taken, row["failed"], dict(row.get("consume_buckets") or ()))


class Publications:
    """Differences between documents: moksha counts *since the last document*, the hub in total.

    The first document with a consumer has counts of 0: those of a durable queue are older than the hub's process.

    :param interval: seconds between two documents.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._told: dict[str, _Counts] = {}

    def document(self, snapshot: Mapping[str, Any]) -> dict[str, Any]:
        """Next document, JSON-able."""
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
        # moksha has the class's name here. Two consumers may have one class, so it is the name in hub.conf: an
        # operator who migrates can choose the class's.
        "name": name,
        "module": _module(row),
        "topic": topics[0] if len(topics) == 1 else list(topics),
        "initialized": row["state"] not in NOT_YET,
        "exceptions": max(0, now.failed - before.failed),
        "jsonify": True,
        # moksha has None for a consumer that does not start; our queues fill all the same, and the number is known.
        # Messages in flight have left moksha's queue.
        "backlog": row["backlog"] - row["in_flight"],
        "headcount_out": max(0, now.taken - before.taken),
        "headcount_in": max(0, now.received - before.received),
        "times": _times(before, now),
    }


def _module(row: Mapping[str, Any]) -> str:
    """Module of a consumer: ``package.module`` of ``package.module:Class``; the file's name if it is from a file, for
    the name of that module changes with each edit; empty for an orphan."""
    file, _, _ = (row.get("type") or "").partition(":")
    if file.endswith(".py"):
        return PurePath(file).stem
    return (row.get("class") or file).partition(":")[0]


def _ourselves(time: float, interval: float) -> dict[str, Any]:
    """Producer that publishes the document, which checks of a moksha hub require; here it is this exporter, under the
    same name."""
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
    """Durations in seconds of the calls since the last document, within a tenth. If there are too many, each bucket has
    its share, and at least one: readers draw the shortest and the longest."""
    counts = {middle: count - before.times.get(middle, 0) for middle, count in now.times.items()}
    total = max(sum(count for count in counts.values() if count > 0), MOST_TIMES)
    return [
        middle
        for middle, count in sorted(counts.items())
        for _ in range(-(-count * MOST_TIMES // total))  # rounded up
    ]
