"""What goes round goes on."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from hub.partlog import part_log
from hub.periodic import Periodic


def periodic(clock: Clock) -> Periodic:
    return Periodic(clock, part_log("hub", "service"))


def test_each_comes_after_its_own_time_and_not_at_once() -> None:
    clock, seen = Clock(), list[str]()
    both = periodic(clock)
    both.begin(lambda: seen.append("often"), 1.0)
    both.begin(lambda: seen.append("seldom"), 2.0)
    assert seen == []
    clock.pump([1.0] * 4)
    assert (seen.count("often"), seen.count("seldom")) == (4, 2)


def test_one_that_fails_is_told_of_and_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    periodic(clock).begin(lambda: 1 // 0, 1.0)
    clock.pump([1.0, 1.0])
    assert [record.exc_info is not None for record in caplog.records] == [True, True]


def test_one_can_be_stopped_and_all_can() -> None:
    clock, seen = Clock(), list[str]()
    three = periodic(clock)
    three.begin(lambda: seen.append("one"), 1.0).stop()
    three.begin(lambda: seen.append("two"), 1.0)
    clock.advance(1.0)
    assert seen == ["two"]
    three.stop()
    clock.advance(1.0)
    assert (seen, clock.getDelayedCalls()) == (["two"], [])
