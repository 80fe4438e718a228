"""The numbers of the whole hub as one JSON-able document: what the status, the exporters and the graphs show.

Counts only grow; ``None`` stands where something is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hub.control.steering import Steering
from hub.enqueuer import Enqueuer
from hub.failure import kind_of
from hub.interfaces import Clock
from hub.parts.roster import Member, Roster
from hub.stats.catchup import UNKNOWN, CatchUp
from hub.stats.condition import Condition, Facts, conditions, rows
from hub.stats.counters import QueueStats
from hub.stats.histogram import SHARES, coarse, fine, shares
from hub.store import Store
from hub.workers.supervisor import Supervisor

CAUSES = ("newest", "oldest", "expired", "purged", "damaged", "drained")
"""Of drops; see :class:`hub.stats.counters.Counters`."""
MOST_PINNING = 3
RUNS = ("running", "reloading")
"""States of a hub that does its work."""


def consumers_status(
    roster: Roster, supervisor: Supervisor, steering: Steering, store: Store, wall: Clock
) -> dict[str, dict[str, Any]]:
    """Of all consumers, and of all queues that have none."""
    members = [(member, False) for member in roster.members.values()]
    members += [(member, True) for member in roster.orphans.values()]
    until = steering.standing.until
    consumers = {
        member.part.name: consumer_status(member, supervisor, wall, orphan, until(member.part.name))
        for member, orphan in members
    }
    for name in steering.orphans():
        if name not in consumers:
            consumers[name] = stored_status(store, name, wall())
    return consumers


def consumer_status(
    member: Member, supervisor: Supervisor, wall: Clock, orphan: bool, paused_until: float | None
) -> dict[str, Any]:
    """Of one consumer."""
    stats, now = member.queue.stats(), wall()
    consume, ages = member.crew.times()
    bounds, counts = coarse(consume)
    cls, failure = member.part.plugin.cls, member.crew.last_failure
    threads = 0 if orphan else sum(thread.is_alive() for _, thread in member.crew.workers)
    times = shares(consume)
    catch_up = _catch_up(member, supervisor, stats, threads, times["p99"], orphan)
    state = "orphan" if orphan else _state(member, supervisor, stats.counters.backlog)
    workers = [] if orphan else supervisor.threads(member.crew)
    return {
        "type": member.part.settings.type,
        "class": f"{cls.__module__}:{cls.__qualname__}",
        "state": state,
        "conditions": rows(conditions(_facts(member, state, stats, catch_up.trend, workers, supervisor.now()))),
        "paused": member.queue.paused and not orphan,
        "paused_until": paused_until,
        "draining": member.queue.draining and not orphan,
        "topics": list(member.part.settings.topics),
        "threads": threads,
        "workers": workers,
        "utilisation": member.rates.utilisation(threads),
        **_queue(stats, member.queue.store, member.queue.name, now),
        "durable": member.queue.store.durable,
        "rate_in": member.rates.rate_in(),
        "rate_out": member.rates.rate_out(),
        **_forecast(catch_up, now),
        "consume_time": times,
        "age_at_finish": shares(ages),
        "threads_replaced": member.crew.replaced,
        "tick_failures": member.crew.tick_failures,
        "error": member.crew.start_error or None,
        "tick_error": member.crew.tick_error or None,
        "last_error": None if failure is None else asdict(failure),
        "consume_buckets": fine(consume),
        "consume_histogram": {"bounds": bounds, "counts": counts, "sum": member.crew.busy(supervisor.now())},
    }


def _forecast(catch_up: CatchUp, now: float) -> dict[str, Any]:
    return {
        "trend": catch_up.trend,
        "catch_up_seconds": catch_up.seconds,
        "catch_up_at": None if catch_up.seconds is None else now + catch_up.seconds,
        "catch_up_estimated": catch_up.estimated,
        "catch_up_alone_seconds": catch_up.alone,
    }


def _catch_up(
    member: Member, supervisor: Supervisor, stats: QueueStats, threads: int, usual: float | None, orphan: bool
) -> CatchUp:
    """:param usual: seconds that nearly all messages take."""
    found = member.rates.catch_up(stats, threads)
    if stats.counters.backlog and (member.queue.paused or orphan):
        return UNKNOWN  # nobody knows how long a pause is to be
    if found.seconds and found.seconds < supervisor.hung_for(member.crew, usual or 0.0):
        return UNKNOWN  # nor when one that hangs for longer than that is finished
    return found


def stored_status(store: Store, name: str, now: float) -> dict[str, Any]:
    """Of a queue that no consumer of this configuration has: as ``consumer_status``, with what is known."""
    unknown = dict.fromkeys(SHARES)
    return {
        "type": None,
        "class": None,
        "state": "orphan",
        "conditions": rows([Condition("orphan", "off")]),
        "paused": False,
        "paused_until": None,
        "draining": False,
        "topics": [],
        "threads": 0,
        "workers": [],
        "utilisation": None,
        **_queue(store.stats(name), store, name, now),
        "durable": True,
        **dict.fromkeys(("rate_in", "rate_out", "trend", "catch_up_seconds", "catch_up_at")),
        "catch_up_estimated": False,
        "catch_up_alone_seconds": None,
        "consume_time": unknown,
        "age_at_finish": unknown,
        "threads_replaced": 0,
        "tick_failures": 0,
        "error": None,
        "tick_error": None,
        "last_error": None,
        "consume_buckets": [],
        "consume_histogram": None,
    }


def _queue(stats: QueueStats, store: Store, name: str, now: float) -> dict[str, Any]:
    """Counts as the last commit left them, so that none is ever less after a kill; what became of a message since
    counts as backlog."""
    shown, oldest = store.shown(name), stats.oldest_received_at
    counters = stats.counters if shown is None else shown
    return {
        "backlog": max(stats.counters.backlog, counters.backlog),
        "in_flight": stats.in_flight,
        "delayed": stats.delayed,
        "received": counters.received,
        "received_bytes": counters.received_bytes,
        "finished": counters.finished,
        "failed": counters.failed,
        "retried": counters.retried,
        "rejected": counters.rejected,
        "dead": counters.dead,
        "dead_letters": store.kept_dead_letters(name),
        "dead_lost": store.lost_dead_letters(name),
        "dropped": counters.dropped,
        "dropped_by": {cause: getattr(counters, f"dropped_{cause}") for cause in CAUSES},
        "oldest_age": None if oldest is None else max(0.0, now - oldest),
    }


def _facts(
    member: Member, state: str, stats: QueueStats, trend: str, workers: Sequence[Mapping[str, Any]], now: float
) -> Facts:
    crew, queue, failure = member.crew, member.queue, member.crew.last_failure
    running = state != "orphan"
    return Facts(
        state,
        member.rates.recent,
        now,
        backlog=stats.counters.backlog,
        delayed=stats.delayed,
        orders=[
            order for order, holds in (("paused", queue.paused), ("draining", queue.draining)) if holds and running
        ],
        error=failure.error if failure else "",
        start_error=kind_of(crew.start_error),
        stuck=max((worker["seconds"] for worker in workers if worker["state"] == "stuck"), default=None),
        tick_failures=crew.ticks_failing,
        tick_error=kind_of(crew.tick_error),
        trend=trend,
    )


def _state(member: Member, supervisor: Supervisor, backlog: int) -> str:
    crew = member.crew
    if crew.gone.is_set():
        return "stopped"
    if not crew.started.is_set():
        return "failing to start" if crew.start_error else "starting"
    if supervisor.is_stuck(crew):
        return "stuck"
    if member.queue.paused:
        return "paused"
    if member.queue.draining:
        return "draining" if backlog else "drained"
    return "full" if member.queue.full else "running"


def intake_status(enqueuer: Enqueuer) -> dict[str, int]:
    """What came from the backends."""
    counters, duplicates = enqueuer.counters, enqueuer.duplicates
    return {
        "received": counters.received,
        "received_bytes": counters.received_bytes,
        "unrouted": counters.unrouted,
        "refused": counters.refused,
        "duplicates": duplicates.duplicates if duplicates else 0,
        "collisions": duplicates.collisions if duplicates else 0,
    }


def not_ready(state: str, consumers: Mapping[str, Any], store: Mapping[str, Any], draining: bool) -> Iterator[str]:
    """Why the hub can't take messages as it should; nothing: it can."""
    if state not in RUNS:
        yield f"the hub is {state}"
    if draining:
        yield "the hub is drained: the buses are held back"
    if store.get("state", "ok") != "ok":
        yield f"the store is {store['state']}: {store.get('reason') or 'no reason given'}"
    if store.get("squeezed"):
        yield "the store is larger than max_disk: the queues are full"
    for name, row in consumers.items():
        for one in row["conditions"]:
            # A full queue only holds its bus back, which is its work where the bus can wait; else it is losing too.
            if one["level"] == "bad" and one["word"] != "full":
                reason = row["error"] if one["word"] == "failing to start" else one["reason"]
                yield f"consumer {name} is {one['word']}" + (f": {reason}" if reason else "")


def pinned_by(consumers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The queues that keep the oldest messages in the store, the oldest first."""
    durable = [(row["oldest_age"], name) for name, row in consumers.items() if row["durable"] and row["oldest_age"]]
    return [{"queue": name, "age": age} for age, name in sorted(durable, reverse=True)[:MOST_PINNING]]
