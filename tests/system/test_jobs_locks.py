"""Jobs with a lock: their order, how many run, and that nobody else waits for them; on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import pytest

from hub.jobs import Jobs, JobState
from hub.jobs.job import Job
from tests.system.job_stores import let_lease_pass

pytestmark = pytest.mark.system
Make = Callable[..., Jobs]


def bodies(claimed: list[Job]) -> list[object]:
    return [job.json() for job in claimed]


def test_jobs_of_one_lock_run_one_after_another_and_keep_nobody_waiting(jobs: Jobs) -> None:
    handles = jobs.insert_many("q", [f"a{number}" for number in range(5)], lock="a")
    jobs.insert("q", "b0", lock="b")
    jobs.insert("q", "free")
    jobs.insert("other", "o0", lock="a")
    assert sorted(map(str, bodies(jobs.claim(9)))) == ["a0", "b0", "free", "o0"]
    assert jobs.claim(9) == []
    counts = jobs.counts()["q"]
    assert (counts.waiting, counts.running) == (4, 3)
    assert bodies(jobs.peek("q")) == ["a1", "a2", "a3", "a4"]
    assert jobs.find(handles[4]).state is JobState.WAITING  # type: ignore[union-attr]
    assert jobs.read(handles[4]).lock == "a"  # type: ignore[union-attr]
    jobs.insert("q", "a5", lock="a")
    seen = []
    for number in range(5):
        jobs.complete([job for job in jobs.in_hand if job.lock == "a" and job.queue == "q"])
        seen += bodies(jobs.claim(9))
        assert len(seen) == number + 1
    assert seen == ["a1", "a2", "a3", "a4", "a5"]
    jobs.complete(jobs.in_hand)
    assert jobs.counts() == {}


def test_one_for_later_or_for_its_retry_holds_nothing(jobs: Jobs) -> None:
    jobs.insert("q", "later", lock="a", run_after=3600)
    jobs.insert_many("q", [1, 2, 3, 4], lock="a")
    (first,) = jobs.claim(9)
    assert first.json() == 1
    jobs.retry(first, "failed", 3600)
    (second,) = jobs.claim(9)
    assert second.json() == 2
    jobs.snooze(second, 3600)
    (third,) = jobs.claim(9)
    assert third.json() == 3
    jobs.kick("q")
    jobs.maintain()
    assert jobs.claim(9) == []
    jobs.complete(third)
    order = []
    while claimed := jobs.claim(9):
        order += bodies(claimed)
        jobs.complete(claimed)
    assert sorted(map(str, order)) == ["1", "2", "4", "later"]


@pytest.mark.parametrize("end", ["retry", "give_back"])
def test_one_that_comes_again_at_once_keeps_its_place(jobs: Jobs, end: str) -> None:
    jobs.insert_many("q", [1, 2, 3], lock="a")
    (job,) = jobs.claim(9)
    jobs.retry(job, "failed", 0.0) if end == "retry" else jobs.give_back(job)
    assert bodies(jobs.claim(9)) == [1]


def test_a_higher_priority_passes(jobs: Jobs) -> None:
    jobs.insert_many("q", [1, 2, 3], lock="a", priority=1)
    (first,) = jobs.claim(9)
    jobs.insert("q", "urgent", lock="a", priority=9)
    assert jobs.claim(9) == []
    jobs.complete(first)
    assert bodies(jobs.claim(9)) == ["urgent"]
    jobs.insert("q", "too", lock="a", priority=8)
    jobs.complete(jobs.in_hand)
    assert bodies(jobs.claim(1)) == ["too"]  # though the next of the lock may be waiting already
    jobs.complete(jobs.in_hand)
    order = []
    while claimed := jobs.claim(9):
        order += bodies(claimed)
        jobs.complete(claimed)
    assert order == [2, 3]


def test_a_lock_is_let_go_by_the_dead_the_cancelled_and_the_replaced(make: Make, jobs: Jobs) -> None:
    handles = jobs.insert_many("q", range(8), lock="a", max_retries=0)
    jobs.bury(jobs.claim(9), "dead")
    assert jobs.cancel(handles[1]) is JobState.WAITING
    (job,) = jobs.claim(9)
    assert job.json() == 2
    assert jobs.cancel(handles[4]) is JobState.WAITING
    assert jobs.find(handles[4]).state is JobState.CANCELLED  # type: ignore[union-attr]
    jobs.cancel(job.id)
    jobs.retry(job, "cancelled")
    jobs.replace_with(jobs.claim(9)[0], [jobs.new_job("q", "new", lock="a")])
    lost = make(lease=60.0)
    assert bodies(lost.claim(9)) == [5]
    let_lease_pass(lost)
    jobs.maintain()
    assert bodies(jobs.claim(9)) == [6]  # it was the last attempt of the one before
    assert jobs.purge("q") == 2
    jobs.complete(jobs.in_hand)
    assert jobs.claim(9) == []
    assert jobs.retry_dead("q") == 2
    assert len(jobs.claim(9)) == 1


def test_a_key_may_be_replaced_while_its_job_waits_for_its_lock(jobs: Jobs) -> None:
    jobs.insert("q", 1, lock="a")
    jobs.claim(1)
    jobs.insert_many("q", [2, 3], lock="a", keys=["k", "l"])
    assert jobs.claim(9) == []
    assert jobs.insert("q", 4, lock="a", key="k", conflict="replace").new
    jobs.complete(jobs.in_hand)
    order = []
    for _ in range(4):  # one that was replaced ends when the lock comes to it
        claimed = jobs.claim(9)
        order += bodies(claimed)
        jobs.complete(claimed)
    assert order == [3, 4]


def test_more_may_run_if_the_queue_says_so(jobs: Jobs) -> None:
    jobs.insert_many("q", range(9), lock="a")
    assert bodies(jobs.claim(9)) == [0]
    jobs.set_limits("q", per_lock=3)
    assert bodies(jobs.claim(9)) == [1, 2]
    jobs.complete(jobs.in_hand[:2])
    assert bodies(jobs.claim(9)) == [3, 4]
    jobs.set_limits("q")
    jobs.complete(jobs.in_hand[:2])
    assert jobs.claim(9) == []
    jobs.complete(jobs.in_hand)
    assert len(jobs.claim(9)) == 1


def test_programs_share_locks(make: Make, jobs: Jobs) -> None:
    jobs.insert_many("q", range(60), lock="a")
    for number in range(60):
        jobs.insert("q", 1000 + number, lock=f"l{number % 3}")
    running: Counter[str] = Counter()
    order: list[int] = []
    broken: list[str] = []
    mutex = threading.Lock()

    def work(mine: Jobs) -> None:
        while len(order) < 120:
            claimed = mine.claim(4)
            with mutex:
                for job in claimed:
                    assert job.lock is not None
                    running[job.lock] += 1
                    if running[job.lock] > 1:
                        broken.append(job.lock)
                    order.append(job.json())
            with mutex:
                running.subtract([str(job.lock) for job in claimed])
            mine.complete(claimed)

    threads = [threading.Thread(target=work, args=(make(lease=60.0),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    assert [number for number in order if number < 1000] == list(range(60))
    assert sorted(order)[60:] == list(range(1000, 1060))


def worked(jobs: Jobs, times: int = 1) -> list[object]:
    """What comes, one after the other, each finished before the next."""
    found = []
    for _ in range(times):
        claimed = jobs.claim(1)
        found += [job.json() for job in claimed]
        jobs.complete(claimed)
    return found


def come_due(jobs: Jobs) -> None:
    jobs.kick("q")
    jobs.maintain()


def test_one_that_is_due_is_the_next_of_its_lock(jobs: Jobs) -> None:
    jobs.insert("q", "late", lock="l", run_after=3600)
    jobs.insert("q", "other", lock="m", run_after=3600)
    jobs.insert_many("q", ["a", "b"], lock="l")
    jobs.insert("q", "urgent", lock="l", priority=7)
    come_due(jobs)
    found = worked(jobs, 6)
    assert [body for body in found if body != "other"] == ["urgent", "late", "a", "b"]
    assert "other" in found
    assert jobs.counts() == {}


def test_it_waits_for_the_one_that_has_the_lock_and_is_the_next_then(jobs: Jobs) -> None:
    jobs.insert("q", "late", lock="l", run_after=3600)
    jobs.insert_many("q", ["a", "b", "c"], lock="l")
    (first,) = jobs.claim(1)
    come_due(jobs)
    assert jobs.claim(1) == []
    jobs.complete(first)
    assert worked(jobs, 4) == ["late", "b", "c"]


def test_one_that_is_due_overtakes_a_lower_priority_which_waits_with_the_lock(jobs: Jobs) -> None:
    jobs.insert("q", "late", lock="l", priority=7, run_after=3600)
    jobs.insert_many("q", ["a", "b", "c"], lock="l", priority=2)
    claimed = jobs.claim(3)
    assert len(claimed) == 1
    jobs.complete(claimed)
    come_due(jobs)
    assert worked(jobs, 4) == ["late", "b", "c"]


def test_a_retry_that_is_due_comes_before_those_that_were_inserted_after_it(jobs: Jobs) -> None:
    jobs.insert_many("q", ["a", "b", "c"], lock="l")
    jobs.retry(jobs.claim(1), "no", "1h")
    assert worked(jobs) == ["b"]
    come_due(jobs)
    assert worked(jobs, 3) == ["a", "c"]
    assert jobs.counts() == {}
