"""A job that ends as others begin, in one transaction, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from hub.jobs import BadDatabase, Fenced, Handle, Jobs, JobState
from tests.system.job_stores import let_lease_pass

pytestmark = pytest.mark.system
Make = Callable[..., Jobs]


def test_a_job_is_replaced_by_others(jobs: Jobs) -> None:
    handle = jobs.insert("all", 1)
    (job,) = jobs.claim()
    handles = jobs.replace_with(
        job,
        [jobs.new_job("one", number, tags=["x"]) for number in range(10)] + [jobs.new_job("later", 1, run_after=3600)],
        status=7,
    )
    assert [made.new for made in handles] == [True] * 11
    assert [(each.json(), each.tags) for each in jobs.claim(20)] == [(number, ("x",)) for number in range(10)]
    assert [each.id for each in jobs.peek("later", "delayed")] == [handles[-1].id]
    ended = jobs.find(handle)
    assert ended is not None
    assert (ended.state, ended.status) == (JobState.FINISHED, 7)
    with pytest.raises(Fenced):
        jobs.replace_with(job, [jobs.new_job("one", 11)])
    assert jobs.counts()["one"].waiting == 0


def test_a_clash_keeps_the_one_that_is_there_and_the_others_come(jobs: Jobs) -> None:
    held = jobs.insert("q", "held", key="k")
    jobs.insert("work", 1)
    (job,) = jobs.claim(1, ["work"])
    handles = jobs.replace_with(job, [jobs.new_job("q", "new"), jobs.new_job("q", "clash", key="k")])
    assert handles[0].new
    assert handles[1] == Handle(held.id, new=False)
    assert sorted(each.json() for each in jobs.claim(9)) == ["held", "new"]


def test_the_key_of_the_job_that_ends_is_free(jobs: Jobs) -> None:
    first = jobs.insert("q", 1, key="k")
    (handle,) = jobs.replace_with(jobs.claim()[0], [jobs.new_job("q", 2, key="k", unique="kept")])
    assert handle.new
    assert handle.id != first.id
    (kept,) = jobs.replace_with(jobs.claim()[0], [jobs.new_job("q", 3, key="k")])
    assert kept == Handle(handle.id, new=False)


def test_a_failure_keeps_the_original_and_inserts_nothing(jobs: Jobs) -> None:
    handle = jobs.insert("q", 1, key="k")
    (job,) = jobs.claim()
    broken = replace(jobs.new_job("q", 3), max_retries=None)
    with pytest.raises(BadDatabase):
        jobs.replace_with(job, [jobs.new_job("q", 2, key="other"), broken])
    assert jobs.in_hand == [job]
    assert jobs.find(handle).state is JobState.RUNNING  # type: ignore[union-attr]
    assert jobs.counts()["q"].waiting == 0
    assert jobs.insert("q", 4, key="other").new
    jobs.complete(job)


def test_a_process_that_was_given_up_replaces_nothing(make: Make, jobs: Jobs) -> None:
    lost = make(lease=60.0)
    lost.insert("q", 1)
    (job,) = lost.claim()
    let_lease_pass(lost)
    jobs.maintain()
    with pytest.raises(Fenced):
        lost.replace_with(job, [lost.new_job("q", 2)])
    assert [(each.json(), each.attempt) for each in jobs.claim(9)] == [(1, 2)]


def test_a_replacement_that_is_repeated_counts_once(jobs: Jobs) -> None:
    """The commit was done, and its answer was lost."""
    jobs.insert("q", 1)
    (job,) = jobs.claim()
    assert len(jobs.replace_with(job, [jobs.new_job("q", 2)])) == 1
    jobs._in_hand.put_back([job])
    assert jobs.replace_with(job, [jobs.new_job("q", 2)]) == []
    assert jobs.counts()["q"].waiting == 1
