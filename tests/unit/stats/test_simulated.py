"""What is told of simulated consumers: what must never be said, what must be said in time, how often it is wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.stats.simulated import Consumer, Said, arrivals, constant, exponential, share

SEEDS = range(3)


def told(consumer: Consumer, stop: float, start: float = 0) -> list[Said]:
    return [said for said in consumer.watched(0, stop) if said.time >= start]


def first(said: list[Said], trend: str) -> float:
    return next((one.time for one in said if one.catch_up.trend == trend), float("inf"))


def bursts(every: int, count: int, over: float, stop: int) -> list[float]:
    return [start + over * at / count for start in range(10, stop, every) for at in range(count)]


KEEPS_UP: dict[str, Callable[[], Consumer]] = {
    "low rate": lambda: Consumer(arrivals(constant(5.1), 0, 600), constant(2)),
    "low rate, beside one that never ends": lambda: Consumer(
        arrivals(constant(5.1), 0, 600), constant(2), poison=(0.1, 3.0)
    ),
    "bursts at once": lambda: Consumer(bursts(30, 100, 0, 600), constant(0.1)),
    "bursts of seconds": lambda: Consumer(bursts(30, 100, 5, 600), constant(0.1)),
    "exactly balanced": lambda: Consumer(arrivals(constant(0.1), 0, 600), constant(0.1)),
    "exactly balanced, behind": lambda: Consumer([0.1] * 50 + arrivals(constant(0.1), 0, 600), constant(0.1)),
    "four threads": lambda: Consumer(arrivals(constant(0.7), 0, 600), constant(2), threads=4),
    "batches": lambda: Consumer(arrivals(constant(1 / 8), 0, 600), constant(0.1), batch=100),
}


@pytest.mark.parametrize("name", KEEPS_UP)
def test_who_keeps_up_is_never_told_to_fall_behind(name: str) -> None:
    assert share(told(KEEPS_UP[name](), 600), "falling_behind") == 0


@pytest.mark.parametrize(
    ("load", "work", "threads"), [(0.4, 2, 1), (0.8, 2, 1), (0.8, 0.1, 1), (0.8, 2, 4), (0.9, 0.1, 1)]
)
def test_nor_is_one_with_time_to_spare_by_chance(load: float, work: float, threads: int) -> None:
    """In half an hour of each."""
    for seed in SEEDS:
        times = arrivals(exponential(work / threads / load, seed), 0, 600)
        said = told(Consumer(times, exponential(work, seed + 100), threads), 600)
        assert share(said, "falling_behind") == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_walk_is_seldom_more_than_steady(seed: int) -> None:
    """As much comes as can be done, at random: the backlog does grow, and shrink, for minutes."""
    said = told(Consumer(arrivals(exponential(0.1, seed), 0, 1500), constant(0.1)), 1500)
    assert share(said, "falling_behind") < 0.03
    assert share(said, "catching_up") < 0.08


OVERLOADED = {
    "5 % more": (1.05, 20, 1),
    "half as much again": (1.5, 10, 1),
    "half as much again, four threads": (1.5, 10, 4),
    "twice as much, seldom": (2, 2, 1),
    "a thousand a second": (1.05, 1000, 1),
}


@pytest.mark.parametrize("name", OVERLOADED)
def test_who_gets_more_than_it_can_do_is_told_so_within_some_ten_seconds_and_from_then_on(name: str) -> None:
    load, rate, threads = OVERLOADED[name]
    times = arrivals(constant(1 / rate / load), 0, 60)
    said = told(Consumer(times, constant(threads / rate), threads), 60)
    since = first(said, "falling_behind")
    assert since <= 13
    assert {one.catch_up.trend for one in said if one.time >= since} == {"falling_behind"}


@pytest.mark.parametrize(("rate", "load", "within"), [(100, 1.5, 11), (10, 2, 20), (10, 1.5, 35), (2, 2, 60)])
def test_what_comes_at_random_is_told_as_soon_as_it_can_be_known(rate: float, load: float, within: float) -> None:
    for seed in SEEDS:
        times = arrivals(exponential(1 / rate / load, seed), 0, 90)
        said = told(Consumer(times, exponential(1 / rate, seed + 9)), 90)
        assert first(said, "falling_behind") <= within
        assert share([one for one in said if one.time > within], "catching_up", "idle") == 0


def test_batches_and_long_messages_are_told_after_a_few_of_them() -> None:
    batches = Consumer(arrivals(constant(1 / 15), 0, 120), constant(0.1), batch=100)
    assert first(told(batches, 120), "falling_behind") < 45
    long = Consumer(arrivals(constant(1), 0, 120), constant(20))
    assert first(told(long, 120), "falling_behind") < 70


@pytest.mark.parametrize("poison", [(0.1, 1.0), (0.1, 30.0), (5.0, 1.0), (3600.0, 1.0)])
def test_one_message_that_never_ends_is_unknown_and_never_flaps(poison: tuple[float, float]) -> None:
    assert share(told(Consumer([], constant(1), poison=poison), 300), "unknown") == 1


def test_136_in_and_136_out_with_one_delayed_keep_level() -> None:
    times = arrivals(exponential(0.44, 1), 0, 300)
    said = told(Consumer(times, constant(0.05), poison=(0.1, 3.0)), 300, start=3)
    assert share(said, "steady") == 1


def test_one_that_is_stuck_with_many_is_unknown_from_the_first_second_on() -> None:
    said = told(Consumer([20.5] * 545, constant(3600)), 300)
    assert [one.backlog for one in said if one.catch_up.trend == "idle"] == [0] * 41
    assert share(said, "idle", "unknown") == 1


def test_a_backlog_and_no_backlog_are_told_as_they_are() -> None:
    for name, make in KEEPS_UP.items():
        assert all((one.catch_up.trend == "idle") == (one.backlog == 0) for one in told(make(), 100)), name


def error(said: Said, clear: float) -> float:
    assert said.catch_up.seconds is not None
    return abs(said.catch_up.seconds - (clear - said.time)) / (clear - said.time)


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("rate_in", [1, 5, 8])
def test_the_time_is_right_within_a_tenth_and_within_a_quarter_while_estimated(rate_in: int, threads: int) -> None:
    """545 come at once, to one that does ten a second; until half a minute is left."""
    times = [20.5] * 545 + arrivals(constant(1 / rate_in), 0, 400)
    said = told(Consumer(times, constant(threads / 10), threads), 400, start=20.5)
    clear = next(after.time for after in said if after.backlog <= threads)
    numbers = [one for one in said if one.catch_up.trend == "catching_up" and one.time < clear - 30]
    assert len(numbers) > 0.95 * 2 * (clear - 50.5)
    assert max(error(one, clear) for one in numbers) < 0.25
    assert max(error(one, clear) for one in numbers if not one.catch_up.estimated) < 0.1
    assert not any(one.catch_up.estimated for one in numbers if one.time > 30)


def test_of_what_comes_at_random_the_time_is_right_within_a_factor_of_three() -> None:
    """No better is it known from a minute's samples."""
    for seed in SEEDS:
        consumer = Consumer([0.5] * 1000 + arrivals(exponential(1 / 6, seed), 0, 600), constant(0.1))
        said = told(consumer, 200, start=60)
        assert share(said, "catching_up") > 0.97
        seconds = [one.catch_up.seconds / (one.backlog / 4) for one in said if one.catch_up.seconds]
        assert min(seconds) > 0.5
        assert max(seconds) < 3


@pytest.mark.parametrize("phase", range(20))
def test_just_after_a_burst_no_time_is_told_that_is_out_of_all_proportion(phase: int) -> None:
    """600 come in ten seconds to one that does fifteen a second; the window of what came lately still holds some."""
    start = 8 + phase / 20
    consumer = Consumer([start + at / 60 for at in range(600)], constant(1 / 15))
    said = told(consumer, 50, start=start + 10)
    clear = next(one.time for one in said if not one.backlog)
    seconds = [(one.catch_up.seconds, clear - one.time) for one in said if one.catch_up.seconds]
    assert len(seconds) > 40
    assert all(predicted < 1.6 * true + 1 for predicted, true in seconds)
