"""How long a worker waits."""

from __future__ import annotations

from hub.queue.waiters import Wait


def test_without_a_wish_nobody_waits_for_more() -> None:
    assert not Wait(0.0, None, 0.0).lingers(0.0, 1, 9)


def test_for_more_it_waits_from_the_first_one_on() -> None:
    linger = Wait(0.0, None, 2.0)
    assert not linger.lingers(100.0, 0, 9)
    assert linger.lingers(101.0, 1, 9)
    assert linger.until == 103.0
    assert linger.lingers(102.9, 2, 9)
    assert not linger.lingers(103.0, 2, 9)


def test_once_there_are_enough_it_waits_no_more() -> None:
    linger = Wait(0.0, None, 2.0)
    assert linger.lingers(0.0, 8, 9)
    assert not linger.lingers(0.0, 9, 9)
    assert not linger.lingers(0.0, 10, 9)


def test_the_first_one_is_waited_for_until_the_deadline() -> None:
    assert Wait(5.0, 3.0, 0.0).deadline == 8.0
    assert Wait(5.0, 0.0, 0.0).deadline == 5.0
    assert Wait(5.0, None, 0.0).deadline is None


def test_a_clock_that_begins_at_zero_is_no_exception() -> None:
    linger = Wait(0.0, None, 2.0)
    assert linger.lingers(0.0, 1, 9)
    assert not linger.lingers(2.0, 1, 9)


def test_its_deadline_counts_again_once_it_waits_for_no_more() -> None:
    linger = Wait(0.0, 1.0, 5.0)
    assert linger.lingers(0.5, 1, 9)
    assert not linger.over(2.0)
    assert not linger.lingers(2.0, 9, 9)
    assert linger.over(2.0)
