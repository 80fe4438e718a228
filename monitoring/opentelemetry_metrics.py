"""The hub's numbers as OpenTelemetry's data model has them. Pure: a snapshot in, ``MetricsData`` out.

Imported only where the exporter is used: OpenTelemetry's SDK is an extra.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from hub import __version__

CUMULATIVE = AggregationTemporality.CUMULATIVE
SCOPE = InstrumentationScope("hubbub", __version__)
UNKNOWN = 0
"""A start time: counters of a durable queue go on from before the hub's start."""


@dataclass(frozen=True)
class Number:
    """One number of the status: its name in OpenTelemetry, its key in the status, its unit (UCUM), what it is."""

    name: str
    key: str
    unit: str
    help: str


CONSUMER = "hubbub.consumer."
CONSUMER_GAUGES = (
    Number("backlog", "backlog", "{message}", "Messages that are not settled."),
    Number("in_flight", "in_flight", "{message}", "Messages that workers have in hand."),
    Number("delayed", "delayed", "{message}", "Messages that wait for a retry."),
    Number("oldest_age", "oldest_age", "s", "Age of the oldest message that is not settled."),
    Number("catch_up", "catch_up_seconds", "s", "Time until the backlog is worked off, at the present rates."),
    Number("threads", "threads", "{thread}", "Worker threads alive."),
    Number("utilisation", "utilisation", "1", "Share of the threads' time spent in consume()."),
)
CONSUMER_COUNTS = (
    Number("received", "received", "{message}", "Messages routed to it."),
    Number("finished", "finished", "{message}", "Messages handled."),
    Number("failed", "failed", "{attempt}", "Attempts that failed."),
    Number("retried", "retried", "{attempt}", "Attempts that will be repeated."),
    Number("rejected", "rejected", "{message}", "Messages that the consumer rejected."),
    Number("dead", "dead", "{message}", "Messages that became dead letters."),
    Number("dead_lost", "dead_lost", "{message}", "Dead letters given up for newer ones."),
    Number("threads_replaced", "threads_replaced", "{thread}", "Worker threads that died and were replaced."),
    Number("tick_failures", "tick_failures", "{call}", "Calls of tick() that raised."),
)
BACKEND = "hubbub.backend."
BACKEND_COUNTS = (
    Number("received", "received", "{message}", "Messages received."),
    Number("received_bytes", "bytes", "By", "Bytes received."),
    Number("gaps", "gaps", "{message}", "Messages that are missing, by the publishers' numbers."),
    Number("lost", "lost", "{message}", "Messages lost by a fault in the hub."),
    Number("published", "published", "{message}", "Messages sent."),
    Number("publish_failed", "publish_failed", "{message}", "Messages that could not be sent."),
)
HUB = "hubbub.hub."
HUB_GAUGES = (
    Number("backlog", "backlog", "{message}", "Backlog of all consumers."),
    Number("memory", "resident_bytes", "By", "Resident memory of the process."),
    Number("memory_unaccounted", "unaccounted_bytes", "By", "Its growth, without the messages in memory."),
    Number("uptime", "uptime", "s", "Time since the start."),
    Number("lag", "lag", "s", "How late the receiving thread came to its work, at its worst in the last minute."),
    Number("ready", "ready", "1", "1: ready to take messages."),
    Number("held_back", "held_back", "1", "1: the buses are held back, for there is no room."),
)
HUB_COUNTS = (
    Number("received", "received", "{message}", "Messages from all buses."),
    Number("unrouted", "unrouted", "{message}", "Messages that no consumer wanted."),
    Number("refused", "refused", "{message}", "Messages whose body was no use."),
    Number("duplicates", "duplicates", "{message}", "Messages that came before."),
    Number("log_lines_lost", "log_lost", "{line}", "Lines of the log that could not be written."),
)
STORE = "hubbub.store."
STORE_GAUGES = (
    Number("used", "used_bytes", "By", "Bytes in use on the disk."),
    Number("pending", "pending_bytes", "By", "Bytes received and not yet committed."),
)
STORE_COUNTS = (
    Number("commits", "commits", "{commit}", "Commits that are safe on the disk."),
    Number("failures", "failures", "{commit}", "Commits that failed, and were tried again."),
)

