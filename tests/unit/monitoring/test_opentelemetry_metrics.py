"""The hub's numbers in OpenTelemetry's terms."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics.export import Gauge, Histogram, Metric, Sum
from opentelemetry.sdk.resources import Resource

from hub.monitoring.opentelemetry_metrics import metrics_of
from tests.unit.monitoring.snapshots import backend, consumer, snapshot

NOW, BEGIN = 1_700_000_000 * 10**9, 1_699_999_940 * 10**9


def metrics(status: dict[str, Any]) -> dict[str, Metric]:
    (resource,) = metrics_of(status, Resource({"service.name": "hubbub"})).resource_metrics
    (scope,) = resource.scope_metrics
    assert scope.scope.name == "hubbub"
    return {metric.name: metric for metric in scope.metrics}


def points(metric: Metric) -> dict[tuple[Any, ...], Any]:
    assert not isinstance(metric.data, Histogram)
    return {tuple((point.attributes or {}).values()): point for point in metric.data.data_points}


def test_a_backlog_is_a_gauge_for_each_consumer() -> None:
    found = metrics(snapshot(slow=consumer(), fast=consumer(backlog=0)))["hubbub.consumer.backlog"]
    assert isinstance(found.data, Gauge)
    assert found.unit == "{message}"
    assert {key: point.value for key, point in points(found).items()} == {("slow",): 545, ("fast",): 0}
    assert {point.time_unix_nano for point in found.data.data_points} == {NOW}


def test_counts_only_grow_and_say_since_when() -> None:
    found = metrics(snapshot(kept=consumer(durable=True), lost=consumer(durable=False)))
    received = found["hubbub.consumer.received"].data
    assert isinstance(received, Sum)
    assert received.is_monotonic
    since = {point.attributes["hubbub.consumer"]: point.start_time_unix_nano for point in received.data_points}  # type: ignore[index]
    assert since == {"kept": 0, "lost": BEGIN}


def test_what_is_not_known_has_no_point() -> None:
    found = metrics(snapshot(slow=consumer(oldest_age=None, catch_up_seconds=None, consume_histogram=None)))
    assert not {"hubbub.consumer.oldest_age", "hubbub.consumer.catch_up", "messaging.process.duration"} & set(found)


def test_losses_are_told_by_their_cause_and_faults_by_their_kind() -> None:
    found = metrics({**snapshot(), "backends": {"bus": backend(malformed={"frames": 1, "not_json": 2})}})
    assert points(found["hubbub.consumer.dropped"])["slow", "newest"].value == 4
    assert {key: point.value for key, point in points(found["hubbub.backend.malformed"]).items()} == {
        ("bus", "frames"): 1,
        ("bus", "not_json"): 2,
    }


def test_consume_times_are_a_histogram_of_the_conventions() -> None:
    found = metrics(snapshot())["messaging.process.duration"]
    assert isinstance(found.data, Histogram)
    (point,) = found.data.data_points
    assert (point.count, found.unit) == (50, "s")
    assert point.sum == pytest.approx(1.5)
    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
    assert (point.attributes or {})["messaging.consumer.group.name"] == "slow"


def test_a_flag_is_one_or_nothing() -> None:
    assert points(metrics(snapshot())["hubbub.hub.ready"])[()].value == 1


def test_all_of_it_can_be_sent() -> None:
    request = encode_metrics(metrics_of(snapshot(), Resource({})))
    (histogram,) = (
        metric.histogram
        for metric in request.resource_metrics[0].scope_metrics[0].metrics
        if metric.name == "messaging.process.duration"
    )
    assert not histogram.data_points[0].HasField("min")
