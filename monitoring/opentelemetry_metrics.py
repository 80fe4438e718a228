"""Metrics in OpenTelemetry's data model. Pure: a snapshot in, ``MetricsData`` out.

Imported only if the exporter is used: OpenTelemetry's SDK is an extra.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from operator import attrgetter
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
from hub.status.catalogue import CATALOGUE, NOUNS, SPLIT, Reading, StatusSection, metrics
from hub.status.metric import Metric as Number

CUMULATIVE = AggregationTemporality.CUMULATIVE
SCOPE = InstrumentationScope("hubbub", __version__)
UNKNOWN = 0
"""Start time of counters: those of a durable queue are older than the hub's process."""


NAMES = {
    ("hub", "resident_bytes"): "memory",
    ("hub", "unaccounted_bytes"): "memory_unaccounted",
    ("store", "pending"): "pending_batches",
}
"""Names that can't be derived from the key."""
DURATION = "messaging.process.duration"
"""Name in OpenTelemetry's semantic conventions, which dashboards know."""
LABELS = {("backends", "malformed"): "kind"}
"""Label names of counts by cause, where it is not ``cause``."""
UNIT_ENDINGS = ("_seconds", "_bytes")
"""Endings of keys that are removed from names of gauges: a metric has a unit."""

Labels = dict[str, str]


@cache
def name_of(metric: Number) -> str:
    """Name of a metric. Empty: it is not exported, because it is a state, percentiles beside a histogram, a rate, or a
    sum of counts by cause."""
    place = (metric.section, metric.key)
    if metric.kind == "histogram":
        return DURATION
    if metric.kind in ("states", "quantiles") or metric.is_rate or place in SPLIT:
        return ""
    name = metric.known_as
    if metric.kind == "gauge":
        for ending in UNIT_ENDINGS:
            name = name.removesuffix(ending)
    return f"hubbub.{NOUNS[metric.section]}.{NAMES.get(place, name)}"


def metrics_of(
    snapshot: Mapping[str, Any], resource: Resource, catalogue: Sequence[StatusSection] = CATALOGUE
) -> MetricsData:
    """All metrics of a snapshot. An unknown number has no data point, which draws as a gap."""
    hub = snapshot["hub"]
    now = _nanoseconds(hub["time"])
    begin = _nanoseconds(hub["time"] - hub.get("uptime", 0.0))
    durable = {name for name, row in snapshot["consumers"].items() if row.get("durable")}
    found = []
    for metric, readings in groupby(metrics(snapshot, catalogue), key=attrgetter("metric")):
        known = [reading for reading in readings if reading.value is not None]
        if not (name := name_of(metric)) or not known:
            continue
        data: Gauge | Sum | Histogram
        if metric.kind == "histogram":
            data = Histogram([_duration(row, value, begin, now) for _, row, value in known], CUMULATIVE)
        else:
            points = []
            for reading in known:
                since = UNKNOWN if metric.section == "consumers" and reading.row in durable else begin
                points += [NumberDataPoint(labels, since, now, number) for labels, number in _labelled(reading)]
            data = Sum(points, CUMULATIVE, is_monotonic=True) if metric.kind == "counter" else Gauge(points)
        if data.data_points:
            found.append(Metric(name, metric.help, metric.unit, data))
    scope = ScopeMetrics(SCOPE, found, "")
    return MetricsData([ResourceMetrics(resource, [scope], resource.schema_url)])


def _labelled(reading: Reading) -> Iterator[tuple[Labels, float]]:
    metric, row, value = reading
    labels = {f"hubbub.{NOUNS[metric.section]}": row} if row else {}
    if not metric.by:
        yield labels, int(value) if isinstance(value, bool) else value
        return
    label = LABELS.get((metric.section, metric.key), metric.by)
    for reason, count in value.items():
        yield {**labels, f"hubbub.{label}": reason}, count


def _duration(consumer: str, histogram: Mapping[str, Any], begin: int, now: int) -> HistogramDataPoint:
    labels = {
        "messaging.system": "hubbub",
        "messaging.operation.name": "process",
        "messaging.consumer.group.name": consumer,
    }
    counts = histogram["counts"]
    # The minimum and maximum are unknown; OTLP allows to leave them out, which the SDK's types do not express.
    unknown: Any = None
    return HistogramDataPoint(
        labels, begin, now, sum(counts), histogram["sum"], counts, histogram["bounds"], unknown, unknown
    )


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
