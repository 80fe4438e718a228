"""Every metric that Prometheus is shown, once: its name, its help, and where in the snapshot its number is.

A number that is not known is left out. Names (consumers, backends, causes) are label values, which the client library
escapes. ``docs/prometheus.rst`` says what to do about each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, TypeGuard

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.utils import floatToGoString

Row = Mapping[str, Any]
Kind = type[GaugeMetricFamily] | type[CounterMetricFamily]


class Number(NamedTuple):
    """One number of a row of the snapshot."""

    key: str
    name: str
    help: str


CONSUMER_GAUGES = (
    Number("backlog", "backlog_messages", "Received and not settled: waiting, delayed, or in a worker's hands."),
    Number("in_flight", "in_flight_messages", "In a worker's hands."),
    Number("delayed", "delayed_messages", "Waiting for their next attempt."),
    Number("dead_letters", "dead_letters", "Dead letters that are there now."),
    Number("oldest_age", "oldest_age_seconds", "Age of the oldest message that is not settled; absent: there is none."),
    Number("utilisation", "utilisation_ratio", "Share of its threads' time spent in consume(), in the last seconds."),
    Number(
        "catch_up", "catch_up_seconds", "Seconds until there is no backlog; +Inf: it falls behind; absent: not known."
    ),
    Number("behind", "falling_behind", "1: messages come faster than they are handled."),
)
CONSUMER_COUNTS = (
    Number("received", "received", "Messages routed to it."),
    Number("received_bytes", "received_bytes", "Bytes of their bodies."),
    Number("finished", "finished", "Messages that consume() returned from."),
    Number("failed", "failed", "Attempts that ended with an error."),
    Number("retried", "retried", "Messages given back for another attempt."),
    Number("rejected", "rejected", "Messages that the consumer rejected; they are dead letters."),
    Number("dead", "dead", "Messages that became dead letters."),
    Number("dead_lost", "dead_lost", "Dead letters given up for newer ones, beyond max_dead."),
    Number("threads_replaced", "threads_replaced", "Worker threads that died and were replaced."),
    Number("tick_failures", "tick_failures", "Calls of tick() that raised."),
)
CONSUMER_STATES = (
    *("running", "starting", "failing to start", "stuck", "full", "paused"),
    *("draining", "drained", "stopped", "orphan"),
)
CONSUMER_CONDITIONS = (
    *("failing to start", "stuck", "losing", "failing", "retrying", "rejecting", "full"),
    *("ticking badly", "falling behind", "paused", "draining", "drained", "starting", "stopped", "orphan", "running"),
)
THREAD_STATES = ("idle", "busy", "leaving", "stuck", "dead")
BACKEND_COUNTS = (
    Number("received", "received", "Messages from the bus."),
    Number("bytes", "received_bytes", "Bytes from the bus."),
    Number("gaps", "gaps", "Messages that the publishers' sequence numbers show to be missing."),
    Number("lost", "lost", "Messages read from the bus that the hub could not take in, by a fault of its own."),
    Number("refused", "refused", "Messages that were turned away."),
    Number("published", "published", "Messages sent out."),
    Number("publish_failed", "publish_failed", "Messages that could not be sent out."),
)
UP = frozenset({"connected", "listening", "paused", "running"})
"""States of a backend whose line to the bus stands; one that is paused is held back by us."""
HUB_GAUGES = (
    Number("uptime", "uptime_seconds", "Since the hub's start."),
    Number("ready", "ready", "1: ready to take messages. The reasons why not are in 'hubbub status'."),
    Number("draining", "draining", "1: an operator holds the buses back until all queues are empty."),
    Number("held_back", "held_back", "1: the buses are held back, for there is no room."),
    Number("backlog", "backlog_messages", "Of all consumers together."),
    Number("lag", "lag_seconds", "How late the receiving thread came to its work, at its worst in the last minute."),
    Number("resident_bytes", "resident_bytes", "Memory of the process."),
    Number(
        "unaccounted_bytes", "unaccounted_bytes", "What it grew by since the start, without the messages in memory."
    ),
)
HUB_COUNTS = (
    Number("received", "received", "Messages from all buses."),
    Number("received_bytes", "received_bytes", "Bytes of their bodies."),
    Number("unrouted", "unrouted", "Messages that no consumer wants."),
    Number("refused", "refused", "Messages with a body that can't be used; no consumer was given them."),
    Number("duplicates", "duplicates", "Messages left out, for they had come before."),
    Number("collisions", "collisions", "Messages whose id had come before, with another body; they are delivered."),
    Number("published", "published", "Messages sent out."),
    Number("publish_failed", "publish_failed", "Messages that could not be sent out."),
    Number("log_lost", "log_lines_lost", "Lines of the log that could not be written."),
)
STORE_GAUGES = (
    Number("used_bytes", "used_bytes", "Bytes in use on the disk."),
    Number("pending", "pending_batches", "Batches received and not yet committed."),
    Number("pending_bytes", "pending_bytes", "Bytes received and not yet committed."),
)
STORE_COUNTS = (
    Number("commits", "commits", "Transactions that are safe on the disk."),
    Number("messages", "messages", "Messages in them."),
    Number("failures", "failures", "Commits that failed, and were tried again."),
)
QUANTILES = {"p50": "0.5", "p95": "0.95", "p99": "0.99"}
STORE_STATES = ("ok", "full", "behind", "failed")
EXPORTER_COUNTS = (
    Number("exported", "exported", "Snapshots that it sent."),
    Number("failed", "failed", "Snapshots that it could not send."),
    Number("skipped", "skipped", "Snapshots that it had no time for."),
)


def families(snapshot: Row) -> Iterator[Metric]:
    """All metrics of a snapshot, those without a number left out."""
    for family in _all(snapshot):
        if family.samples:
            yield family


def _all(snapshot: Row) -> Iterator[Metric]:
    hub = snapshot["hub"]
    yield from _hub(hub)
    yield from _store(hub.get("store") or {})
    yield from _consumers(snapshot["consumers"])
    yield from _backends(snapshot["backends"])
    yield from _numbers(CounterMetricFamily, "hubbub_exporter", "exporter", EXPORTER_COUNTS, snapshot["exporters"])


def _hub(hub: Row) -> Iterator[Metric]:
    yield InfoMetricFamily("hubbub_hub", "What runs.", {"version": str(hub.get("version", ""))})
    yield from _numbers(GaugeMetricFamily, "hubbub_hub", None, HUB_GAUGES, {"": hub})
    yield from _numbers(CounterMetricFamily, "hubbub_hub", None, HUB_COUNTS, {"": hub})


def _store(store: Row) -> Iterator[Metric]:
    state = store.get("state")
    if state is None:
        return
    yield GaugeMetricFamily("hubbub_store_ok", "1: the store can write.", state == "ok")
    yield _states("hubbub_store_state", "1 for the state that it is in.", None, STORE_STATES, {"": store})
    yield from _numbers(GaugeMetricFamily, "hubbub_store", None, STORE_GAUGES, {"": store})
    yield from _numbers(CounterMetricFamily, "hubbub_store", None, STORE_COUNTS, {"": store})
    times = SummaryMetricFamily("hubbub_store_commit_seconds", "How long a commit takes.")
    known = store.get("commit_seconds") or {}
    for share, quantile in QUANTILES.items():
        if _is_number(seconds := known.get(share)):
            times.add_sample(times.name, {"quantile": quantile}, seconds)
    yield times


def _consumers(rows: Mapping[str, Row]) -> Iterator[Metric]:
    prefix, label = "hubbub_consumer", "consumer"
    foreseen = {name: {**row, **_forecast(row)} for name, row in rows.items()}
    yield from _numbers(GaugeMetricFamily, prefix, label, CONSUMER_GAUGES, foreseen)
    yield _states(f"{prefix}_state", "1 for the state that it is in.", label, CONSUMER_STATES, rows)
    yield _conditions(rows)
    yield from _numbers(CounterMetricFamily, prefix, label, CONSUMER_COUNTS, rows)
    yield _by_cause(f"{prefix}_dropped", "Messages lost, by cause.", label, "dropped_by", rows)
    yield _threads(rows)
    yield _histogram(rows)


def _forecast(row: Row) -> Row:
    behind = row.get("trend") == "falling_behind"
    return {"behind": behind, "catch_up": math.inf if behind else row.get("catch_up_seconds")}


def _threads(rows: Mapping[str, Row]) -> Metric:
    family = GaugeMetricFamily("hubbub_consumer_threads", "Worker threads, by state.", labels=("consumer", "state"))
    for name, row in rows.items():
        if (workers := row.get("workers")) is not None:
            states = [worker["state"] for worker in workers]
            for state in THREAD_STATES:
                family.add_metric((name, state), states.count(state))
    return family


def _histogram(rows: Mapping[str, Row]) -> Metric:
    text = "How long consume() takes."
    family = HistogramMetricFamily("hubbub_consumer_consume_seconds", text, labels=("consumer",))
    for name, row in rows.items():
        if times := row.get("consume_histogram"):
            family.add_metric((name,), _cumulative(times["bounds"], times["counts"]), times["sum"])
    return family


def _cumulative(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """Upper bound, and count of all up to it."""
    return list(zip([*map(_text, bounds), "+Inf"], accumulate(counts), strict=True))


def _text(bound: float) -> str:
    return str(floatToGoString(bound))  # type: ignore[no-untyped-call]


def _backends(rows: Mapping[str, Row]) -> Iterator[Metric]:
    prefix, label = "hubbub_backend", "backend"
    connected = {name: {"connected": row.get("state") in UP} for name, row in rows.items()}
    stands = Number("connected", "connected", "1: its line to the bus stands.")
    yield from _numbers(GaugeMetricFamily, prefix, label, (stands,), connected)
    yield _states(f"{prefix}_state", "1 for the state that it is in.", label, (), rows)
    yield from _numbers(CounterMetricFamily, prefix, label, BACKEND_COUNTS, rows)
    yield _by_cause(f"{prefix}_malformed", "Messages that can't be read, by cause.", label, "malformed", rows)


def _numbers(
    kind: Kind, prefix: str, label: str | None, table: Iterable[Number], rows: Mapping[str, Row]
) -> Iterator[Metric]:
    """A family for each number of the table, with a sample for each row; unlabelled without ``label``."""
    for key, name, text in table:
        family = kind(f"{prefix}_{name}", text, labels=(label,) if label else ())
        for row_name, row in rows.items():
            if _is_number(value := row.get(key)):
                family.add_metric((row_name,), value)
        yield family


def _states(name: str, text: str, label: str | None, known: Iterable[str], rows: Mapping[str, Row]) -> Metric:
    """1 for the state that a row is in, 0 for the known others."""
    family = GaugeMetricFamily(name, text, labels=(label, "state") if label else ("state",))
    for row_name, row in rows.items():
        state = str(row.get("state"))
        for each in dict.fromkeys((*known, state)):
            family.add_metric((row_name, each) if label else (each,), each == state)
    return family


def _conditions(rows: Mapping[str, Row]) -> Metric:
    """1 for each condition that holds, 0 for the others."""
    text = "1 for each condition that holds; several may."
    family = GaugeMetricFamily("hubbub_consumer_condition", text, labels=("consumer", "condition"))
    for name, row in rows.items():
        held = {one["word"] for one in row.get("conditions") or ()}
        for word in CONSUMER_CONDITIONS:
            family.add_metric((name, word), word in held)
    return family


def _by_cause(name: str, text: str, label: str, key: str, rows: Mapping[str, Row]) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label, "cause"))
    for row_name, row in rows.items():
        causes = row.get(key)
        for cause, count in causes.items() if isinstance(causes, Mapping) else ():
            family.add_metric((row_name, str(cause)), count)
    return family


def _is_number(value: Any) -> TypeGuard[float]:
    """A backend is somebody else's code: what it says that is no number spoils no scrape."""
    return isinstance(value, (int, float))
