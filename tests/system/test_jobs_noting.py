"""Results, progress, and steps that a later attempt skips, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.jobs import BadJob, Fenced, Handle, Jobs, JobState, JobStatus
from tests.support import wait_until
from tests.system.job_stores import let_lease_pass, rows

pytestmark = pytest.mark.system
Make = Callable[..., Jobs]


def status(jobs: Jobs, handle: Handle) -> JobStatus:
    found = jobs.find(handle)
    assert found is not None
    return found


def notes(jobs: Jobs) -> list[Any]:
    table = "note" if "SQLite" in type(jobs._storage).__name__ else "hubbub_jobs.note"
    return rows(jobs, f"SELECT * FROM {table}")


def test_a_result_is_kept_with_the_exit_status(make: Make) -> None:
    jobs = make(lease=60.0, keep_finished=0.0)
    one, two, three = jobs.insert_many("q", range(3))
    claimed = jobs.claim(3)
    jobs.complete(claimed[0], status=3, result={"ä": [1, None]})
    jobs.complete(claimed[1:], result=7)
    assert (status(jobs, one).result, status(jobs, one).status) == ({"ä": [1, None]}, 3)
    assert status(jobs, two).result == status(jobs, three).result == 7

    def pruned() -> bool:
        jobs.prune()
        return notes(jobs) == []

    wait_until(pruned)


def test_a_result_that_cannot_be_kept_leaves_the_job_in_hand(jobs: Jobs) -> None:
    handle = jobs.insert("q", 1)
    (job,) = jobs.claim()
    with pytest.raises(BadJob, match="the result can't be encoded"):
        jobs.complete(job, result=object())
    with pytest.raises(BadJob, match="more than 16384"):
        jobs.complete(job, result="x" * 17000)
    jobs.complete(job)
    assert (status(jobs, handle).state, status(jobs, handle).result) == (JobState.FINISHED, None)


def test_progress_is_seen_and_ends_with_the_job(make: Make, jobs: Jobs) -> None:
    handle = jobs.insert("q", 1)
    (job,) = jobs.claim()
    assert status(jobs, handle).progress is None
    jobs.progress(job, 0)
    jobs.progress(job, 0.25, "page 1 of 4")
    seen = status(make(), handle)
    assert (seen.state, seen.progress, seen.progress_text) == (JobState.RUNNING, 0.25, "page 1 of 4")
    for wrong in (-0.1, 1.1, float("nan"), True, "half"):
        with pytest.raises(BadJob, match="from 0 to 1"):
            jobs.progress(job, wrong)  # type: ignore[arg-type]
    jobs.complete(job, result="r")
    seen = status(jobs, handle)
    assert (seen.progress, seen.progress_text, seen.result) == (None, "", "r")


def test_a_step_that_is_done_is_not_done_again(make: Make, jobs: Jobs) -> None:
    handle = jobs.insert("q", 1, max_retries=2)
    done: list[str] = []

    def step(name: str) -> Callable[[], object]:
        def run() -> object:
            done.append(name)
            return {"of": name, "pair": (1, 2)}

        return run

    lost = make(lease=60.0)
    (job,) = lost.claim()
    assert lost.step(job, "one", step("one")) == {"of": "one", "pair": [1, 2]}
    with pytest.raises(ZeroDivisionError):
        lost.step(job, "two", lambda: 1 // 0)
    let_lease_pass(lost)
    jobs.maintain()
    (job,) = jobs.claim()
    assert (job.id, job.attempt) == (handle.id, 2)
    assert jobs.step(job, "one", step("one again")) == {"of": "one", "pair": [1, 2]}
    assert jobs.step(job, "two", step("two"))["of"] == "two"
    jobs.bury(job, "no")
    jobs.retry_dead("q")
    (job,) = jobs.claim()
    assert jobs.step(job, "two", step("two again"))["of"] == "two"
    assert jobs.step(job, "none", lambda: None) is None
    jobs.complete(job)
    assert done == ["one", "two"]
    assert notes(jobs) == []


def test_a_process_that_was_given_up_records_nothing(make: Make, jobs: Jobs) -> None:
    lost = make(lease=60.0)
    lost.insert("q", 1)
    (job,) = lost.claim()
    let_lease_pass(lost)
    jobs.maintain()
    with pytest.raises(Fenced, match="given up"):
        lost.progress(job, 0.5)
    with pytest.raises(Fenced, match="does not have them"):
        lost.step(job, "one", lambda: 1)
    assert lost.fenced == 2
    assert notes(jobs) == []


def test_the_cancelled_and_the_pruned_leave_nothing(make: Make) -> None:
    jobs = make(lease=60.0, keep_dead=0.0)
    for kind in ("running", "dead", "pruned"):
        handle = jobs.insert("q", 1)
        (job,) = jobs.claim()
        jobs.step(job, "one", lambda: 1)
        if kind == "running":
            jobs.cancel(handle)
            jobs.retry(job, "stopped")
        else:
            jobs.bury(job, "no")
        if kind == "dead":
            jobs.cancel(handle)

    def gone() -> bool:
        jobs.prune()
        return notes(jobs) == []

    wait_until(gone)
