"""The hub's numbers as a flat list."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.monitoring.figures import LONGEST_PREFIX, PREFIX, default_prefix, figures, growth, known, text, totals
from tests.unit.monitoring.snapshots import backend, consumer, snapshot


def found(document: dict[str, Any]) -> dict[str, float]:
    return {figure.name("p"): figure.number for figure in figures(document)}


def test_the_backlog_and_the_counts_of_each_consumer_are_there() -> None:
    values = found(snapshot())
    assert values["p.consumers.slow.backlog"] == 545
    assert values["p.consumers.slow.received"] == 600
    assert values["p.consumers.slow.dropped_by.newest"] == 4
    assert values["p.consumers.slow.oldest_age"] == 12.5
    assert values["p.consumers.slow.catch_up_seconds"] == 54.5


def test_a_stream_whose_name_has_dots_is_one_step_of_the_path() -> None:
    row = backend(backlog_on_bus=5, backlog_on_bus_by={"out.a": 2, "out_a": 3})
    values = found({**snapshot(), "backends": {"bus": row}})
    assert values["p.backends.bus.backlog_on_bus"] == 5
    assert values["p.backends.bus.backlog_on_bus_by.out_a"] == 2
    assert values["p.backends.bus.backlog_on_bus_by.out_a_2"] == 3


def test_what_grows_is_a_count_and_all_else_a_gauge() -> None:
    kinds = {figure.path: figure.kind for figure in figures(snapshot())}
    slow = ("consumers", "slow")
    counts = ("received", "finished", "failed", "retried", "dead", "dropped", "received_bytes")
    assert {kinds[(*slow, key)] for key in counts} | {kinds[(*slow, "dropped_by", "newest")]} == {"count"}
    gauges = ("backlog", "in_flight", "delayed", "threads", "utilisation")
    assert {kinds[(*slow, key)] for key in gauges} | {kinds[(*slow, "workers", "dead")]} == {"gauge"}


def test_times_of_percentiles_are_milliseconds() -> None:
    row = consumer(consume_time={"p50": 0.25, "p99": 2.0}, age_at_finish={"p95": 3.5})
    values = found(snapshot(c=row))
    assert values["p.consumers.c.consume_ms.p50"] == 250
    assert values["p.consumers.c.consume_ms.p99"] == 2000
    assert values["p.consumers.c.age_ms.p95"] == 3500
    assert values["p.store.commit_ms.p95"] == pytest.approx(2)
    assert values["p.hub.lag_ms"] == pytest.approx(2)


def test_threads_are_counted_by_what_they_do() -> None:
    workers = [{"name": f"c-{n}", "state": state} for n, state in enumerate(("busy", "busy", "stuck"))]
    values = found(snapshot(c=consumer(workers=workers)))
    states = {state: values[f"p.consumers.c.workers.{state}"] for state in ("idle", "busy", "stuck", "dead")}
    assert states == {"idle": 0, "busy": 2, "stuck": 1, "dead": 0}


def test_the_hub_the_store_and_the_backends_are_there() -> None:
    document = snapshot()
    document["backends"] = {"a-b": backend(malformed={"frames": 2, "oversize": 3})}
    values = found(document)
    assert values["p.hub.ready"] == 1
    assert values["p.hub.received"] == 1
    assert values["p.store.commits"] == 7
    assert values["p.backends.a_b.malformed"] == 5
    assert values["p.backends.a_b.gaps"] == 1


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, "many"])
def test_what_is_not_known_is_left_out(nothing: object) -> None:
    row = consumer(catch_up_seconds=nothing, oldest_age=nothing, consume_time={"p50": nothing})
    values = found(snapshot(c=row))
    assert {"p.consumers.c.catch_up_seconds", "p.consumers.c.oldest_age"} & set(values) == set()
    assert [name for name in values if "consume_ms" in name] == []
    assert known(nothing) is None


def test_a_hub_without_workers_a_store_or_anything_gives_what_it_has() -> None:
    document: dict[str, Any] = {"hub": {"received": 3}, "consumers": {"c": {"backlog": 1}}, "backends": {"b": {}}}
    assert found(document) == {"p.hub.received": 3, "p.consumers.c.backlog": 1, "p.backends.b.malformed": 0}


@given(st.lists(st.text(min_size=1, max_size=20), unique=True, max_size=5))
def test_names_are_letters_digits_and_dots_and_stay_apart(names: list[str]) -> None:
    document = snapshot(**{name: consumer() for name in names})
    made = [figure.name("p") for figure in figures(document)]
    assert len(made) == len(set(made))
    assert all(re.fullmatch(r"p(\.[A-Za-z0-9_]+)+", name) for name in made)


def test_growth_is_of_counts_that_were_there_and_did_not_go_down() -> None:
    before = {"same": 5.0, "more": 5.0, "reset": 5.0, "gone": 5.0}
    assert growth({"same": 5.0, "more": 12.0, "reset": 3.0, "new": 9.0}, before) == {"same": 0, "more": 7}


def test_totals_are_the_counts() -> None:
    all_totals = totals(figures(snapshot()))
    assert all_totals["consumers", "slow", "received"] == 600
    assert ("consumers", "slow", "backlog") not in all_totals


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.booleans())
def test_numbers_are_plain_decimals(number: float) -> None:
    assert re.fullmatch(r"-?\d+(\.\d*[1-9])?", text(number))
    assert float(text(number)) == pytest.approx(float(number), rel=1e-12, abs=1e-6)


def test_the_prefix_of_a_hub_that_was_given_none_names_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "web-1.example.org")
    assert default_prefix() == "hubbub.web_1_example_org"
    monkeypatch.setattr("socket.gethostname", lambda: "x" * 300)
    assert len(default_prefix()) == LONGEST_PREFIX
    assert re.fullmatch(PREFIX, default_prefix())
