"""Rate limits of queues, which all programs share, on both databases."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from hub.jobs import BadJob, ClaimLimits, Jobs
from tests.support import wait_until
from tests.system.job_stores import let_the_bucket_fill

pytestmark = pytest.mark.system
Make = Callable[..., Jobs]


def test_all_programs_together_claim_no_more_than_the_bucket_has(make: Make, jobs: Jobs) -> None:
    jobs.insert_many("q", range(30))
    jobs.insert_many("free", range(30))
    jobs.set_limits("q", rate="1/h", burst=5)
    other = make(lease=60.0)
    assert len(jobs.claim(3, ["q"])) == 3
    assert len(other.claim(9, ["q"])) == 2
    assert jobs.claim(9, ["q"]) == other.claim(9, ["q"]) == []
    assert len(jobs.claim(60)) == 30
    let_the_bucket_fill(jobs, "q", 2.5 * 3600)
    assert len(other.claim(9, ["q"])) == 2
    let_the_bucket_fill(jobs, "q", 0.6 * 3600)
    assert len(jobs.claim(9, ["q"])) == 1
    let_the_bucket_fill(jobs, "q", 1e6 * 3600)
    assert len(jobs.claim(9, ["q"])) == 5
    let_the_bucket_fill(jobs, "q", -1e6)  # a clock that steps back takes nothing away, and gives nothing
    assert jobs.claim(9, ["q"]) == []
    let_the_bucket_fill(jobs, "q", 1.5 * 3600)  # and it fills on at once
    assert len(jobs.claim(9, ["q"])) == 1
    jobs.set_limits("q")
    assert len(jobs.claim(99, ["q"])) == 16


def test_the_same_rate_that_is_set_again_leaves_what_the_bucket_has(jobs: Jobs) -> None:
    jobs.insert_many("q", range(30))
    jobs.set_limits("q", rate="1/h", burst=2)
    assert len(jobs.claim(9)) == 2
    for _ in range(3):  # as programs do it that start again and again
        let_the_bucket_fill(jobs, "q", 0.5 * 3600)
        jobs.set_limits("q", rate="1/h", burst=2)
    assert len(jobs.claim(9)) == 1


def test_a_bucket_fills_with_time(jobs: Jobs) -> None:
    jobs.insert_many("q", range(9))
    began = time.monotonic()
    jobs.set_limits("q", rate=20, burst=1)
    taken: list[int] = []

    def all_are() -> bool:
        # The bucket goes on to fill while a claim takes what it has.
        taken.extend(job.id for job in jobs.claim(9))
        assert len(taken) <= 1 + 20 * (time.monotonic() - began) + 1
        return len(taken) == 9

    wait_until(all_are)


def test_what_is_claimed_together_is_paid_for_too(jobs: Jobs) -> None:
    jobs.insert_many("q", range(9), coalesce="c")
    jobs.set_limits("q", rate="1/d", burst=3)
    assert len(jobs.claim(9, coalesce="c")) == 3
    assert jobs.claim(9, coalesce="c") == jobs.claim(9) == []


def test_limits_are_kept_and_seen(make: Make, jobs: Jobs) -> None:
    assert jobs.limits() == {}
    jobs.set_limits("a", per_lock=2)
    jobs.set_limits("b", rate="90/m")
    jobs.set_limits("c", rate=0.5)
    assert make().limits() == {
        "a": ClaimLimits(per_lock=2),
        "b": ClaimLimits(rate=1.5, burst=1.5),
        "c": ClaimLimits(rate=0.5, burst=1.0),
    }
    jobs.set_limits("a")
    assert "a" not in jobs.limits()
    with pytest.raises(BadJob, match="rate is a number"):
        jobs.set_limits("a", rate="fast")
    with pytest.raises(BadJob, match="there is no queue"):
        make(queues=["a"]).set_limits("z")
