"""The numbers of the whole hub as one JSON-able document: what the status, the exporters and the graphs show.

Counts only grow; ``None`` stands where something is not known.
"""

from __future__ import annotations

import os
from typing import Any

from hub.counters import QueueStats
from hub.histogram import percentiles
from hub.interfaces import Clock
from hub.roster import Member
from hub.supervisor import Supervisor

CAUSES = ("newest", "oldest", "expired", "purged", "damaged")
"""Of drops; see :class:`hub.counters.Counters`."""
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def consumer_status(member: Member, supervisor: Supervisor, wall: Clock, orphan: bool) -> dict[str, Any]:
    """Of one consumer."""
    stats, now = member.queue.stats(), wall()
    catch_up = member.rates.catch_up()
    consume, ages = member.crew.times()
    return {
        "type": member.part.settings.type,
        "state": "orphan" if orphan else _state(member, supervisor),
        "topics": list(member.part.settings.topics),
        "threads": 0 if orphan else sum(thread.is_alive() for _, thread in member.crew.workers),
        **_queue(stats, member.queue.store.lost_dead_letters(member.queue.name), now),
        "durable": member.queue.store.durable,
        "rate_in": member.rates.rate_in(),
        "rate_out": member.rates.rate_out(),
        "trend": catch_up.trend,
        "catch_up_seconds": catch_up.seconds,
        "catch_up_at": None if catch_up.seconds is None else now + catch_up.seconds,
        "catch_up_estimated": catch_up.estimated,
        "consume_time": dict(zip(SHARES, percentiles(consume, list(SHARES.values())), strict=True)),
        "age_at_finish": dict(zip(SHARES, percentiles(ages, list(SHARES.values())), strict=True)),
        "threads_replaced": member.crew.replaced,
        "tick_failures": member.crew.tick_failures,
        "error": member.crew.start_error or None,
    }


def stored_status(stats: QueueStats, dead_lost: int, now: float) -> dict[str, Any]:
    """Of a queue that no consumer of this configuration has: as ``consumer_status``, with what is known."""
    unknown = dict.fromkeys(SHARES)
    return {
        "type": None,
        "state": "orphan",
        "topics": [],
        "threads": 0,
        **_queue(stats, dead_lost, now),
        "durable": True,
        **dict.fromkeys(("rate_in", "rate_out", "trend", "catch_up_seconds", "catch_up_at")),
        "catch_up_estimated": False,
        "consume_time": unknown,
        "age_at_finish": unknown,
        "threads_replaced": 0,
        "tick_failures": 0,
        "error": None,
    }


def _queue(stats: QueueStats, dead_lost: int, now: float) -> dict[str, Any]:
    counters, oldest = stats.counters, stats.oldest_received_at
    return {
        "backlog": counters.backlog,
        "in_flight": stats.in_flight,
        "delayed": stats.delayed,
        "received": counters.received,
        "received_bytes": counters.received_bytes,
        "finished": counters.finished,
        "failed": counters.failed,
        "retried": counters.retried,
        "dead": counters.dead,
        "dead_lost": dead_lost,
        "dropped": counters.dropped,
        "dropped_by": {cause: getattr(counters, f"dropped_{cause}") for cause in CAUSES},
        "oldest_age": None if oldest is None else max(0.0, now - oldest),
    }


def _state(member: Member, supervisor: Supervisor) -> str:
    crew = member.crew
    if crew.gone.is_set():
        return "stopped"
    if not crew.started.is_set():
        return "failing to start" if crew.start_error else "starting"
    if supervisor.is_stuck(crew):
        return "stuck"
    return "full" if member.queue.full else "running"


def process_status() -> dict[str, Any]:
    """Of this process: its number and its memory."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return {"pid": os.getpid(), "resident_bytes": resident}
