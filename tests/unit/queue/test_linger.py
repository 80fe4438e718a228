"""How long a worker waits."""

from __future__ import annotations

from hub.queue.linger import Linger


def test_without_a_wish_nobody_waits_for_more() -> None:
    assert not Linger(0.0, None, 0.0).goes_on(0.0, 1, 9)


def test_for_more_it_waits_from_the_first_one_on() -> None:
    linger = Linger(0.0, None, 2.0)
    assert not linger.goes_on(100.0, 0, 9)
    assert linger.goes_on(101.0, 1, 9)
    assert linger.until == 103.0
    assert linger.goes_on(102.9, 2, 9)
    assert not linger.goes_on(103.0, 2, 9)


def test_once_there_are_enough_it_waits_no_more() -> None:
    linger = Linger(0.0, None, 2.0)
    assert linger.goes_on(0.0, 8, 9)
    assert not linger.goes_on(0.0, 9, 9)
    assert not linger.goes_on(0.0, 10, 9)


def test_the_first_one_is_waited_for_until_the_deadline() -> None:
    assert Linger(5.0, 3.0, 0.0).deadline == 8.0
    assert Linger(5.0, 0.0, 0.0).deadline == 5.0
    assert Linger(5.0, None, 0.0).deadline is None


def test_a_clock_that_begins_at_zero_is_no_exception() -> None:
    linger = Linger(0.0, None, 2.0)
    assert linger.goes_on(0.0, 1, 9)
    assert not linger.goes_on(2.0, 1, 9)
