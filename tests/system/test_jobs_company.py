"""Jobs that kill their process, and the innocent ones that are in hand with them: the same on both databases."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from hub.jobs import Jobs, JobState
from hub.jobs.job import Handle, Job
from tests.system.job_stores import let_lease_pass, rows
from tests.system.postgres import DRIVERS

pytestmark = pytest.mark.system
Make = Callable[..., Jobs]


def ids(claimed: Sequence[Job | Handle]) -> list[int]:
    return [job.id for job in claimed]


def die(program: Jobs, witness: Jobs) -> None:
    let_lease_pass(program)
    witness.maintain()
    witness._done.clear()


def work_until_none_waits(make: Make, witness: Jobs, guilty: int) -> list[list[int]]:
    """Programs claim ten and work one after the other; one of the jobs ends its program.

    :returns: what each claim got.
    """
    claims: list[list[int]] = []
    while True:
        program = make(lease=60.0)
        while claimed := program.claim(10):
            claims.append(ids(claimed))
            assert len(claims) < 100
            if guilty in ids(claimed):
                program.complete([job for job in claimed if job.id < guilty])
                break
            program.complete(claimed)
        else:
            return claims
        die(program, witness)


@pytest.mark.parametrize("place", [0, 4])
@pytest.mark.parametrize("retries", [0, 2])
def test_only_the_guilty_one_becomes_a_dead_letter(make: Make, jobs: Jobs, place: int, retries: int) -> None:
    handles = jobs.insert_many("q", range(10), max_retries=retries)
    claims = work_until_none_waits(make, jobs, handles[place].id)
    assert [job.id for job in jobs.peek("q", "dead")] == [handles[place].id]
    others = [jobs.find(handle) for handle in handles if handle.id != handles[place].id]
    assert {(status and status.state, status and status.attempts) for status in others} == {(JobState.FINISHED, 1)}
    assert [len(claim) for claim in claims[1:]] == [1] * (len(claims) - 1)
    assert sum(handles[place].id in claim for claim in claims) == retries + 2
    texts = [error.text for error in jobs.errors(handles[place])]
    assert "with other jobs in hand" in texts[0]
    assert len(texts) == retries + 2


def test_the_jobs_of_other_queues_and_priorities_are_company_too(make: Make, jobs: Jobs) -> None:
    handles = [jobs.insert(queue, 1, priority=priority) for queue in ("a", "b") for priority in (2, 7)]
    program = make(lease=60.0)
    assert len(program.claim(10)) == 4
    die(program, jobs)
    claims = [jobs.claim(10) for _ in range(5)]
    assert [len(claim) for claim in claims] == [1, 1, 1, 1, 0]
    assert sorted(ids([job for claim in claims for job in claim])) == [handle.id for handle in handles]
    assert {job.attempt for claim in claims for job in claim} == {1}


def test_one_that_was_alone_counts_an_attempt_and_is_not_joined_by_others(make: Make, jobs: Jobs) -> None:
    first = jobs.insert("q", 1)
    program = make(lease=60.0)
    program.claim(10)
    die(program, jobs)
    more = jobs.insert_many("q", range(3))
    claims = sorted([ids(jobs.claim(10)), ids(jobs.claim(10))])
    assert claims == [[first.id], ids(more)]
    assert [job.attempt for job in jobs.in_hand if job.id == first.id] == [2]


def test_a_failure_ends_the_suspicion_and_what_was_not_begun_stays_suspect(make: Make, jobs: Jobs) -> None:
    handles = jobs.insert_many("q", range(3))
    program = make(lease=60.0)
    program.claim(10)
    die(program, jobs)
    (one,) = jobs.claim(10)
    jobs.retry(one, "no", 0)
    (two,) = jobs.claim(10)
    jobs.give_back(two)
    (three,) = jobs.claim(10)
    jobs.bury(three, "no")
    jobs.retry_dead("q")
    found = [jobs.claim(10) for _ in range(3)]
    assert [(len(claim), claim[0].alone) for claim in sorted(found, key=lambda claim: claim[0].id)] == [
        (1, False),
        (1, True),
        (1, True),
    ]
    assert sorted(ids([job for claim in found for job in claim])) == ids(handles)


def test_a_lock_that_a_suspect_waits_for_keeps_nobody_waiting(make: Make, jobs: Jobs) -> None:
    handles = [jobs.insert("q", number, lock=f"l{number}") for number in range(2)]
    program = make(lease=60.0)
    assert len(program.claim(10)) == 2
    die(program, jobs)
    assert [ids(jobs.claim(10)) for _ in range(3)] == [[handles[0].id], [handles[1].id], []]
    jobs.insert("q", "on")
    assert len(jobs.claim(10)) == 1


def test_claims_by_coalesce_take_a_suspect_alone(make: Make, jobs: Jobs) -> None:
    handles = jobs.insert_many("q", range(2), coalesce="x")
    program = make(lease=60.0)
    assert len(program.claim(10, coalesce="x")) == 2
    die(program, jobs)
    handles += jobs.insert_many("q", range(2), coalesce="x")
    claims = [ids(jobs.claim(10, coalesce="x")) for _ in range(3)]
    assert sorted(map(len, claims)) == [1, 1, 2]
    assert sorted(number for claim in claims for number in claim) == ids(handles)


def test_many_of_a_process_that_died_are_written_at_once(make: Make, jobs: Jobs) -> None:
    handles = jobs.insert_many("q", range(20))
    program = make(lease=60.0)
    assert len(program.claim(20)) == 20
    die(program, jobs)
    claims = [ids(jobs.claim(20)) for _ in range(20)]
    assert sorted(claims) == [[handle.id] for handle in handles]


@pytest.mark.parametrize("dsn", DRIVERS, indirect=True)  # in SQLite a claim is in the row of its job
@pytest.mark.parametrize("gone", ["its row", "its queue"])
def test_a_claim_on_what_is_gone_ends_and_the_others_are_rescued(
    make: Make, jobs: Jobs, gone: str, caplog: pytest.LogCaptureFixture
) -> None:
    lost, left = jobs.insert("lost", 1), jobs.insert("left", 1)
    program = make(lease=60.0)
    assert len(program.claim(10)) == 2
    if gone == "its row":
        rows(jobs, f"DELETE FROM hubbub_jobs.job WHERE id = {lost.id} RETURNING 1")
    else:
        rows(jobs, "DELETE FROM hubbub_jobs.lane WHERE queue = 'lost' RETURNING 1")
    die(program, jobs)
    assert ids(jobs.claim(10)) == [left.id]
    assert jobs.counts()["left"].running == 1
    assert f"job {lost.id} is given up" in caplog.text
