"""Metric families for Prometheus: the catalogue's numbers, and a few that only Prometheus gets.

Unknown numbers are left out. Names (consumers, backends, causes) are label values, which the client library escapes.
``docs/metrics.rst`` lists all, ``docs/prometheus.rst`` explains each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import accumulate, groupby
from operator import attrgetter
from typing import Any, get_args

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.utils import floatToGoString

from hub.status import metric as catalogued
from hub.status.catalogue import CATALOGUE, NOUNS, SPLIT, Reading, StatusSection, exported, metrics
from hub.status.states import CONNECTED, ConditionWord, ThreadState

Row = Mapping[str, Any]

NAMES = {("consumers", "consume_histogram"): "consume_seconds"}
"""Names that can't be derived from the key and the unit."""
SUFFIXES = {"s": "_seconds", "By": "_bytes", "1": "_ratio", "{message}": "_messages", "{batch}": "_batches"}
"""Suffixes of gauges and times, by unit, if the name does not end so."""
LEFT_OUT = frozenset({("consumers", "consume_time"), ("consumers", "threads")})
"""Metrics that are exported in another form: as a histogram, and by state."""
QUANTILES = {"p50": "0.5", "p95": "0.95", "p99": "0.99"}


@cache
def name_of(metric: catalogued.Metric) -> str:
    """Name of the family; a counter's sample ends with ``_total`` too. Empty: it is not exported."""
    place = (metric.section, metric.key)
    if metric.is_rate or place in LEFT_OUT or place in SPLIT:
        return ""
    suffix = SUFFIXES.get(metric.unit, "") if metric.kind in ("gauge", "quantiles", "histogram") else ""
    name = metric.known_as.removesuffix(suffix) + suffix
    return f"hubbub_{NOUNS[metric.section]}_{NAMES.get(place, name)}"


def families(snapshot: Row, catalogue: Sequence[StatusSection] = CATALOGUE) -> Iterator[Metric]:
    """Yield the families of a snapshot; those without a number are left out."""
    labels = {part.name: (part.label,) if part.label else () for part in catalogue}
    snapshot = exported(snapshot)
    status = {**snapshot, "consumers": {name: _forecast(row) for name, row in snapshot["consumers"].items()}}
    for metric, readings in groupby(metrics(status, catalogue), key=attrgetter("metric")):
        if (name := name_of(metric)) and (family := _family(name, metric, labels[metric.section], readings)).samples:
            yield family
    for family in _of_prometheus_alone(snapshot):
        if family.samples:
            yield family


def _forecast(row: Row) -> Row:
    """Row in which a consumer that falls behind has an infinite time to catch up."""
    return {**row, "catch_up_seconds": math.inf} if row.get("trend") == "falling_behind" else row


def _family(name: str, metric: catalogued.Metric, labels: tuple[str, ...], readings: Iterable[Reading]) -> Metric:
    known = [(row, value) for _, row, value in readings if value is not None]
    if metric.kind == "states":
        return _states(name, metric.help, labels, metric.words, known)
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(name, metric.help, labels=labels)
        for row, times in known:
            histogram.add_metric((row,), _cumulative(times["bounds"], times["counts"]), times["sum"])
        return histogram
    if metric.kind == "quantiles":
        summary = SummaryMetricFamily(name, metric.help, labels=labels)
        for row, times in known:
            for share, quantile in QUANTILES.items():
                if isinstance(seconds := times.get(share), (int, float)):
                    summary.add_sample(name, {**dict(zip(labels, (row,), strict=False)), "quantile": quantile}, seconds)
        return summary
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(name, metric.help, labels=(*labels, metric.by) if metric.by else labels)
    for row, value in known:
        if metric.by:
            for cause, count in value.items():
                family.add_metric((row, str(cause)), count)
        else:
            family.add_metric((row,), value)
    return family


def _states(
    name: str, text: str, labels: tuple[str, ...], words: Iterable[str], rows: Iterable[tuple[str, str]]
) -> Metric:
    """State set: 1 for the state of a row, 0 for the other known states."""
    family = GaugeMetricFamily(name, text, labels=(*labels, "state"))
    for row, state in rows:
        for each in dict.fromkeys((*words, state)):
            family.add_metric((row, each) if labels else (each,), each == state)
    return family


def _cumulative(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """Buckets of a histogram: upper bound, and cumulative count."""
    return list(zip([*map(_text, bounds), "+Inf"], accumulate(counts), strict=True))


def _text(bound: float) -> str:
    return str(floatToGoString(bound))  # type: ignore[no-untyped-call]


def _of_prometheus_alone(snapshot: Row) -> Iterator[Metric]:
    hub, consumers, backends = snapshot["hub"], snapshot["consumers"], snapshot["backends"]
    yield InfoMetricFamily("hubbub_hub", "What runs.", {"version": str(hub.get("version", ""))})
    if (state := (hub.get("store") or {}).get("state")) is not None:
        yield GaugeMetricFamily("hubbub_store_ok", "1: the store can write.", state == "ok")
    falling = [((name,), row.get("trend") == "falling_behind") for name, row in consumers.items()]
    text = "1: messages come faster than they are handled."
    yield _gauges("hubbub_consumer_falling_behind", text, ("consumer",), falling)
    yield _conditions(consumers)
    yield _threads(consumers)
    states = {name: str(row.get("state")) for name, row in backends.items()}
    up = [((name,), state in CONNECTED) for name, state in states.items()]
    yield _gauges("hubbub_backend_connected", "1: its connection to the bus stands.", ("backend",), up)
    yield _states("hubbub_backend_state", "1 for the state that it is in.", ("backend",), (), states.items())


def _gauges(name: str, text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for row, value in values:
        family.add_metric(row, value)
    return family


def _conditions(rows: Mapping[str, Row]) -> Metric:
    """Family of conditions: 1 for each that holds, 0 for the others."""
    held = {name: {one["word"] for one in row.get("conditions") or ()} for name, row in rows.items()}
    values = [((name, word), word in held[name]) for name in rows for word in get_args(ConditionWord)]
    text = "1 for each condition that holds; several may."
    return _gauges("hubbub_consumer_condition", text, ("consumer", "condition"), values)


def _threads(rows: Mapping[str, Row]) -> Metric:
    values: list[tuple[tuple[str, ...], float]] = []
    for name, row in rows.items():
        if (workers := row.get("workers")) is not None:
            states = [worker["state"] for worker in workers]
            values += [((name, state), states.count(state)) for state in get_args(ThreadState)]
    return _gauges("hubbub_consumer_threads", "Worker threads, by state.", ("consumer", "state"), values)
