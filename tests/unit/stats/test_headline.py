"""When all will have caught up, in a line that does not flicker."""

from __future__ import annotations

from typing import Any

import pytest

from hub.cli.times import all_clear
from hub.stats.headline import CALM, headline
from hub.stats.words import all_caught_up
from hub.status.hub import HeadlineRow
from hub.status.states import NOBODY
from tests.unit.cli.top.hub_double import row


def gaining(**changes: Any) -> dict[str, Any]:
    return row(catch_up_at=1060.0, oldest_age=CALM, **changes)


def waiting(trend: str, backlog: int = 1901, **changes: Any) -> dict[str, Any]:
    return row(trend=trend, backlog=backlog, catch_up_seconds=None, catch_up_at=None, oldest_age=CALM, **changes)


def test_a_hub_without_a_backlog_is_clear() -> None:
    assert headline({})["kind"] == "clear"
    assert headline({"a": row(backlog=0, in_flight=0, oldest_age=None, trend="idle")})["kind"] == "clear"


@pytest.mark.parametrize("trend", ["idle", "catching_up", "steady", "unknown"])
def test_a_consumer_that_keeps_up_is_clear_whatever_it_has_just_now(trend: str) -> None:
    busy = row(trend=trend, backlog=40, in_flight=4, oldest_age=CALM - 0.1)
    slow = row(trend=trend, backlog=4, in_flight=4, oldest_age=100.0)  # each takes minutes, and none waits
    spike = row(trend="falling_behind", backlog=9, oldest_age=1.0)
    assert headline({"busy": busy, "slow": slow, "spike": spike})["kind"] == "clear"


def test_a_queue_of_one_client_and_the_sums_of_many_are_none_of_the_hubs_work() -> None:
    rows = {"one": waiting("falling_behind", summed_in="sums"), "sums": waiting("falling_behind", queues=1)}
    assert headline(rows)["kind"] == "clear"
    assert headline({**rows, "jobs": gaining(declared=True)})["consumer"] == "jobs"


def test_what_nobody_reads_is_not_waited_for() -> None:
    rows = {"unread": waiting("falling_behind", drained_by=NOBODY), "jobs": gaining(drained_by="stomp")}
    assert headline(rows)["consumer"] == "jobs"


def test_the_last_one_to_be_clear_is_named() -> None:
    found = headline({"a": gaining(), "b": gaining(catch_up_seconds=90.0, catch_up_estimated=True), "c": gaining()})
    assert (found["kind"], found["consumer"], found["seconds"], found["others"]) == ("gain", "b", 90.0, 2)
    assert all_clear(found, 1000.0).startswith("caught up: ~in 1m 30s, ")


def test_a_few_that_hold_steady_do_not_hide_a_large_backlog() -> None:
    found = headline({"few": waiting("steady", 3), "many": gaining(backlog=1901)})
    assert (found["kind"], found["consumer"], found["backlog"]) == ("gain", "many", 1901)
    assert headline({"few": waiting("steady", 3)})["kind"] == "steady"


@pytest.mark.parametrize(
    ("trend", "backlog", "named"), [("unknown", 9, "many"), ("unknown", 10, "few"), ("steady", 10, "few")]
)
def test_how_many_are_a_few(trend: str, backlog: int, named: str) -> None:
    assert headline({"few": waiting(trend, backlog), "many": gaining(backlog=1901)})["consumer"] == named


def test_a_few_are_told_after_a_consumer_that_is_paused() -> None:
    paused = waiting("unknown", 2, state="paused", paused=True)
    assert headline({"few": waiting("steady", 3), "paused": paused})["kind"] == "paused"


@pytest.mark.parametrize(("backlog", "kind"), [(9, "clear"), (10, "behind")])
def test_one_that_falls_behind_is_told_before_its_messages_are_old(backlog: int, kind: str) -> None:
    found = headline({"a": row(trend="falling_behind", backlog=backlog, in_flight=backlog, oldest_age=0.0)})
    assert found["kind"] == kind


def test_the_largest_of_those_that_hold_steady_is_named_with_its_backlog() -> None:
    found = headline({"a": waiting("steady", 20), "b": waiting("steady"), "c": gaining()})
    assert (found["consumer"], found["backlog"], found["others"]) == ("b", 1901, 1)
    assert all_clear(found, 0.0) == "caught up: holding steady (b and 1 more: 1,901 waiting)"


def test_one_that_falls_behind_comes_first_with_what_it_would_take_alone() -> None:
    behind = waiting("falling_behind", catch_up_alone_seconds=64.0, rate_in=12.0, rate_out=8.5)
    found = headline({"a": waiting("steady"), "b": behind, "c": waiting("unknown"), "d": gaining()})
    assert (found["kind"], found["consumer"], found["alone"], found["loss"]) == ("behind", "b", 64.0, 3.5)
    assert headline({"b": behind | {"rate_in": None}})["loss"] is None
    assert headline({"b": behind | {"rate_out": None}})["loss"] is None
    assert headline({"b": behind | {"rate_in": 8.0}})["loss"] == 0.0
    assert headline({"a": waiting("steady", rate_in=12.0, rate_out=8.5)})["loss"] is None
    assert all_clear(found, 0.0) == "caught up: falling behind (b by 3.5/s, 1m 4s of work waiting)"


def test_orphans_never_count_and_paused_ones_only_where_nobody_else_is_behind() -> None:
    paused = waiting("unknown", state="paused", paused=True)
    orphan = waiting("unknown", state="orphan")
    assert headline({"a": orphan})["kind"] == "clear"
    assert headline({"a": orphan, "b": gaining()})["consumer"] == "b"
    assert headline({"a": paused, "b": gaining()})["consumer"] == "b"
    found = headline({"a": paused})
    assert (found["kind"], all_clear(found, 0.0)) == ("paused", "caught up: paused (a: 1,901 waiting)")
    assert all_clear(headline({"a": waiting("unknown")}), 0.0) == "caught up: not known (a: 1,901 waiting)"


def test_its_words_are_those_of_its_numbers() -> None:
    found = headline({"slow": waiting("falling_behind", rate_in=9.0, rate_out=4.0)})
    words = all_caught_up(dict(found))
    assert (found["text"], found["detail"]) == (words.text, words.detail)
    assert found.keys() == HeadlineRow.__annotations__.keys()
