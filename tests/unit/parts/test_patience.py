"""Waiting in the reactor."""

from __future__ import annotations

from twisted.internet.task import Clock

from hub.parts.patience import wait_for


def test_a_condition_that_holds_already_fires_at_once() -> None:
    fired: list[bool] = []
    wait_for(Clock(), lambda: True, 0.0).addCallback(fired.append)
    assert fired == [True]


def test_it_fires_when_the_condition_comes_true() -> None:
    clock, facts, fired = Clock(), list[int](), list[bool]()
    wait_for(clock, lambda: bool(facts), 5.0).addCallback(fired.append)
    clock.pump([0.1] * 10)
    assert fired == []
    facts.append(1)
    clock.advance(0.1)
    assert fired == [True]
    assert clock.getDelayedCalls() == []


def test_it_gives_up_in_time() -> None:
    clock, fired = Clock(), list[bool]()
    wait_for(clock, lambda: False, 1.0).addCallback(fired.append)
    clock.pump([0.1] * 9)
    assert fired == []
    clock.pump([0.1] * 2)
    assert fired == [False]
    assert clock.getDelayedCalls() == []


def test_without_a_timeout_it_never_gives_up() -> None:
    clock, fired = Clock(), list[bool]()
    wait_for(clock, lambda: False, None).addCallback(fired.append)
    clock.pump([3600.0] * 100)
    assert fired == []


def test_one_that_was_cancelled_looks_no_more() -> None:
    clock, looks = Clock(), list[int]()

    def look() -> bool:
        looks.append(1)
        return False

    waiting = wait_for(clock, look, None)
    waiting.addErrback(lambda _: None)
    waiting.cancel()
    clock.pump([0.1] * 3)
    assert len(looks) == 1
    assert clock.getDelayedCalls() == []
