"""The hub's numbers under collectd's names, for the push and for the plugin alike.

Standard library only, and nothing of the hub: collectd's own Python imports it too. All types are of collectd's stock
``types.db``, with one data source each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

GAUGES = (
    ("queue_length", "backlog", "backlog"),
    ("queue_length", "in_flight", "in_flight"),
    ("queue_length", "delayed", "delayed"),
    ("queue_length", "dead_letters", "dead_letters"),
    ("delay", "oldest_age", "oldest"),
    ("timeleft", "catch_up_seconds", "catch_up"),
    ("threads", "threads", "threads"),
)
"""collectd's type, the key in the status, and what the type instance ends with."""
COUNTS = ("received", "finished", "failed", "retried", "dead", "dropped")
BACKEND_COUNTS = ("received", "gaps", "published")
HUB_COUNTS = ("received", "unrouted", "published")

Kind = Literal["gauge", "derive"]
Row = tuple[str, str, Kind, float]
"""Type, type instance, kind, number."""


def identifier(name: str) -> str:
    """A name that collectd takes: ``-`` and ``/`` have a meaning in its identifiers."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def identifiers(names: Iterator[str] | list[str]) -> dict[str, str]:
    """One for each name; of two that would be the same, the second gets a number."""
    found: dict[str, str] = {}
    for name in names:
        base = candidate = identifier(name)
        number = 2
        while candidate in found.values():
            candidate, number = f"{base}_{number}", number + 1
        found[name] = candidate
    return found


def rows(status: Mapping[str, Any]) -> Iterator[Row]:
    """All numbers of a status. A gauge that is not known is NaN, which draws as a gap; a count has nothing like it, and
    is left out."""
    return (row for row in _all(status) if row[2] == "gauge" or not math.isnan(row[3]))


def _all(status: Mapping[str, Any]) -> Iterator[Row]:
    for key in HUB_COUNTS:
        yield "derive", f"hub_{key}", "derive", _number(status["hub"].get(key, 0))
    yield "memory", "hub_resident", "gauge", _number(status["hub"].get("resident_bytes"))
    yield "memory", "hub_unaccounted", "gauge", _number(status["hub"].get("unaccounted_bytes"))
    consumers = status["consumers"]
    for name, prefix in identifiers(list(consumers)).items():
        yield from _consumer(prefix, consumers[name])
    backends = status["backends"]
    for name, prefix in identifiers(list(backends)).items():
        yield from _backend(f"backend_{prefix}", backends[name])


def _consumer(prefix: str, row: Mapping[str, Any]) -> Iterator[Row]:
    for kind, key, suffix in GAUGES:
        yield kind, f"{prefix}_{suffix}", "gauge", _number(row.get(key))
    for key in COUNTS:
        yield "derive", f"{prefix}_{key}", "derive", _number(row.get(key, 0))
    for share, seconds in (row.get("consume_time") or {}).items():
        # The unit of response_time is the millisecond.
        yield "response_time", f"{prefix}_consume_{share}", "gauge", _number(seconds) * 1000
    for share, seconds in (row.get("age_at_finish") or {}).items():
        yield "latency", f"{prefix}_age_{share}", "gauge", _number(seconds) * 1000


def _backend(prefix: str, row: Mapping[str, Any]) -> Iterator[Row]:
    for key in BACKEND_COUNTS:
        if key in row:
            yield "derive", f"{prefix}_{key}", "derive", _number(row[key])
    yield "derive", f"{prefix}_malformed", "derive", float(sum((row.get("malformed") or {}).values()))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan
