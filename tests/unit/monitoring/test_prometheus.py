"""What is rendered is read again by the client library's own parsers."""

from __future__ import annotations

import math
import re
from typing import Any, get_args

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain

from hub.monitoring.prometheus import render
from hub.monitoring.prometheus_families import families, name_of
from hub.stats.condition import CONDITIONS
from hub.status.catalogue import CATALOGUE
from hub.status.states import ConsumerState, StoreState, ThreadState
from tests.support import ROOT
from tests.unit.monitoring.exported import whole
from tests.unit.monitoring.snapshots import backend, consumer, snapshot

OPEN = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(status: dict[str, Any], accept: str | None = None) -> Samples:
    content_type, body = render(status, accept)
    parse = open_metrics if "openmetrics" in content_type else plain
    families = list(parse(body.decode()))
    assert all(family.documentation for family in families)
    samples = [sample for family in families for sample in family.samples]
    found = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(found) == len(samples), "a sample was there twice"
    return found


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"hubbub_{name}", frozenset(labels.items())))


def test_a_backlog_by_stream_has_the_stream_as_a_label_and_no_sum() -> None:
    row = backend(backlog_on_bus=5, backlog_on_bus_by={"a": 2, "b": 3}, pending_on_bus=None, pending_on_bus_by={})
    samples = read({**snapshot(), "backends": {"bus": row, "other": backend()}})
    name = "hubbub_backend_backlog_on_bus_messages"
    found = {labels: number for (one, labels), number in samples.items() if one == name}
    assert found == {
        frozenset({("backend", "bus"), ("stream", stream)}): number for stream, number in (("a", 2), ("b", 3))
    }
    assert not [one for one, _ in samples if "pending_on_bus" in one]


@pytest.mark.parametrize("accept", [None, OPEN])
def test_545_behind_is_545_in_both_formats(accept: str | None) -> None:
    found = read(snapshot(), accept)
    assert value(found, "consumer_backlog_messages", consumer="slow") == 545
    assert value(found, "consumer_received_total", consumer="slow") == 600
    assert value(found, "consumer_dropped_total", consumer="slow", cause="newest") == 4
    assert value(found, "consumer_catch_up_seconds", consumer="slow") == 54.5
    assert value(found, "consumer_falling_behind", consumer="slow") == 0
    assert value(found, "consumer_utilisation_ratio", consumer="slow") == 0.75
    assert value(found, "consumer_threads", consumer="slow", state="busy") == 1
    assert value(found, "consumer_threads", consumer="slow", state="stuck") == 0
    assert value(found, "backend_malformed_total", backend="bus", cause="not JSON") == 2
    assert value(found, "backend_connected", backend="bus") == 1
    assert value(found, "hub_info", version="0.1.0") == 1
    assert value(found, "hub_ready") == 1
    assert value(found, "store_commit_seconds", quantile="0.95") == 0.002
    assert value(found, "exporter_failed_total", exporter="collectd") == 1


@pytest.mark.parametrize(
    ("accept", "format_"),
    [
        (None, "text/plain"),
        ("", "text/plain"),
        ("*/*", "text/plain"),
        ("text/html", "text/plain"),
        (OPEN, "application/openmetrics-text; version=1.0.0"),
        ("application/openmetrics-text;version=abc", "application/openmetrics-text; version=1.0.0"),
        ("Application/OpenMetrics-Text;version=2.<script>", "application/openmetrics-text; version=1.0.0"),
        ("x," * 100_000 + "application/openmetrics-text", "text/plain"),
    ],
)
def test_the_format_is_what_the_scraper_asks_for_and_nothing_of_its_header_comes_back(
    accept: str | None, format_: str
) -> None:
    content_type, body = render(snapshot(), accept)
    assert content_type.startswith(format_)
    assert "script" not in content_type
    assert body.endswith(b"# EOF\n") == ("openmetrics" in format_)


def test_what_is_not_known_is_left_out() -> None:
    names = ("oldest_age", "catch_up_seconds", "utilisation", "consume_histogram", "workers")
    found = read(snapshot(slow=consumer(trend="unknown", **dict.fromkeys(names))))
    assert value(found, "consumer_backlog_messages", consumer="slow") == 545
    assert value(found, "store_commit_seconds", quantile="0.99") is None
    absent = ("oldest_age", "catch_up", "utilisation", "consume_seconds", "threads{")
    assert [name for name, _ in found if any(part in name for part in absent)] == []


def test_a_snapshot_with_the_least_is_rendered() -> None:
    least = {"hub": {}, "backends": {"b": {"malformed": 3, "received": "many"}}, "consumers": {}, "exporters": {}}
    assert value(read(least), "backend_connected", backend="b") == 0


def test_falling_behind_takes_for_ever() -> None:
    found = read(snapshot(slow=consumer(trend="falling_behind", catch_up_seconds=None)), OPEN)
    assert value(found, "consumer_catch_up_seconds", consumer="slow") == math.inf
    assert value(found, "consumer_falling_behind", consumer="slow") == 1


@pytest.mark.parametrize("state", ["stuck", "failing to start", "of a later version"])
def test_one_state_is_1_and_the_others_are_0(state: str) -> None:
    found = read(snapshot(slow=consumer(state=state)))
    states = {dict(labels)["state"]: number for (name, labels), number in found.items() if "consumer_state" in name}
    assert {name for name, number in states.items() if number} == {state}
    assert {"running", "stuck", "orphan"} <= set(states)


@pytest.mark.parametrize("accept", [None, OPEN])
def test_the_histogram_is_cumulative(accept: str | None) -> None:
    found = read(snapshot(), accept)
    name = "hubbub_consumer_consume_seconds_bucket"
    buckets = {float(dict(labels)["le"]): count for (given, labels), count in found.items() if given == name}
    assert [buckets[bound] for bound in sorted(buckets) if 0.001 < bound < 1] == [0, 0, 30, 50, 50]
    assert buckets[math.inf] == 50 == value(found, "consumer_consume_seconds_count", consumer="slow")
    assert value(found, "consumer_consume_seconds_sum", consumer="slow") == pytest.approx(1.5)
    assert len(buckets) < 20


def test_each_bucket_counts_those_below_it_too() -> None:
    found = read(snapshot(slow=consumer(consume_histogram={"bounds": [0.1, 1.0], "counts": [1, 2, 3], "sum": 9})))
    assert value(found, "consumer_consume_seconds_bucket", consumer="slow", le="0.1") == 1
    assert value(found, "consumer_consume_seconds_bucket", consumer="slow", le="1.0") == 3
    assert value(found, "consumer_consume_seconds_bucket", consumer="slow", le="+Inf") == 6


@pytest.mark.parametrize("accept", [None, OPEN])
def test_names_are_values_whatever_they_are(accept: str | None) -> None:
    name = 'a"b\\c\n# HELP x {}="é"'
    status = {**snapshot(**{name: consumer(state=name)}), "backends": {name: backend(malformed={name: 1})}}
    found = read(status, accept)
    assert value(found, "consumer_backlog_messages", consumer=name) == 545
    assert value(found, "backend_malformed_total", backend=name, cause=name) == 1


def test_the_documentation_has_every_metric_and_no_other() -> None:
    advice, numbers = (
        (ROOT / "docs" / f"{name}.rst").read_text(encoding="utf-8") for name in ("prometheus", "metrics")
    )
    endings = {"counter": "_total", "info": "_info"}
    names = {family.name + endings.get(family.type, "") for family in families(whole())}
    assert len(names) > 80
    listed = set(re.findall(r"Prometheus ``(\w+)``", numbers)) | set(re.findall(r"\* - ``(\w+)``", advice))
    assert listed == names
    assert set(re.findall(r"\bhubbub_[a-z_]+", advice)) <= names


def test_the_advice_has_a_row_for_every_number_that_is_red() -> None:
    """Those that the catalogue marks: the page, ``hubbub top`` and the metrics of Prometheus agree on what is wrong."""
    advice = (ROOT / "docs" / "prometheus.rst").read_text(encoding="utf-8")
    rows = {name for row in re.findall(r"(?m)^   \* - (``.*)$", advice) for name in re.findall(r"``(\w+)``", row)}
    red = {
        name + ("_total" if metric.kind == "counter" else "")
        for section in CATALOGUE
        for metric in section.metrics
        if metric.level != "ok" and (name := name_of(metric))
    }
    assert sorted(red - rows) == [], "each wants a row in docs/prometheus.rst: when it is red, and what to do"


def test_the_advice_names_every_state_and_condition() -> None:
    text = " ".join((ROOT / "docs" / "prometheus.rst").read_text(encoding="utf-8").split())
    for words, name in (
        (get_args(ConsumerState), "consumer_state"),
        (CONDITIONS, "consumer_condition"),
        (get_args(ThreadState), "consumer_threads"),
        (get_args(StoreState), "store_state"),
    ):
        _, _, row = text.partition(f"* - ``hubbub_{name}``")
        assert [word for word in words if not re.search(rf"\b{word}\b", row.partition("* - ")[0])] == [], name


def test_every_condition_that_holds_is_1_and_all_others_are_0() -> None:
    held = [{"word": word, "level": "bad", "reason": ""} for word in ("losing", "failing")]
    found = read(snapshot(slow=consumer(conditions=held)))
    told = {
        dict(labels)["condition"]: number for (name, labels), number in found.items() if "consumer_condition" in name
    }
    assert {word for word, number in told.items() if number} == {"losing", "failing"}
    assert set(told) == set(CONDITIONS)
