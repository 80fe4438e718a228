"""What moksha.hub publishes of itself, made of a snapshot: one document in the words of moksha.hub 1.5.17. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

MOST_TIMES = 1000
"""Of one consumer in one document, about: moksha keeps 1024."""
NOT_YET = frozenset({"starting", "failing to start", "stopped", "orphan"})
"""States of a consumer that no worker is in."""


@dataclass(frozen=True)
class _Counts:
    """Of one consumer, since ever. ``taken``: attempts that were begun. ``times``: how many calls
    took about so many seconds."""

    received: int
    taken: int
    failed: int
    times: Mapping[float, int]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> _Counts:
        taken = row["finished"] + row["retried"] + row["dead"] + row["in_flight"]
        return cls(row["received"], taken, row["failed"], dict(row.get("consume_buckets") or ()))


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
        # What a worker has in hand has left moksha's queue.
        "backlog": row["backlog"] - row["in_flight"],
        "headcount_out": max(0, now.taken - before.taken),
        "headcount_in": max(0, now.received - before.received),
        "times": _times(before, now),
    }


def _module(row: Mapping[str, Any]) -> str:
    """``package.module`` of ``package.module:Class``; of a consumer from a file, the file's name: its module has a name
    that changes with each edit. Of an orphan nothing."""
    file, _, _ = (row.get("type") or "").partition(":")
    if file.endswith(".py"):
        return PurePath(file).stem
    return (row.get("class") or file).partition(":")[0]


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
    """Seconds that each call took since, within a tenth. Of too many, each bucket has its share, and one at least: the
    shortest and the longest are what readers draw."""
    counts = {middle: count - before.times.get(middle, 0) for middle, count in now.times.items()}
    total = max(sum(count for count in counts.values() if count > 0), MOST_TIMES)
    return [
        middle
        for middle, count in sorted(counts.items())
        for _ in range(-(-count * MOST_TIMES // total))  # rounded up
    ]
