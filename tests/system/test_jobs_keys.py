"""Unique keys of jobs, the same on both databases."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from hub.jobs import BadJob, Handle, Jobs, JobState
from tests.support import wait_until

pytestmark = pytest.mark.system
Make = Callable[..., Jobs]


def test_a_key_is_held_until_the_job_has_ended(jobs: Jobs) -> None:
    first = jobs.insert("q", 1, key="k")
    assert jobs.insert("q", 2, key="k") == Handle(first.id, new=False)
    assert jobs.insert("other", 2, key="k").new
    (job,) = jobs.claim(1, ["q"])
    assert not jobs.insert("q", 2, key="k").new
    jobs.retry(job, "failed")
    assert not jobs.insert("q", 2, key="k").new
    jobs.complete(jobs.claim(1, ["q"]))
    assert jobs.insert("q", 2, key="k").new
    jobs.bury(jobs.claim(1, ["q"]), "dead")
    third = jobs.insert("q", 3, key="k")
    assert third.new
    jobs.cancel(third)
    assert jobs.insert("q", 4, key="k").new


def test_how_long_a_key_is_held_can_be_chosen(make: Make) -> None:
    jobs = make(keep_finished=0.0)
    jobs.insert("q", 1, key="k", unique="waiting")
    (job,) = jobs.claim()
    assert jobs.insert("q", 2, key="k", unique="kept").new
    jobs.retry(job, "failed", 0.0)  # comes again without it
    assert not jobs.insert("q", 3, key="k").new
    jobs.complete(jobs.claim(5))
    assert not jobs.insert("q", 3, key="k").new

    def released() -> bool:
        jobs.prune()
        return jobs.insert("q", 3, key="k").new

    wait_until(released)


def test_a_waiting_job_gives_its_place_up_and_a_running_one_does_not(jobs: Jobs) -> None:
    first = jobs.insert("q", 1, key="k")
    delayed = jobs.insert("q", 2, key="k", conflict="replace", run_after=3600)
    last = jobs.insert("q", 3, key="k", conflict="replace")
    assert [first.new, delayed.new, last.new] == [True, True, True]
    (job,) = jobs.claim(10)
    assert (job.id, job.json()) == (last.id, 3)
    assert jobs.insert("q", 4, key="k", conflict="replace") == Handle(last.id, new=False)
    assert jobs.find(first).state is JobState.CANCELLED  # type: ignore[union-attr]


def test_a_conflict_does_not_fail_its_batch(jobs: Jobs) -> None:
    held = jobs.insert("q", 0, key="b")
    handles = jobs.insert_many("q", [1, 2, 3, 4], keys=["a", "b", "a", None])
    assert [handle.new for handle in handles] == [True, False, False, True]
    assert handles[1].id == held.id
    assert handles[2].id == handles[0].id
    assert sorted(job.json() for job in jobs.claim(10)) == [0, 1, 4]


def test_a_batch_may_replace_its_own(jobs: Jobs) -> None:
    jobs.insert_many("q", [1, 2, 3], keys=["a", "a", "a"], conflict="replace")
    assert [job.json() for job in jobs.claim(10)] == [3]
    assert jobs.counts()["q"].running == 1


def test_delayed_jobs_that_were_replaced_are_cancelled_at_once(jobs: Jobs) -> None:
    first = jobs.insert("q", 0, key="a", run_after=3600)
    replaced = jobs.insert_many("q", [1, 2, 3], keys=["a", "a", "a"], conflict="replace", run_after=3600)
    assert jobs.counts()["q"].delayed == 1
    assert [job.json() for job in jobs.peek("q", "delayed")] == [3]
    found = [jobs.find(handle) for handle in (first, *replaced)]
    assert [status.state for status in found if status is not None] == [JobState.CANCELLED] * 3 + [JobState.DELAYED]
    assert jobs.kick("q") == 1
    jobs.maintain()
    assert [job.json() for job in jobs.claim(9)] == [3]


@pytest.mark.parametrize("what", ["key", "lock"])
def test_the_longest_one_of_wide_characters_has_room(jobs: Jobs, what: str) -> None:
    """Characters that no compression makes shorter; PostgreSQL's index has a bound in bytes."""
    draw = random.Random(4)
    queue = "".join(chr(draw.randrange(0x20000, 0x2A000)) for _ in range(200))
    longest = "".join(chr(draw.randrange(0x20000, 0x2A000)) for _ in range(450))
    jobs.insert(queue, 1, **{what: longest})  # type: ignore[arg-type]
    (job,) = jobs.claim(1, [queue])
    assert getattr(job, what) == longest
    jobs.insert(queue, 2, **{what: longest})  # type: ignore[arg-type]
    assert jobs.claim(1, [queue]) == []  # it is parked, or was not inserted
    jobs.complete(job)
    with pytest.raises(BadJob, match=f"a {what} and the queue's name have 2604 bytes in UTF-8, more than 2600"):
        jobs.insert(queue, 3, **{what: longest + "\U00020000"})  # type: ignore[arg-type]
