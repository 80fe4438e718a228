"""Debounced jobs, and keys that dead letters hold, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.jobs import BadJob, Handle, Jobs, JobState
from tests.support import wait_until

pytestmark = pytest.mark.system
Make = Callable[..., Jobs]
QUIET: dict[str, Any] = {"conflict": "debounce", "run_after": 3600, "max_wait": "1d"}


def due(jobs: Jobs, handle: Handle) -> float:
    status = jobs.find(handle)
    assert status is not None
    assert status.state is JobState.DELAYED
    assert status.due is not None
    return status.due


def test_each_new_one_puts_the_job_off_and_the_last_body_counts(jobs: Jobs) -> None:
    first = jobs.insert("q", 1, key="k", **QUIET)
    assert first.new
    before = due(jobs, first)
    second = jobs.insert("q", 2, key="k", tags=["t"], priority=9, max_retries=1, coalesce="c", **QUIET)
    assert second == Handle(first.id, new=False)
    assert due(jobs, first) > before
    assert jobs.counts()["q"].delayed == 1
    assert jobs.kick("q") == 1
    jobs.maintain()
    (job,) = jobs.claim(9)
    found = (job.id, job.json(), job.tags, job.priority, job.max_retries, job.coalesce)
    assert found == (first.id, 2, ("t",), 9, 1, "c")


def test_the_longest_wait_bounds_it(jobs: Jobs) -> None:
    first = jobs.insert("q", 1, key="k", conflict="debounce", run_after=100, max_wait=1000)
    began = due(jobs, first) - 100
    jobs.insert("q", 2, key="k", conflict="debounce", run_after=900, max_wait=1000)
    assert began + 900 <= due(jobs, first) <= began + 1000
    jobs.insert("q", 3, key="k", conflict="debounce", run_after=1000, max_wait=1000)
    bound = due(jobs, first)
    assert began + 900 <= bound <= began + 1000  # the key was taken a little earlier than the delay began
    jobs.insert("q", 3, key="k", conflict="debounce", run_after=1000, max_wait=1000)
    assert due(jobs, first) == bound
    jobs.insert("q", 4, key="k", conflict="debounce", run_after=10, max_wait=10)
    assert due(jobs, first) <= began + 11
    jobs.insert("q", 5, key="k", conflict="debounce", run_after=0.001, max_wait=0.001)

    def due_now() -> bool:
        jobs.maintain()
        return jobs.counts()["q"].waiting == 1

    wait_until(due_now)
    assert [job.json() for job in jobs.claim(9)] == [5]


def test_what_comes_while_it_runs_makes_another(jobs: Jobs) -> None:
    first = jobs.insert("q", 1, key="k", **QUIET)
    jobs.kick("q")
    jobs.maintain()
    (job,) = jobs.claim(9)
    second = jobs.insert("q", 2, key="k", **QUIET)
    assert second.new
    jobs.complete(job)
    assert jobs.find(first).state is JobState.FINISHED  # type: ignore[union-attr]
    assert due(jobs, second) > 0


def test_one_that_is_due_and_not_claimed_waits_on(jobs: Jobs) -> None:
    jobs.insert("q", 1, key="k", **QUIET)
    jobs.kick("q")
    jobs.maintain()
    second = jobs.insert("q", 2, key="k", **QUIET)
    assert jobs.claim(9) == []
    assert due(jobs, second) > 0
    third = jobs.insert("q", 3, key="k", **QUIET)
    assert third == Handle(second.id, new=False)


def test_a_batch_may_debounce_its_own(jobs: Jobs) -> None:
    jobs.insert_many("q", [1, 2, 3], keys=["a", "a", "b"], **QUIET)
    jobs.kick("q")
    jobs.maintain()
    assert sorted(job.json() for job in jobs.claim(9)) == [2, 3]


@pytest.mark.parametrize("unique", ["unfinished-or-dead", ["waiting", "delayed", "running", "finished", "dead"]])
def test_a_dead_letter_may_hold_its_key(make: Make, jobs: Jobs, unique: Any) -> None:
    first = jobs.insert("q", 1, key="k", unique=unique)
    jobs.bury(jobs.claim(), "no")
    assert jobs.insert("q", 2, key="k") == Handle(first.id, new=False)
    assert jobs.insert("q", 2, key="k", conflict="replace") == Handle(first.id, new=False)
    assert jobs.retry_dead("q") == 1
    assert jobs.insert("q", 2, key="k") == Handle(first.id, new=False)
    replaced = jobs.insert("q", 3, key="k", conflict="replace", unique=unique)
    assert replaced.new
    jobs.bury(jobs.claim(), "no")
    assert not jobs.insert("q", 4, key="k").new
    pruner = make(keep_dead=0.0)

    def released() -> bool:
        pruner.prune()
        return jobs.insert("q", 5, key="k", unique=unique).new

    wait_until(released)
    handle = jobs.insert("q", 6, key="k")
    jobs.bury(jobs.claim(), "no")
    assert jobs.cancel(handle) is JobState.DEAD
    assert jobs.insert("q", 7, key="k").new


def test_a_finished_job_lets_go_of_a_key_that_is_not_kept(jobs: Jobs) -> None:
    jobs.insert("q", 1, key="k", unique="unfinished-or-dead")
    jobs.complete(jobs.claim())
    assert jobs.insert("q", 2, key="k", unique="kept-or-dead").new
    jobs.complete(jobs.claim())
    assert not jobs.insert("q", 3, key="k").new


def test_options_of_a_key_without_one_insert_nothing(jobs: Jobs) -> None:
    for wrong in ({"unique": "kept"}, {"conflict": "replace"}, QUIET):
        with pytest.raises(BadJob, match="without a key"):
            jobs.insert("q", 1, **wrong)
        with pytest.raises(BadJob, match="without a key"):
            jobs.insert_many("q", [1], **wrong)
    assert jobs.counts() == {}


def test_a_batch_is_debounced_as_if_each_came_alone(jobs: Jobs) -> None:
    handles = jobs.insert_many("q", [1, 2, 3], keys=["k"] * 3, **QUIET)
    assert handles == [Handle(handles[0].id), Handle(handles[0].id, new=False), Handle(handles[0].id, new=False)]
    assert jobs.counts()["q"].delayed == 1
    assert jobs.kick("q", 9) == 1
    jobs.maintain()
    assert [(job.id, job.json()) for job in jobs.claim(9)] == [(handles[0].id, 3)]
