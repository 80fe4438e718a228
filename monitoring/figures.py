"""The hub's numbers as a flat list under dotted names, for statsd and Graphite."""

from __future__ import annotations

import math
import socket
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from hub.monitoring.collectd_values import BACKEND_COUNTS, COUNTS, HUB_COUNTS, identifier, identifiers

PREFIX = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$"
"""What a prefix of names may be; bounded to :data:`LONGEST_PREFIX`, so that every name fits into a datagram."""
LONGEST_PREFIX = 200
OF_HUB = ("backlog", "resident_bytes", "unaccounted_bytes", "uptime", "ready", "draining", "held_back")
OF_STORE = ("used_bytes", "pending", "pending_bytes")
OF_CONSUMER = (
    *("backlog", "in_flight", "delayed", "oldest_age", "catch_up_seconds"),
    *("rate_in", "rate_out", "utilisation", "threads"),
)
MORE_COUNTS = ("received_bytes", "rejected", "dead_lost", "threads_replaced", "tick_failures")
MORE_HUB_COUNTS = ("received_bytes", "refused", "duplicates", "collisions", "publish_failed")
MORE_BACKEND_COUNTS = ("bytes", "refused", "lost", "unread", "publish_failed")
STORE_COUNTS = ("commits", "messages", "failures")
WORKER_STATES = ("idle", "busy", "leaving", "stuck", "dead")

Key = TypeVar("Key")
Kind = Literal["gauge", "count"]
Path = tuple[str, ...]
"""The parts of a name, each of letters, digits and ``_``."""


@dataclass(frozen=True)
class Figure:
    """One number, finite. A ``count`` only grows while the hub runs."""

    path: Path
    kind: Kind
    number: float

    def name(self, prefix: str) -> str:
        """With dots between its parts."""
        return ".".join((prefix, *self.path))


def figures(snapshot: Mapping[str, Any]) -> Iterator[Figure]:
    """All numbers of a status. What is not known is left out. Percentiles are in milliseconds (``consume_ms.p99``),
    ages and times left in seconds."""
    hub = snapshot["hub"]
    yield from _chosen("count", ("hub",), hub, HUB_COUNTS + MORE_HUB_COUNTS)
    yield from _chosen("gauge", ("hub",), hub, OF_HUB)
    yield from _milliseconds(("hub",), {"lag_ms": hub.get("lag")})
    store = hub.get("store") or {}
    yield from _chosen("count", ("store",), store, STORE_COUNTS)
    yield from _chosen("gauge", ("store",), store, OF_STORE)
    yield from _milliseconds(("store", "commit_ms"), store.get("commit_seconds"))
    consumers = snapshot["consumers"]
    for name, part in identifiers(list(consumers)).items():
        yield from _consumer(("consumers", part), consumers[name])
    backends = snapshot["backends"]
    for name, part in identifiers(list(backends)).items():
        yield from _chosen("count", ("backends", part), backends[name], BACKEND_COUNTS + MORE_BACKEND_COUNTS)
        malformed = sum((backends[name].get("malformed") or {}).values())
        yield Figure(("backends", part, "malformed"), "count", malformed)


def _consumer(path: Path, row: Mapping[str, Any]) -> Iterator[Figure]:
    yield from _chosen("gauge", path, row, OF_CONSUMER)
    yield from _chosen("count", path, row, COUNTS + MORE_COUNTS)
    dropped = row.get("dropped_by") or {}
    yield from _chosen("count", (*path, "dropped_by"), dropped, dropped)
    yield from _milliseconds((*path, "consume_ms"), row.get("consume_time"))
    yield from _milliseconds((*path, "age_ms"), row.get("age_at_finish"))
    if row.get("workers") is not None:
        states = Counter(worker["state"] for worker in row["workers"])
        for state in WORKER_STATES:
            yield Figure((*path, "workers", state), "gauge", states[state])


def _chosen(kind: Kind, path: Path, row: Mapping[str, Any], keys: Iterable[str]) -> Iterator[Figure]:
    for key in keys:
        if (number := known(row.get(key))) is not None:
            yield Figure((*path, key), kind, number)


def _milliseconds(path: Path, seconds: Mapping[str, Any] | None) -> Iterator[Figure]:
    for key, value in (seconds or {}).items():
        if (number := known(value)) is not None:
            yield Figure((*path, key), "gauge", number * 1000)


def known(value: Any) -> float | None:
    """A finite number, or ``None``. True is 1."""
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None


def totals(found: Iterable[Figure]) -> dict[Path, float]:
    """The counts by name, for the next :func:`growth`."""
    return {figure.path: figure.number for figure in found if figure.kind == "count"}


def growth(now: Mapping[Key, float], before: Mapping[Key, float]) -> dict[Key, float]:
    """By how much each count has grown.

    One that is not known from before, or was higher then, begins anew, and is left out this once: how much of it is old
    is not known, and a spike that never was would be worse than an interval that is missing.
    """
    return {key: number - before[key] for key, number in now.items() if key in before and number >= before[key]}


def text(number: float) -> str:
    """Without an exponent, which not every receiver reads; a millionth is the smallest part."""
    return str(number + 0) if isinstance(number, int) else f"{number:.6f}".rstrip("0").rstrip(".")


def default_prefix() -> str:
    """``hubbub.HOSTNAME``: gauges of two machines under one name would overwrite each other."""
    return f"hubbub.{identifier(socket.gethostname())}"[:LONGEST_PREFIX]
