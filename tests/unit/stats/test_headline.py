"""When all will have caught up, in a line that does not flicker."""

from __future__ import annotations

from typing import Any

import pytest

from hub.cli.moment import all_clear
from hub.stats.headline import CALM, headline
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


def test_the_last_one_to_be_clear_is_named() -> None:
    found = headline({"a": gaining(), "b": gaining(catch_up_seconds=90.0, catch_up_estimated=True), "c": gaining()})
    assert (found["kind"], found["consumer"], found["seconds"], found["others"]) == ("gain", "b", 90.0, 2)
    assert all_clear(found, 1000.0).startswith("all caught up ~in 1m 30s, ")


def test_a_few_that_hold_steady_do_not_hide_a_large_backlog() -> None:
    found = headline({"few": waiting("steady", 3), "many": gaining(backlog=1901)})
    assert (found["kind"], found["consumer"], found["backlog"]) == ("gain", "many", 1901)
    assert headline({"few": waiting("steady", 3)})["kind"] == "steady"


def test_the_largest_of_those_that_hold_steady_is_named_with_its_backlog() -> None:
    found = headline({"a": waiting("steady", 20), "b": waiting("steady"), "c": gaining()})
    assert (found["consumer"], found["backlog"], found["others"]) == ("b", 1901, 1)
    assert all_clear(found, 0.0) == "holding steady: b and 1 more with 1901"


def test_one_that_falls_behind_comes_first_with_what_it_would_take_alone() -> None:
    behind = waiting("falling_behind", catch_up_alone_seconds=64.0, rate_in=12.0, rate_out=8.5)
    found = headline({"a": waiting("steady"), "b": behind, "c": waiting("unknown"), "d": gaining()})
    assert (found["kind"], found["consumer"], found["alone"], found["loss"]) == ("behind", "b", 64.0, 3.5)
    assert headline({"b": behind | {"rate_in": None}})["loss"] is None
    assert all_clear(found, 0.0) == "falling behind: b with 1901"


def test_orphans_never_count_and_paused_ones_only_where_nobody_else_is_behind() -> None:
    paused = waiting("unknown", state="paused", paused=True)
    assert headline({"a": waiting("unknown", state="orphan")})["kind"] == "clear"
    assert headline({"a": paused, "b": gaining()})["consumer"] == "b"
    found = headline({"a": paused})
    assert (found["kind"], all_clear(found, 0.0)) == ("paused", "paused: a with 1901")
    assert all_clear(headline({"a": waiting("unknown")}), 0.0) == "time to catch up not known: a with 1901"
