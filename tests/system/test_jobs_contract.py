"""What the job queue promises, the same on PostgreSQL, by both drivers, and on SQLite."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.jobs import BadDatabase, BadJob, Fenced, Jobs, JobState
from tests.support import wait_until
from tests.system.job_stores import Killed, let_lease_pass

pytestmark = pytest.mark.system
Make = Callable[..., Jobs]


def ids(claimed: list[Any]) -> list[int]:
    return [job.id for job in claimed]


def test_a_job_is_worked_once_and_leaves_its_exit_status(jobs: Jobs) -> None:
    handle = jobs.insert("q", {"path": "/ä"}, tags=["a b", 'quo"te\\d'], priority=7, max_retries=3)
    (job,) = jobs.claim(10)
    assert (job.id, job.queue, job.json(), job.priority, job.attempt) == (handle.id, "q", {"path": "/ä"}, 7, 1)
    assert job.tags == ("a b", 'quo"te\\d')
    assert jobs.find(handle).state is JobState.RUNNING  # type: ignore[union-attr]
    jobs.complete(job, status=3)
    found = jobs.find(handle)
    assert found is not None
    assert (found.state, found.status, found.attempts) == (JobState.FINISHED, 3, 1)
    assert jobs.claim(10) == []
    assert jobs.counts() == {}


@pytest.mark.parametrize("body", [b"", b"\0\xff\\x\t\n", b"x" * 100_000])
@pytest.mark.parametrize("many", [1, 20])
def test_any_bytes_come_back_as_they_were(jobs: Jobs, body: bytes, many: int) -> None:
    jobs.insert_many("q", [body] * many, keys=[f"k\\{number}" for number in range(many)], tags=["\\N", "t"])
    claimed = jobs.claim(100)
    assert [(job.body, job.tags) for job in claimed] == [(body, ("\\N", "t"))] * many
    assert {job.key for job in claimed} == {f"k\\{number}" for number in range(many)}


def test_jobs_come_in_the_order_in_which_they_were_inserted_the_highest_priority_first(jobs: Jobs) -> None:
    first = [jobs.insert("q", number).id for number in range(5)]
    many = [handle.id for handle in jobs.insert_many("q", range(30))]
    urgent = jobs.insert("q", "urgent", priority=9).id
    idle = jobs.insert("q", "idle", priority=0).id
    claimed = [number for _ in range(40) for number in ids(jobs.claim(1))]
    assert claimed == [urgent, *first, *many, idle]


def test_queues_take_turns_and_can_be_chosen(jobs: Jobs) -> None:
    for queue in ("a", "b"):
        jobs.insert_many(queue, range(4))
    assert {job.queue for _ in range(2) for job in jobs.claim(1)} == {"a", "b"}
    assert {job.queue for job in jobs.claim(10, ["b"])} == {"b"}
    assert {job.queue for job in jobs.claim(10, ["b", "a"])} == {"a"}


def test_a_failure_is_logged_and_tried_again_and_ends_as_a_dead_letter(jobs: Jobs) -> None:
    handle = jobs.insert("q", 1, max_retries=2)
    for attempt in (1, 2, 3):
        (job,) = jobs.claim()
        assert job.attempt == attempt
        jobs.retry(job, ValueError(f"failure {attempt}"))
    assert jobs.claim() == []
    assert [(error.attempt, error.text) for error in jobs.errors(handle)] == [
        (attempt, f"ValueError: failure {attempt}") for attempt in (1, 2, 3)
    ]
    (dead,) = jobs.peek("q", "dead")
    assert (dead.id, dead.reason) == (handle.id, "ValueError: failure 3")
    assert jobs.counts()["q"].dead == 1
    assert jobs.retry_dead("other") == 0
    assert jobs.retry_dead("q", jobs=[handle]) == 1
    (job,) = jobs.claim()
    assert (job.id, job.attempt) == (handle.id, 1)


def test_a_delay_passes_and_upkeep_moves_the_job(jobs: Jobs) -> None:
    later = jobs.insert("q", 1, run_after=timedelta(hours=1))
    past = jobs.insert("q", 2, run_after=datetime.now(UTC) - timedelta(seconds=1))
    soon = jobs.insert("q", 3, run_after=0.2)
    found: list[int] = []

    def take() -> bool:
        jobs.maintain()
        found.extend(ids(jobs.claim(10)))
        return len(found) >= 2

    wait_until(take)
    assert found == [past.id, soon.id]
    status = jobs.find(later)
    assert status is not None
    assert status.state is JobState.DELAYED
    assert jobs.counts()["q"].delayed == 1
    assert jobs.kick("q") == 1

    def take_the_last() -> bool:
        jobs.maintain()
        return ids(jobs.claim(10)) == [later.id]

    wait_until(take_the_last)


def test_what_is_given_back_or_snoozed_counts_no_attempt(jobs: Jobs) -> None:
    jobs.insert_many("q", range(3), max_retries=0)
    one, two, three = jobs.claim(3)
    jobs.give_back([one, two])
    jobs.snooze(three, "1h")
    assert [(job.id, job.attempt) for job in jobs.claim(10)] == [(one.id, 1), (two.id, 1)]
    assert ids(jobs.peek("q", "delayed")) == [three.id]


def test_only_the_rest_of_a_claim_goes_back_when_a_program_ends(make: Make, jobs: Jobs) -> None:
    other = make(lease=60.0)
    handles = other.insert_many("q", range(4), max_retries=0)
    claimed = other.claim(10)
    other.complete(claimed[:2])
    other.close()
    assert [(job.id, job.attempt) for job in jobs.claim(10)] == [(handles[2].id, 1), (handles[3].id, 1)]


def test_a_dead_processes_jobs_are_rescued_and_its_late_completion_is_refused(make: Make, jobs: Jobs) -> None:
    lost = make(lease=60.0)
    lost.insert_many("q", range(3), max_retries=1)
    first, second, third = lost.claim(3)
    lost.complete(first)
    let_lease_pass(lost)
    jobs.maintain()
    again = [*jobs.claim(10), *jobs.claim(10)]  # one by one, for one of them may have killed it
    assert [(job.id, job.attempt) for job in again] == [(second.id, 1), (third.id, 1)]
    with pytest.raises(Fenced) as refused:
        lost.complete([second, third])
    assert ids(refused.value.jobs) == [second.id, third.id]
    assert lost.fenced == 2
    jobs.complete(again)
    assert jobs.counts() == {}
    assert "died" in jobs.errors(second.id)[0].text
    lost.insert("q", "more")
    assert len(lost.claim(10)) == 1  # as another process


def test_a_job_that_kills_its_processes_ends_as_a_dead_letter(make: Make, jobs: Jobs) -> None:
    handle = jobs.insert("q", 1, max_retries=1)
    for _ in range(2):
        victim = make(lease=60.0)
        assert ids(victim.claim()) == [handle.id]
        let_lease_pass(victim)
        make(lease=60.0).maintain()
    assert ids(jobs.peek("q", "dead")) == [handle.id]


def test_a_job_is_settled_once(jobs: Jobs) -> None:
    jobs.insert("q", 1)
    (job,) = jobs.claim()
    jobs.complete(job)
    with pytest.raises(Fenced, match="does not have them"):
        jobs.complete(job)
    assert jobs.fenced == 1


def test_a_completion_that_is_repeated_counts_once(jobs: Jobs) -> None:
    """The commit was done, and its answer was lost."""
    jobs.insert("q", 1)
    (job,) = jobs.claim()
    jobs.retry(job, "failed")
    jobs._in_hand.put_back([job])
    jobs.retry(job, "failed")
    assert jobs.counts()["q"].waiting == 1
    assert len(jobs.errors(job.id)) == 1


def test_cancelled_jobs_do_not_run(jobs: Jobs) -> None:
    waiting, delayed, runs = (jobs.insert("q", number, run_after=after) for number, after in enumerate((0, 3600, 0)))
    assert jobs.cancel(waiting) is JobState.WAITING
    assert jobs.cancel(delayed) is JobState.DELAYED
    (job,) = jobs.claim(10)
    assert job.id == runs.id
    assert jobs.cancel(runs) is JobState.RUNNING
    assert jobs.heartbeat() == [job]
    assert jobs.is_cancelled(job)
    jobs.retry(job, "stopped")
    for handle in (waiting, delayed, runs):
        status = jobs.find(handle)
        assert status is not None
        assert status.state is JobState.CANCELLED
        assert jobs.cancel(handle) is None
    assert jobs.counts() == {}
    assert jobs.claim(10) == []


def test_a_pause_outlives_its_program(make: Make, jobs: Jobs) -> None:
    jobs.insert("q", 1)
    jobs.insert("other", 1)
    first = make(lease=60.0)
    first.pause("q", "until the disk is there")
    first.close()
    assert [job.queue for job in jobs.claim(10)] == ["other"]
    assert jobs.counts()["q"].paused
    jobs.resume("q")
    assert [job.queue for job in jobs.claim(10)] == ["q"]


def test_counts_and_looks(jobs: Jobs) -> None:
    jobs.insert_many("q", range(5), tags=["odd", "x"])
    jobs.insert("q", 1, run_after=3600, tags=["x"])
    jobs.bury(jobs.claim(1), "no")
    jobs.claim(2)
    counts = jobs.counts()["q"]
    assert (counts.waiting, counts.delayed, counts.running, counts.dead) == (2, 1, 2, 1)
    assert 0 <= counts.oldest < 3600
    assert len(jobs.peek("q", tags=["x", "odd"])) == 2
    assert jobs.peek("q", tags=["none"]) == []
    assert len(jobs.peek("q", "delayed", tags=["x"])) == 1
    assert len(jobs.peek("q", limit=1)) == 1
    with pytest.raises(ValueError, match="expected waiting, delayed or dead"):
        jobs.peek("q", "running")


def test_what_is_old_is_pruned(make: Make) -> None:
    jobs = make(keep_dead=0.0, keep_errors=0.0, keep_finished=3600.0)
    handle = jobs.insert("q", 1)
    jobs.bury(jobs.claim(1), "dead")

    def gone() -> bool:
        jobs.prune()
        return jobs.find(handle) is None and jobs.errors(handle) == []

    wait_until(gone)


def test_two_programs_share_the_jobs(make: Make, jobs: Jobs) -> None:
    handles = jobs.insert_many("q", range(300))
    taken: list[int] = []
    lock = threading.Lock()

    def work(mine: Jobs) -> None:
        while claimed := mine.claim(7):
            mine.complete(claimed)
            with lock:
                taken.extend(ids(claimed))

    threads = [threading.Thread(target=work, args=(make(lease=60.0),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [handle.id for handle in handles]


def test_a_newer_schema_is_refused_with_both_versions(make: Make, jobs: Jobs) -> None:
    jobs.counts()
    storage: Any = jobs._storage
    with storage._database.begin() as link:
        newer = (
            "PRAGMA user_version = 99"
            if type(storage).__name__ == "SQLite"
            else "UPDATE hubbub_jobs.version SET version = 99"
        )
        link.run(newer)
    with pytest.raises(BadDatabase, match=r"99.* up to \d+"):
        make().counts()


def test_bad_input_leaves_nothing_of_its_batch(jobs: Jobs) -> None:
    with pytest.raises(BadJob, match="can't be encoded"):
        jobs.insert_many("q", [1, object()])
    assert jobs.counts() == {}


def test_killed_workers_lose_nothing_and_no_job_is_accepted_twice(jobs: Jobs, dsn: str, tmp_path: Path) -> None:
    handles = jobs.insert_many("q", range(400))
    log = tmp_path / "done"
    for _ in range(3):
        worker = Killed(dsn, log)
        wait_until(lambda: log.exists() and log.stat().st_size > 0)
        worker.kill()
    rest = Killed(dsn, log)
    try:
        wait_until(lambda: jobs.counts() == {}, timeout=60, what="all jobs to be done")
    finally:
        rest.kill()
    accepted = [int(line) for line in log.read_text().split()]
    assert len(accepted) == len(set(accepted))
    states = [jobs.find(handle) for handle in handles]
    assert {status.state for status in states if status} == {JobState.FINISHED}
    assert len([status for status in states if status]) == 400
    assert len(set(accepted)) >= 400 - 3  # one completion a kill may be committed and not noted


def test_a_job_of_the_largest_body_is_inserted_in_any_way(jobs: Jobs) -> None:
    body = b"x" * (1 << 20)
    jobs.insert("q", body)
    jobs.insert("q", body, key="k")
    jobs.insert("q", body, run_after=0.001, key="later")
    (job,) = jobs.claim(1)
    jobs.replace_with(job, [jobs.new_job("r", body)])
    assert [job.body == body for job in (*jobs.claim(1, ["r"]), *jobs.claim(1, ["q"]))] == [True, True]


def test_claims_of_all_queues_take_turns_whatever_is_claimed_by_name_between(jobs: Jobs) -> None:
    for queue in ("a", "b", "c"):
        jobs.insert_many(queue, range(4))
    taken = []
    for _ in range(12):
        taken += [job.queue for job in jobs.claim()]
        jobs.claim(1, ["nothing"])
        jobs.claim(1, ["nothing"])
    assert sorted(taken[:6]) == ["a", "a", "b", "b", "c", "c"]


def test_a_claim_may_have_any_limit(jobs: Jobs) -> None:
    jobs.insert_many("q", range(3))
    assert len(jobs.claim(2**63)) == 3
    for limit in (0, -1, 1.5):
        with pytest.raises(ValueError, match="expected to claim one job or more"):
            jobs.claim(limit)  # type: ignore[arg-type]


def test_a_delay_is_ten_years_at_most(make: Make) -> None:
    jobs = make(retry_delay=lambda _: 1e13)
    handles = jobs.insert_many("q", range(2))
    retried, snoozed = jobs.claim(2)
    jobs.retry(retried, "an error")
    jobs.snooze(snoozed, 1e11)
    ends = datetime.now(UTC) + timedelta(days=3661)
    dues = [found.due for found in map(jobs.find, handles) if found is not None and found.due is not None]
    assert [due < ends.timestamp() for due in dues] == [True, True]
