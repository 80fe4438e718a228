"""A snapshot as the hub makes it, with 545 messages behind."""

from __future__ import annotations

from typing import Any

from hub.stats.histogram import Histogram, coarse
from tests.unit.rows import conditions_of


def histogram(*seconds: float) -> dict[str, Any]:
    """Of calls that took so long."""
    taken = Histogram()
    for each in seconds:
        taken.add(each)
    bounds, counts = coarse(taken.counts)
    return {"bounds": bounds, "counts": counts, "sum": sum(seconds)}


def consumer(**changes: Any) -> dict[str, Any]:
    """One that catches up."""
    row = {
        "type": "slow",
        "class": "hub.consumers.slow:Slow",
        "state": "running",
        "topics": ["org.example.#"],
        "threads": 2,
        "backlog": 545,
        "in_flight": 1,
        "delayed": 0,
        "dead_letters": 0,
        "received": 600,
        "received_bytes": 12_000,
        "finished": 50,
        "failed": 3,
        "retried": 2,
        "rejected": 0,
        "dead": 1,
        "dead_lost": 0,
        "dropped": 4,
        "dropped_by": {"newest": 4, "oldest": 0, "expired": 0, "purged": 0, "damaged": 0, "drained": 0},
        "oldest_age": 12.5,
        "trend": "catching_up",
        "catch_up_seconds": 54.5,
        "utilisation": 0.75,
        "workers": [{"name": "slow-0", "state": "busy"}, {"name": "slow-1", "state": "idle"}],
        "consume_buckets": [[0.01, 30], [0.06, 20]],
        "consume_histogram": histogram(*[0.01] * 30, *[0.06] * 20),
        "threads_replaced": 0,
        "tick_failures": 0,
        "error": None,
        "tick_error": None,
        **changes,
    }
    return {"conditions": conditions_of(row), **row}


def backend(**changes: Any) -> dict[str, Any]:
    """A connected one."""
    counts = {"received": 600, "bytes": 12_000, "gaps": 1, "lost": 0, "refused": 0, "published": 0, "publish_failed": 0}
    return {"type": "zeromq", "state": "connected", "malformed": {"not JSON": 2}, **counts, **changes}


def snapshot(**consumers: dict[str, Any]) -> dict[str, Any]:
    """Of a durable hub; without arguments, of one consumer named ``slow``."""
    store = {
        "state": "ok",
        "reason": None,
        "used_bytes": 4096,
        "commits": 7,
        "messages": 600,
        "failures": 0,
        "pending": 0,
        "pending_bytes": 0,
        "commit_seconds": {"p50": 0.001, "p95": 0.002, "p99": None},
    }
    hub = {
        "version": "0.1.0",
        "uptime": 60.0,
        "time": 1_700_000_000.0,
        "ready": True,
        "draining": False,
        "held_back": False,
        "lag": 0.002,
        "backlog": 545,
        "resident_bytes": 50_000_000,
        "unaccounted_bytes": 2_000_000,
        "log_lost": 0,
        **dict.fromkeys(("received", "received_bytes", "unrouted", "refused", "duplicates", "collisions"), 1),
        **dict.fromkeys(("published", "publish_failed"), 0),
        "store": store,
    }
    return {
        "hub": hub,
        "backends": {"bus": backend()},
        "consumers": consumers or {"slow": consumer()},
        "exporters": {"collectd": {"exported": 5, "failed": 1, "skipped": 0, "last_error": None}},
    }
