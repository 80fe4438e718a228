"""Numbers of jobs among several databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.jobs import BadDatabase
from hub.jobs.job import Handle, Job
from hub.jobs.sharded import ShardedJobs
from hub.jobs.shards import inner, outer, outer_handle


def test_the_last_two_digits_are_those_of_the_database() -> None:
    job = Job(12, "q", b"1", 4, 1, 25, 0.0)
    assert outer(job, 7).id == 1207
    assert inner(outer(job, 7)) == job
    assert outer_handle(Handle(12, new=False), 99) == Handle(1299, new=False)


def test_another_database_takes_few_keys_from_each() -> None:
    def places(count: int) -> list[int | None]:
        jobs = ShardedJobs([f"sqlite:////nowhere/{number}.db" for number in range(count)])
        return [jobs._place("q", f"k{number}", None) for number in range(1000)]

    before, after = places(4), places(5)
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    assert set(moved) == {4}
    assert 100 < len(moved) < 300
    assert all(before.count(place) > 150 for place in range(4))


@pytest.mark.parametrize("queue", ["q", "other"])
def test_a_lock_has_one_database_as_a_key_has(queue: str) -> None:
    jobs = ShardedJobs([f"sqlite:////nowhere/{number}.db" for number in range(3)])
    assert jobs._place(queue, None, "a") == jobs._place(queue, "a", None)
    assert jobs._place(queue, None, None) is None


def test_a_job_of_another_list_is_refused_by_all_calls() -> None:
    jobs = ShardedJobs([f"sqlite:////nowhere/{number}.db" for number in range(3)])
    job = Job(1207, "q", b"1", 4, 1, 25, 0.0)
    calls: dict[str, Callable[[], object]] = {
        "step": lambda: jobs.step(job, "a", lambda: 1),
        "progress": lambda: jobs.progress(job, 0.5),
        "is_cancelled": lambda: jobs.is_cancelled(job),
        "complete": lambda: jobs.complete(job),
        "replace_with": lambda: jobs.replace_with(job, []),
        "find": lambda: jobs.find(job.id),
    }
    for call in calls.values():
        with pytest.raises(BadDatabase, match="there is no database 7, only 3: the job is of another list"):
            call()
