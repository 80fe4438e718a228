"""Token buckets, on a clock that the test moves."""

from __future__ import annotations

import pytest

from hub.consumers.sending.rate import LONGEST_WAIT, MOST_DESTINATIONS, Bucket, Rates, parse_rate


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_at_once_then_at_the_rate() -> None:
    clock = Time()
    bucket = Bucket(2.0, 3, clock)
    assert [bucket.take() for _ in range(3)] == [0.0, 0.0, 0.0]
    assert bucket.take() == 0.5
    clock.now += 0.5
    assert bucket.take() == 0.0
    clock.now += 100
    assert [bucket.take() for _ in range(3)] == [0.0, 0.0, 0.0]
    assert bucket.take() > 0


def test_those_that_wait_are_told_to_come_one_after_the_other() -> None:
    clock = Time()
    bucket = Bucket(2.0, 1, clock)
    assert [bucket.take() for _ in range(5)] == [0.0, 0.5, 1.0, 1.5, 2.0]
    taken = 0
    for _ in range(4):  # each comes when it was told to
        clock.now += 0.5
        taken += bucket.take() == 0.0
    assert taken == 4


def test_a_wait_is_bounded() -> None:
    bucket = Bucket(1.0, 1, Time())
    waits = [bucket.take() for _ in range(1000)]
    assert max(waits) == LONGEST_WAIT
    slow = Bucket(0.001, 1, Time())
    assert [slow.take(), slow.take()] == [0.0, LONGEST_WAIT]


def test_a_clock_that_steps_back_gives_nothing_and_takes_nothing() -> None:
    clock = Time()
    bucket = Bucket(1.0, 1, clock)
    assert bucket.take() == 0.0
    clock.now -= 500
    assert 0 < bucket.take() <= LONGEST_WAIT


def test_each_destination_has_its_own() -> None:
    rates = Rates("1/s", 1, Time())
    assert [rates.take("a"), rates.take("b")] == [0.0, 0.0]
    assert rates.take("a") == 1.0


def test_destinations_are_bounded() -> None:
    rates = Rates("1/s", 1, Time())
    for number in range(MOST_DESTINATIONS + 5):
        rates.take(str(number))
    assert len(rates._buckets) == MOST_DESTINATIONS


def test_without_a_rate_nobody_waits() -> None:
    rates = Rates(None, 1, Time())
    assert {rates.take("a") for _ in range(100)} == {0.0}


@pytest.mark.parametrize(("text", "rate"), [("5/s", 5.0), ("120/m", 2.0), ("30/10s", 3.0), ("1/h", 1 / 3600)])
def test_rates_as_written(text: str, rate: float) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "5", "0/s", "5/", "/s", "5/0s", "-1/s", "5/parsec", "1.5/s", "5/s "])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="expected a rate such as '5/s'"):
        parse_rate(text)
