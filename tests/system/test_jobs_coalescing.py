"""Jobs that are claimed together, before their turn, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.jobs import BadJob, Jobs, JobState
from hub.jobs.job import Job
from tests.system.job_stores import let_lease_pass

pytestmark = pytest.mark.system
Make = Callable[..., Jobs]


def bodies(claimed: list[Job]) -> list[object]:
    return [job.json() for job in claimed]


def test_one_value_is_claimed_together_and_each_job_once(jobs: Jobs) -> None:
    for number in range(12):
        jobs.insert("mail", number, coalesce=f"host{number % 3}")
    jobs.insert("mail", "none")
    jobs.insert("other", "other queue", coalesce="host0")
    (first,) = jobs.claim(1, ["mail"])
    assert (first.json(), first.coalesce) == (0, "host0")
    together = jobs.claim(2, ["mail"], coalesce="host0")
    assert (bodies(together), {job.coalesce for job in together}) == ([3, 6], {"host0"})
    assert bodies(jobs.claim(10, ["mail"], coalesce="host0")) == [9]
    assert jobs.claim(10, ["mail"], coalesce="host0") == []
    counts = jobs.counts()["mail"]
    assert (counts.waiting, counts.running) == (9, 4)
    assert len(jobs.peek("mail")) == 9
    status = jobs.find(together[0].id)
    assert status is not None
    assert status.state is JobState.RUNNING
    assert bodies(jobs.claim(20, ["mail"])) == [1, 2, 4, 5, 7, 8, 10, 11, "none"]
    assert bodies(jobs.claim(20, coalesce="host0")) == ["other queue"]


def test_a_prefix_is_taken_literally(jobs: Jobs) -> None:
    values = ["a%b", "a%bc", "a_b", "aXb", "a\\b", "b", "a%", "é", "éa", "e"]
    jobs.insert_many("q", [0])
    for value in values:
        jobs.insert("q", value, coalesce=value)
    assert sorted(map(str, bodies(jobs.claim(9, ["q"], coalesce_prefix="a%b")))) == ["a%b", "a%bc"]
    assert bodies(jobs.claim(9, ["q"], coalesce_prefix="a_")) == ["a_b"]
    assert bodies(jobs.claim(9, ["q"], coalesce_prefix="a\\")) == ["a\\b"]
    assert bodies(jobs.claim(9, ["q"], coalesce_prefix="é")) == ["é", "éa"]
    assert sorted(map(str, bodies(jobs.claim(9)))) == ["0", "a%", "aXb", "b", "e"]
    with pytest.raises(BadJob, match="both"):
        jobs.claim(1, coalesce="a", coalesce_prefix="a")


@pytest.mark.parametrize("end", ["retry", "give_back"])
def test_one_that_comes_again_is_claimed_again_and_once(jobs: Jobs, end: str) -> None:
    jobs.insert_many("q", range(3))
    handle = jobs.insert("q", "x", coalesce="c")
    (job,) = jobs.claim(1, ["q"], coalesce="c")
    if end == "retry":
        jobs.retry(job, "failed")
    else:
        jobs.give_back(job)
    assert jobs.find(handle).state is JobState.WAITING  # type: ignore[union-attr]
    assert jobs.counts()["q"].waiting == 4
    assert bodies(jobs.claim(9, ["q"])) == [0, 1, 2, "x"]
    assert jobs.claim(9, ["q"]) == []
    jobs.complete(jobs.in_hand)
    assert jobs.counts() == {}


def test_the_highest_priority_is_first_and_the_cancelled_are_left_out(jobs: Jobs) -> None:
    jobs.insert("q", "low", priority=1, coalesce="c")
    gone = jobs.insert("q", "gone", coalesce="c")
    jobs.insert("q", "high", priority=9, coalesce="c")
    jobs.cancel(gone)
    assert bodies(jobs.claim(9, ["q"], coalesce="c")) == ["high", "low"]
    assert jobs.claim(9) == []
    assert jobs.find(gone).state is JobState.CANCELLED  # type: ignore[union-attr]


def test_pauses_keys_and_lost_processes_hold_for_them_too(make: Make, jobs: Jobs) -> None:
    jobs.insert("q", 0)
    jobs.insert("q", 1, coalesce="c", key="k", unique="waiting")
    jobs.pause("q")
    assert jobs.claim(9, ["q"], coalesce="c") == []
    jobs.resume("q")
    lost = make(lease=60.0)
    assert bodies(lost.claim(9, ["q"], coalesce="c")) == [1]
    assert jobs.insert("q", 2, key="k").new
    let_lease_pass(lost)
    jobs.maintain()
    assert [(job.json(), job.attempt) for job in jobs.claim(9, coalesce="c")] == [(1, 2)]
    assert bodies(jobs.claim(9)) == [0, 2]


def test_programs_that_claim_both_ways_share_the_jobs(make: Make, jobs: Jobs) -> None:
    handles = [jobs.insert("q", number, coalesce=f"c{number % 4}").id for number in range(60)]
    others = [make(lease=60.0) for _ in range(2)]
    taken: list[int] = []
    for turn in range(30):
        other = others[turn % 2]
        taken += [job.id for job in other.claim(2, ["q"], coalesce=f"c{turn % 4}")]
        taken += [job.id for job in jobs.claim(3, ["q"])]
    assert sorted(taken) == handles
