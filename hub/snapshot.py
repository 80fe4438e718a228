"""Makes the status document from the hub's parts; :mod:`hub.status.document` has its types."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, cast

from hub import __version__
from hub.configuration.schema import Configuration
from hub.enqueuer import Enqueuer
from hub.failure import kind_of
from hub.logs.logs import lost
from hub.memory import Memory
from hub.parts.crowd import Crowd
from hub.parts.flow_control import FlowControl
from hub.parts.holds import ConsumerHolds
from hub.parts.parts import Parts
from hub.parts.queue_entry import QueueEntry
from hub.parts.queues import Queues
from hub.publisher import Publisher
from hub.queue.stored import StoredQueue
from hub.stats.catchup import UNKNOWN, CatchUp
from hub.stats.condition import Facts, answered_for, conditions, rows
from hub.stats.counters import QueueStats
from hub.stats.headline import headline
from hub.stats.lag import Lag
from hub.stats.reading import held, words
from hub.stats.words import caught_up
from hub.status.consumers import ConsumerNumbers, ConsumerStatus, Forecast, QueueStatus, Sums, Words
from hub.status.document import HubStatus
from hub.status.hub import HubRow, IntakeStatus, Pinning, StoreStatus
from hub.status.rows import stable
from hub.status.states import ConsumerState, HubState
from hub.store import Store
from hub.stores import Stores
from hub.workers.supervisor import Supervisor
from hub.workload import Workload

CAUSES = ("newest", "oldest", "expired", "purged", "damaged", "drained")
"""Causes of drops; see :class:`hub.stats.counters.Counters`."""
MOST_PINNING = 3
RUNS: tuple[HubState, ...] = ("running", "reloading")
"""States of a hub that handles messages."""


class StatusSource(Protocol):
    """Parts of a hub that the status is made of: a :class:`hub.service.Service`."""

    configuration: Configuration
    state: HubState
    store: Store
    stores: Stores
    enqueuer: Enqueuer
    publisher: Publisher
    supervisor: Supervisor
    queues: Queues
    lag: Lag
    memory: Memory
    flow: FlowControl
    parts: Parts

    @property
    def holds(self) -> ConsumerHolds:
        """Pauses that outlive the hub."""


def hub_status(service: StatusSource, now: float, uptime: float) -> HubStatus:
    """Make the status document. :param now: epoch seconds. :param uptime: seconds."""
    consumers = consumers_status(service.queues, service.supervisor, service.holds.until, now)
    told = {**service.store.status(), "pinned_by": pinned_by(consumers), "squeezed": service.stores.squeezed}
    store = cast("StoreStatus", told)
    parts = service.parts.status()
    largest = service.queues.largest() if service.stores.squeezed else ""
    others = {name: parts.get(name, {}) for name in ("backends", "jobs")}
    reasons = list(not_ready(service.state, consumers, store, service.flow.draining, others, largest))
    hub: HubRow = {
        "name": "hubbub",
        "version": __version__,
        "state": service.state,
        "ready": not reasons,
        "not_ready": reasons,
        "uptime": uptime,
        "time": now,
        "config": str(service.configuration.file) if service.configuration.file else None,
        "pid": os.getpid(),
        **service.memory.status(service.queues.active.values(), store),
        **intake_status(service.enqueuer),
        **service.publisher.status(),
        "backlog": sum(row["backlog"] for row in stable(consumers).values()),
        "headline": headline(consumers),
        "held_back": service.flow.held_back,
        "held_back_by": service.flow.held_back_by or None,
        "draining": service.flow.draining,
        "lag": service.lag.worst,
        "log_lost": lost(),
        "store": store,
    }
    backends = service.publisher.with_outboxes(parts["backends"])
    return cast("HubStatus", {"hub": hub, **parts, "backends": backends, "consumers": consumers})


def consumers_status(
    queues: Queues, supervisor: Supervisor, until: Callable[[str], float | None], now: float
) -> dict[str, ConsumerStatus]:
    """Rows of all queues by name, with the consumers that drain them; a crowd is one row.

    :param until: returns the end of a pause in epoch seconds. :param now: epoch seconds.
    """
    return {entry.name: consumer_status(entry, supervisor, now, until(entry.name)) for entry in queues.rows()}


def consumer_status(
    entry: QueueEntry, supervisor: Supervisor, now: float, paused_until: float | None
) -> ConsumerStatus:
    """The row of one queue, drained by a consumer's threads, something else, or nobody."""
    stats, work = entry.stats(), Workload.of(entry, supervisor)
    catch_up = _catch_up(entry, stats, work)
    numbers = _queue(stats, entry.stored, now)
    state = _state(entry, supervisor, numbers["backlog"])  # "drained" follows from the row's own counts
    cls = None if entry.part is None else entry.part.plugin.cls
    row: ConsumerNumbers = {
        "type": entry.kind,
        "class": None if cls is None else f"{cls.__module__}:{cls.__qualname__}",
        "state": state,
        "drained_by": entry.drained_by,
        "declared": entry.declared,
        "summed_in": entry.summed_in,
        "conditions": rows(conditions(_facts(entry, state, stats, catch_up.trend, work, supervisor.now()))),
        "paused": entry.paused,
        "paused_until": paused_until,
        "draining": entry.draining,
        "topics": list(entry.topics),
        "threads": work.threads,
        "readers": entry.readers,
        "workers": work.workers,
        "utilisation": entry.rates.utilisation(work.threads),
        **numbers,
        "rate_in": entry.rates.rate_in(),
        "rate_out": entry.rates.rate_out(),
        **_forecast(catch_up, now),
        **work.status(),
    }
    sums: Sums = {}
    if isinstance(entry, Crowd):
        sums = {"queues": len(entry), "largest_backlog": entry.largest_backlog}
    return {**row, **_words(row), **sums}


