"""The simulation of how messages are divided among workers."""

from random import Random

import pytest

from benchmarks.dispatch.__main__ import OBSERVED
from benchmarks.dispatch.policies import POLICIES
from benchmarks.dispatch.simulation import Outcome, simulate, unevenness

USUAL = 11.3
"""Chi-squared that a split by chance among four exceeds once in a hundred times."""


def run(policy: str, seconds: tuple[float, ...], count: int, rate: float | None = None, seed: int = 1) -> Outcome:
    return simulate(POLICIES[policy], seconds, count, rate, Random(seed))


def test_chance_splits_a_weekend_as_it_was_observed_to() -> None:
    assert unevenness(OBSERVED) < USUAL
    found = [unevenness(run("random", (0.01,) * 4, sum(OBSERVED), None, seed).messages) for seed in range(5)]
    assert sorted(found)[2] < USUAL  # the median of five: one of them may be unusual
    assert min(found) > 0.1  # as uneven as chance, no evener


@pytest.mark.parametrize("policy", POLICIES)
def test_every_message_is_given_to_one_worker(policy: str) -> None:
    outcome = run(policy, (1.0, 2.0, 3.0), 1000)
    assert sum(outcome.messages) == len(outcome.waits) == 1000
    assert outcome.makespan >= outcome.ideal


def test_who_pulls_works_in_proportion_to_his_speed_and_is_never_idle() -> None:
    outcome = run("pulling", (1.0, 1.0, 1.0, 3.0), 1000)
    assert outcome.messages == [300, 300, 300, 100]
    assert outcome.makespan == outcome.ideal == pytest.approx(300)


def test_messages_dealt_out_in_turn_wait_for_the_slowest() -> None:
    outcome = run("round robin", (1.0, 1.0, 1.0, 3.0), 1000)
    assert outcome.messages == [250] * 4
    assert outcome.makespan == pytest.approx(750)


def test_a_large_prefetch_leaves_the_last_messages_with_the_slowest() -> None:
    outcome = run("pulling, prefetch 50", (1.0, 1.0, 1.0, 3.0), 200)
    assert outcome.messages == [50] * 4
    assert outcome.makespan == pytest.approx(150)


def test_workers_that_are_fast_enough_keep_nobody_waiting() -> None:
    assert run("pulling", (0.01,) * 4, 1000, rate=10).waits[-1] == pytest.approx(0)
