"""The hub's numbers under collectd's names."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from hub.monitoring.collectd_values import identifiers, rows
from hub.status.catalogue import described
from tests.support import require

TYPES_DB = Path("/usr/share/collectd/types.db")


def status(**consumers: dict[str, Any]) -> dict[str, Any]:
    backends = {"bus": {"received": 7, "gaps": 1, "malformed": {"frames": 2, "oversize": 3}}}
    return {"hub": {"received": 9, "resident_bytes": 5}, "consumers": consumers, "backends": backends}


def found(snapshot: dict[str, Any]) -> dict[str, float]:
    return {f"{kind}-{instance}": number for kind, instance, _, number in rows(snapshot, described())}


def test_the_backlog_has_the_name_of_the_old_graphs() -> None:
    values = found(status(SlowConsumer={"backlog": 12, "received": 20}))
    assert values["queue_length-SlowConsumer_backlog"] == 12
    assert values["derive-SlowConsumer_received"] == 20
    assert values["derive-backend_bus_malformed"] == 5


def test_a_gauge_by_stream_is_its_sum_where_there_is_one() -> None:
    snapshot = status()
    snapshot["backends"]["shared"] = {"backlog_on_bus": 5, "backlog_on_bus_by": {"a": 2, "b": 3}}
    assert {name: number for name, number in found(snapshot).items() if "on_bus" in name} == {
        "gauge-backend_shared_backlog_on_bus": 5
    }


def test_what_is_not_known_is_no_number() -> None:
    values = found(
        status(c={"backlog": 0, "catch_up_seconds": None, "oldest_age": None, "consume_time": {"p99": None}})
    )
    assert math.isnan(values["timeleft-c_catch_up"])
    assert math.isnan(values["delay-c_oldest"])
    assert math.isnan(values["response_time-c_consume_p99"])


def test_a_count_that_is_not_known_is_left_out() -> None:
    snapshot = status(c={"received": None, "finished": 3})
    snapshot["backends"]["bus"]["gaps"] = None
    values = found(snapshot)
    assert {"derive-c_received", "derive-backend_bus_gaps"} & set(values) == set()
    assert (values["derive-c_finished"], values["derive-backend_bus_received"]) == (3, 7)


def test_names_are_such_as_collectd_takes_and_stay_apart() -> None:
    assert identifiers(["a-b", "a/b", "a_b", "é"]) == {"a-b": "a_b", "a/b": "a_b_2", "a_b": "a_b_3", "é": "_"}


def test_all_types_are_in_collectds_stock_list() -> None:
    require(TYPES_DB.exists(), f"there is no {TYPES_DB}")
    known = {line.split()[0]: line for line in TYPES_DB.read_text().splitlines() if line and not line.startswith("#")}
    row = {"consume_time": {"p50": 0.1}, "age_at_finish": {"p50": 0.1}}
    for kind, _, source, _ in rows(status(c=row), described()):
        assert known[kind].count(":") == 3, f"{kind} has more than one data source"
        assert source.upper() in known[kind]


@pytest.mark.parametrize("seconds", [0.001, 2.0])
def test_times_are_in_collectds_milliseconds(seconds: float) -> None:
    values = found(status(c={"consume_time": {"p50": seconds}}))
    assert values["response_time-c_consume_p50"] == pytest.approx(seconds * 1000)