def _words(row: ConsumerNumbers) -> Words:
    clear = caught_up(row)
    return {
        "condition": words(row),
        "held": held(row),
        "caught_up": clear.text,
        "caught_up_detail": clear.detail,
        "caught_up_kind": clear.kind,
    }


def _forecast(catch_up: CatchUp, now: float) -> Forecast:
    return {
        "trend": catch_up.trend,
        "catch_up_seconds": catch_up.seconds,
        "catch_up_at": None if catch_up.seconds is None else now + catch_up.seconds,
        "catch_up_estimated": catch_up.estimated,
        "catch_up_alone_seconds": catch_up.alone,
    }


def _catch_up(entry: QueueEntry, stats: QueueStats, work: Workload) -> CatchUp:
    found = entry.rates.catch_up(stats, work.threads)
    if stats.counters.backlog and (entry.paused or entry.orphan or entry.unread):
        return UNKNOWN  # the length of a pause is not known
    if found.seconds and found.seconds < work.hung_for:
        return UNKNOWN  # a message hangs for longer than that
    return found


def _queue(stats: QueueStats, stored: StoredQueue, now: float) -> QueueStatus:
    """Counts as of the last commit, so that none is lower after a kill; messages settled since count as backlog."""
    shown, oldest = stored.shown(), stats.oldest_received_at
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
        "dead_letters": stored.kept_letters,
        "dead_lost": stored.lost_letters,
        "dropped": counters.dropped,
        "dropped_by": {cause: getattr(counters, f"dropped_{cause}") for cause in CAUSES},
        "settled_elsewhere": counters.elsewhere,
        "oldest_age": None if oldest is None else max(0.0, now - oldest),
        "durable": stored.outlives_hub,
    }


