"""All that the exporters make of one status, as sorted lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from opentelemetry.sdk.metrics.export import HistogramDataPoint, Metric
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as open_metrics

from hub.monitoring.collectd_values import rows
from hub.monitoring.figures import figures, text
from hub.monitoring.opentelemetry_metrics import metrics_of
from hub.monitoring.prometheus_families import families
from hub.monitoring.snmp_agent import format_oid
from hub.monitoring.snmp_values import objects
from hub.status.catalogue import CATALOGUE, StatusSection, described

Status = Mapping[str, Any]


class _Families:
    def __init__(self, status: Status, catalogue: Sequence[StatusSection]) -> None:
        self.collect = lambda: families(status, catalogue)


def _scrape(encode: Callable[[Any], bytes], status: Status, catalogue: Sequence[StatusSection]) -> Iterable[str]:
    registry = CollectorRegistry()
    registry.register(_Families(status, catalogue))
    return (line for line in encode(registry).decode().splitlines() if not line.startswith("# HELP"))


def prometheus(status: Status, catalogue: Sequence[StatusSection] = CATALOGUE) -> list[str]:
    return sorted(_scrape(generate_latest, status, catalogue))


def openmetrics(status: Status, catalogue: Sequence[StatusSection] = CATALOGUE) -> list[str]:
    return sorted(_scrape(open_metrics, status, catalogue))


def opentelemetry(status: Status, catalogue: Sequence[StatusSection] = CATALOGUE) -> list[str]:
    (resource,) = metrics_of(status, Resource({}), catalogue).resource_metrics
    return sorted(line for metric in resource.scope_metrics[0].metrics for line in _points(metric))


def _points(metric: Metric) -> Iterable[str]:
    kind = type(metric.data).__name__ + (" monotonic" if getattr(metric.data, "is_monotonic", False) else "")
    for point in metric.data.data_points:
        what: Any = (
            (point.count, point.sum, tuple(point.bucket_counts), tuple(point.explicit_bounds))
            if isinstance(point, HistogramDataPoint)
            else getattr(point, "value", None)
        )
        times = f"{point.start_time_unix_nano} {point.time_unix_nano}"
        yield f"{metric.name} {kind} {metric.unit} {sorted((point.attributes or {}).items())} {times} {what}"


def collectd(status: Status, catalogue: Sequence[StatusSection] = CATALOGUE) -> list[str]:
    return sorted(" ".join(map(str, row)) for row in rows(status, described(catalogue)))


def statsd(status: Status, catalogue: Sequence[StatusSection] = CATALOGUE) -> list[str]:
    return sorted(f"{each.name('p')} {each.kind} {text(each.number)}" for each in figures(status, catalogue))


def snmp(status: Status, catalogue: Sequence[StatusSection] = CATALOGUE) -> list[str]:
    found = objects(status, catalogue=catalogue).items()
    return sorted(f"{format_oid(oid)} {value.kind} {value.text}" for oid, value in found)


EXPORTED: Mapping[str, Callable[[Status], list[str]]] = {
    "prometheus": prometheus,
    "openmetrics": openmetrics,
    "opentelemetry": opentelemetry,
    "collectd": collectd,
    "figures": statsd,
    "snmp": snmp,
}


VALUES: Mapping[str, Any] = {
    "counter": 3,
    "gauge": 2,
    "flag": True,
    "quantiles": {"p50": 0.1, "p95": 0.2, "p99": 0.3},
    "histogram": {"bounds": [0.1, 1.0], "counts": [1, 2, 3], "sum": 4.0},
}


def whole() -> dict[str, Any]:
    """A status with every number of the catalogue."""
    found: dict[str, Any] = {part.name: _row(part) for part in CATALOGUE}
    store, consumer = found.pop("store"), found["consumers"]
    consumer |= {"conditions": [], "workers": [], "trend": "idle", "durable": True}
    for part in CATALOGUE:
        if part.within:
            found[part.within][part.name] = {"y": found.pop(part.name)}
    hub = {**found["hub"], "time": 1_700_000_000.0, "version": "1", "store": store}
    return {"hub": hub, **{name: {"x": row} for name, row in found.items() if name != "hub"}}


def _row(part: StatusSection) -> dict[str, Any]:
    return {
        metric.key: {"some": 1} if metric.by else metric.words[0] if metric.words else VALUES[metric.kind]
        for metric in part.metrics
    }