Labels = dict[str, str]
Kind = Callable[[list[NumberDataPoint]], Gauge | Sum]
Rows = list[tuple[Labels, Mapping[str, Any], int]]
"""Labels, numbers, and since when the counts among them have been counted."""


def metrics_of(snapshot: Mapping[str, Any], resource: Resource) -> MetricsData:
    """All of them. What is not known has no point, which draws as a gap."""
    hub = snapshot["hub"]
    now = _nanoseconds(hub["time"])
    begin = _nanoseconds(hub["time"] - hub.get("uptime", 0.0))
    consumers: Rows = [
        ({"hubbub.consumer": name}, row, UNKNOWN if row.get("durable") else begin)
        for name, row in snapshot["consumers"].items()
    ]
    backends: Rows = [({"hubbub.backend": name}, row, begin) for name, row in snapshot["backends"].items()]
    whole: Rows = [({}, hub, begin)]
    store: Rows = [({}, hub.get("store") or {}, begin)]
    metrics = [
        *_numbers(Gauge, HUB, HUB_GAUGES, whole, now),
        *_numbers(_count, HUB, HUB_COUNTS, whole, now),
        *_numbers(Gauge, STORE, STORE_GAUGES, store, now),
        *_numbers(_count, STORE, STORE_COUNTS, store, now),
        *_numbers(Gauge, CONSUMER, CONSUMER_GAUGES, consumers, now),
        *_numbers(_count, CONSUMER, CONSUMER_COUNTS, consumers, now),
        *_numbers(_count, BACKEND, BACKEND_COUNTS, backends, now),
        *_by_label(CONSUMER, "dropped", "dropped_by", "cause", consumers, now),
        *_by_label(BACKEND, "malformed", "malformed", "kind", backends, now),
        *_durations(consumers, begin, now),
    ]
    scope = ScopeMetrics(SCOPE, metrics, "")
    return MetricsData([ResourceMetrics(resource, [scope], resource.schema_url)])


def _count(points: list[NumberDataPoint]) -> Sum:
    return Sum(points, CUMULATIVE, is_monotonic=True)


def _numbers(kind: Kind, prefix: str, numbers: tuple[Number, ...], rows: Rows, now: int) -> Iterator[Metric]:
    for number in numbers:
        points = [point for row in rows if (point := _point(row, number.key, now)) is not None]
        if points:
            yield Metric(prefix + number.name, number.help, number.unit, kind(points))


def _by_label(prefix: str, name: str, key: str, label: str, rows: Rows, now: int) -> Iterator[Metric]:
    """A count for each reason."""
    points = [
        NumberDataPoint({**labels, f"hubbub.{label}": reason}, begin, now, count)
        for labels, row, begin in rows
        for reason, count in (row.get(key) or {}).items()
    ]
    if points:
        text = f"Messages {name}, by {label}."
        yield Metric(prefix + name, text, "{message}", _count(points))


def _durations(consumers: Rows, begin: int, now: int) -> Iterator[Metric]:
    """Under the name that OpenTelemetry's semantic conventions give it, so that its dashboards know it."""
    points = [
        _duration(labels["hubbub.consumer"], row["consume_histogram"], begin, now)
        for labels, row, _ in consumers
        if row.get("consume_histogram")
    ]
    if points:
        text = "How long consume() took."
        yield Metric("messaging.process.duration", text, "s", Histogram(points, CUMULATIVE))


def _duration(consumer: str, histogram: Mapping[str, Any], begin: int, now: int) -> HistogramDataPoint:
    labels = {
        "messaging.system": "hubbub",
        "messaging.operation.name": "process",
        "messaging.consumer.group.name": consumer,
    }
    counts = histogram["counts"]
    # The smallest and the largest are not known; OTLP lets them be left out, which the SDK's types do not say.
    unknown: Any = None
    return HistogramDataPoint(
        labels, begin, now, sum(counts), histogram["sum"], counts, histogram["bounds"], unknown, unknown
    )


def _point(row: tuple[Labels, Mapping[str, Any], int], key: str, now: int) -> NumberDataPoint | None:
    labels, numbers, begin = row
    value = numbers.get(key)
    if not isinstance(value, (int, float)):
        return None
    return NumberDataPoint(labels, begin, now, int(value) if isinstance(value, bool) else value)


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