def _facts(entry: QueueEntry, state: ConsumerState, stats: QueueStats, trend: str, work: Workload, now: float) -> Facts:
    crew = entry.crew
    holds = (("paused", entry.paused), ("draining", entry.draining))
    failure = None if crew is None else crew.last_failure
    return Facts(
        state,
        entry.rates.recent,
        now,
        backlog=stats.counters.backlog,
        delayed=stats.delayed,
        orders=[order for order, is_held in holds if is_held],
        error=failure.error if failure else "",
        start_error="" if crew is None else kind_of(crew.start_error),
        unread=entry.unread,
        of_one_client=entry.of_one_client,
        stuck=max((worker["seconds"] or 0.0 for worker in work.workers if worker["state"] == "stuck"), default=None),
        tick_failures=0 if crew is None else crew.ticks_failing,
        tick_error="" if crew is None else kind_of(crew.tick_error),
        holds_up="" if entry.queue is None else entry.queue.announcer.holds_up,
        trend=trend,
    )


def _state(entry: QueueEntry, supervisor: Supervisor, backlog: int) -> ConsumerState:
    crew, queue = entry.crew, entry.queue
    if entry.orphan:
        return "orphan"
    if crew is not None and crew.gone.is_set():
        return "stopped"
    if crew is not None and not crew.started.is_set():
        return "failing to start" if crew.start_error else "starting"
    if crew is not None and supervisor.is_stuck(crew):
        return "stuck"
    if entry.paused:
        return "paused"
    if entry.draining:
        return "draining" if backlog else "drained"
    return "full" if queue is not None and queue.full else "running"


def intake_status(enqueuer: Enqueuer) -> IntakeStatus:
    """Counters of messages from all backends."""
    counters, duplicates = enqueuer.counters, enqueuer.duplicates
    return {
        "received": counters.received,
        "received_bytes": counters.received_bytes,
        "unrouted": counters.unrouted,
        "refused": counters.refused,
        "duplicates": duplicates.duplicates if duplicates else 0,
        "collisions": duplicates.collisions if duplicates else 0,
    }


def not_ready(
    state: str,
    consumers: Mapping[str, Any],
    store: Mapping[str, Any],
    draining: bool,
    parts: Mapping[str, Mapping[str, Any]],
    largest: str = "",
) -> Iterator[str]:
    """Reasons why the hub is not ready to take messages; none: it is ready. If it is drained, that is the first one.

    :param parts: rows of the backends and of the databases of jobs; one that can tell that its bus gives it no
        messages, or that its database is away, has ``not_ready``.
    :param largest: the stored queue with the most bytes that wait, where the store is larger than its bound.
    """
    if draining:
        yield "the hub is drained: the buses are held back"
    if state not in RUNS:
        yield f"the hub is {state}"
    if store.get("state", "ok") != "ok":
        yield f"the store is {store['state']}: {store.get('reason') or 'no reason given'}"
    if store.get("squeezed"):
        most = f"; most of it waits in {largest}" if largest else ""
        yield f"the store is larger than max_disk: the queues are full{most}"
    for section, noun in (("backends", "backend"), ("jobs", "database of jobs")):
        for name, row in parts.get(section, {}).items():
            if row.get("not_ready"):
                yield f"{noun} {name} is not connected: {row['not_ready']}"
    for name, row in consumers.items():
        for one in row["conditions"] if answered_for(row) else ():
            # A full queue holds its bus back, as it should if the bus can wait; if not, it is also losing messages.
            if one["level"] == "bad" and one["word"] != "full":
                reason = row["error"] if one["word"] == "failing to start" else one["reason"]
                yield f"consumer {name} is {one['word']}" + (f": {reason}" if reason else "")


def pinned_by(consumers: Mapping[str, Any]) -> list[Pinning]:
    """Queues that pin the oldest messages in the store, the oldest first."""
    durable = [(row["oldest_age"], name) for name, row in consumers.items() if row["durable"] and row["oldest_age"]]
    return [{"queue": name, "age": age} for age, name in sorted(durable, reverse=True)[:MOST_PINNING]]
