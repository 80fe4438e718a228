"""Words for when a backlog will be gone."""

from __future__ import annotations

from typing import Any

import pytest

from hub.stats.words import TEXTS, CaughtUp, all_caught_up, caught_up

ROW = {
    "state": "running",
    "paused": False,
    "trend": "catching_up",
    "backlog": 545,
    "catch_up_seconds": 200.0,
    "catch_up_estimated": False,
    "catch_up_alone_seconds": None,
    "rate_in": 12.0,
    "rate_out": 8.5,
}
BEHIND = {"trend": "falling_behind", "catch_up_seconds": None}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, CaughtUp("gain", "in 3m 20s")),
        ({"catch_up_estimated": True}, CaughtUp("gain", "~in 3m 20s")),
        ({"backlog": 0, "trend": "idle", "catch_up_seconds": 0.0}, CaughtUp("clear", "now")),
        ({"backlog": 0, "trend": None}, CaughtUp("clear", "now")),
        (BEHIND, CaughtUp("behind", "falling behind", "by 3.5/s")),
        (
            BEHIND | {"catch_up_alone_seconds": 64.0},
            CaughtUp("behind", "falling behind", "by 3.5/s, 1m 4s of work waiting"),
        ),
        (BEHIND | {"rate_in": 8.54}, CaughtUp("behind", "falling behind")),
        (BEHIND | {"rate_in": 1.0}, CaughtUp("behind", "falling behind")),
        (BEHIND | {"rate_in": None, "rate_out": None}, CaughtUp("behind", "falling behind")),
        ({"trend": "steady", "catch_up_seconds": None}, CaughtUp("steady", "holding steady")),
        ({"trend": "unknown", "catch_up_seconds": None}, CaughtUp("unknown", "not known")),
        (
            {"trend": None, "catch_up_seconds": None, "state": "orphan"},
            CaughtUp("never", "no consumer"),
        ),
        ({"trend": None, "catch_up_seconds": None, "drained_by": "nobody"}, CaughtUp("never", "nobody reads it")),
        ({"paused": True}, CaughtUp("paused", "paused", "until resumed")),
        ({"paused": True, "paused_until": 9.0}, CaughtUp("paused", "paused")),
        ({"paused": True, "backlog": 0, "trend": "idle"}, CaughtUp("paused", "paused", "until resumed")),
    ],
)
def test_a_consumer(changes: dict[str, Any], said: CaughtUp) -> None:
    assert caught_up(ROW | changes) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "clear"}, CaughtUp("clear", "now")),
        ({"kind": "gain"}, CaughtUp("gain", "in 6m 40s", "b")),
        ({"kind": "gain", "estimated": True, "others": 2}, CaughtUp("gain", "~in 6m 40s", "b and 2 more")),
        ({"kind": "paused"}, CaughtUp("paused", "paused", "b: 1,901 waiting")),
        ({"kind": "steady", "others": 1}, CaughtUp("steady", "holding steady", "b and 1 more: 1,901 waiting")),
        ({"kind": "unknown"}, CaughtUp("unknown", "not known", "b: 1,901 waiting")),
        (
            {"kind": "behind", "loss": 3.5, "alone": 64.0},
            CaughtUp("behind", "falling behind", "b by 3.5/s, 1m 4s of work waiting"),
        ),
        ({"kind": "behind", "others": 1}, CaughtUp("behind", "falling behind", "b and 1 more")),
    ],
)
def test_the_whole_hub(changes: dict[str, Any], said: CaughtUp) -> None:
    known = {"consumer": "b", "others": 0, "backlog": 1901, "seconds": 400.0, "estimated": False}
    assert all_caught_up({**known, "loss": None, "alone": None, **changes}) == said


def test_each_kind_but_a_time_has_its_text() -> None:
    assert len(set(TEXTS.values())) == len(TEXTS) == 6
