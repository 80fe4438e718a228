"""The database's clock steps: nobody who lives loses his jobs, and the dead do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.jobs import Fenced, Jobs
from tests.system.job_stores import silent_for

pytestmark = pytest.mark.system
Make = Callable[..., Jobs]


class Time:
    """The monotonic clock of a program."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def pass_time(time: Time, seconds: float, *alive: Jobs, step: float = 5.0) -> None:
    """Let time pass, while these renew their leases and do the upkeep."""
    for _ in range(round(seconds / step)):
        time.now += step
        for one in alive:
            one.heartbeat()
        for one in alive:
            one.maintain()


@pytest.fixture
def three(make: Make, time: Time) -> list[Jobs]:
    """Programs that have each claimed a job."""
    programs = [make(lease=15.0, clock=time) for _ in range(3)]
    programs[0].insert_many("q", range(3))
    for one in programs:
        assert len(one.claim()) == 1
        one.maintain()
    return programs


def test_a_step_forward_costs_no_living_process_its_jobs(three: list[Jobs], time: Time) -> None:
    """The clock goes an hour ahead just after all have renewed their leases."""
    first, second, _ = three
    pass_time(time, 10, *three)
    for one in three:
        silent_for(one, 3600)
    time.now += 2
    for _ in range(2):
        time.now += 1
        for one in (first, second):
            one.maintain()
    pass_time(time, 40, *three)
    for one in three:
        assert [job.attempt for job in one.in_hand] == [1]
        one.complete(one.in_hand)


@pytest.mark.parametrize("step", [0, 3600, -3600])
def test_the_dead_are_rescued_within_seconds_whatever_the_clock_does(
    three: list[Jobs], time: Time, step: float
) -> None:
    first, second, dead = three
    pass_time(time, 10, *three)
    silent_for(dead, step)
    pass_time(time, 20, first, second)
    (again,) = first.claim()
    assert again.attempt == 2
    with pytest.raises(Fenced):
        dead.complete(dead.in_hand)


def test_programs_that_live_shortly_rescue_together(make: Make, time: Time, three: list[Jobs]) -> None:
    """As workers that cron starts: none of them looks on for a lease."""
    for one in three:
        silent_for(one, 20)
    lost: list[Any] = []
    for _ in range(2):
        worker = make(lease=15.0, clock=time)
        worker.maintain()
        lost.append(sum(len(worker.claim(5)) for _ in range(3)))
        worker.close()
        for one in three:
            silent_for(one, 20, noted=True)
    assert lost == [0, 3]
