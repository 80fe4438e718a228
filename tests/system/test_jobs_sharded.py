"""Jobs over several databases: what holds for one holds for them, and what is their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hub.errors import Unavailable
from hub.jobs import BadDatabase, BadJob, Fenced, Handle, JobState, ShardedJobs
from tests.system.job_stores import let_lease_pass
from tests.system.postgres import Postgres
from tests.system.test_jobs_coalescing import test_a_prefix_is_taken_literally  # noqa: F401
from tests.system.test_jobs_contract import (  # noqa: F401
    test_a_failure_is_logged_and_tried_again_and_ends_as_a_dead_letter,
    test_a_job_is_settled_once,
    test_a_job_is_worked_once_and_leaves_its_exit_status,
    test_bad_input_leaves_nothing_of_its_batch,
    test_cancelled_jobs_do_not_run,
    test_counts_and_looks,
    test_two_programs_share_the_jobs,
    test_what_is_old_is_pruned,
)
from tests.system.test_jobs_debounce import (  # noqa: F401
    test_a_dead_letter_may_hold_its_key,
    test_each_new_one_puts_the_job_off_and_the_last_body_counts,
)
from tests.system.test_jobs_keys import (  # noqa: F401
    test_a_conflict_does_not_fail_its_batch,
    test_a_key_is_held_until_the_job_has_ended,
    test_a_waiting_job_gives_its_place_up_and_a_running_one_does_not,
)
from tests.system.test_jobs_locks import (  # noqa: F401
    test_more_may_run_if_the_queue_says_so,
    test_one_that_comes_again_at_once_keeps_its_place,
)
from tests.system.test_jobs_noting import test_progress_is_seen_and_ends_with_the_job  # noqa: F401

pytestmark = pytest.mark.system
Make = Callable[..., ShardedJobs]


class Time:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["sqlite", "postgresql"])
def dsns(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    if request.param == "sqlite":
        return [f"sqlite:///{tmp_path}/jobs{number}.db" for number in range(3)]
    server: Postgres = request.getfixturevalue("postgres_server")
    server.scheme = "postgresql"
    return [server.create_database() for _ in range(3)]


@pytest.fixture
def make(dsns: list[str]) -> Iterator[Make]:
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(ShardedJobs(dsns, **options))


@pytest.fixture
def jobs(make: Make) -> ShardedJobs:
    return make(lease=60.0, retry_delay=lambda _: 0.0)


@pytest.fixture
def time() -> Time:
    return Time()


def break_one(jobs: ShardedJobs, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one of the databases be away."""

    def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("the jobs' database: away")

    storage: Any = jobs.databases[at]._storage
    for name in ("insert", "claim", "settle", "counts", "beat", "pause", "resume"):
        monkeypatch.setattr(storage, name, away)


def test_jobs_are_spread_and_claimed_from_all_alike(jobs: ShardedJobs) -> None:
    handles = [jobs.insert("q", number) for number in range(30)]
    assert Counter(handle.id % 100 for handle in handles) == {0: 10, 1: 10, 2: 10}
    assert jobs.counts()["q"].waiting == 30
    claimed = jobs.claim(9)
    assert Counter(job.id % 100 for job in claimed) == {0: 3, 1: 3, 2: 3}
    assert {jobs.find(handle).state for handle in handles} == {JobState.WAITING, JobState.RUNNING}  # type: ignore[union-attr]
    jobs.complete(claimed)
    rest = jobs.claim(60)
    assert sorted(job.id for job in claimed + rest) == sorted(handle.id for handle in handles)
    assert {job.id for job in jobs.in_hand} == {job.id for job in rest}


def test_those_of_one_database_fill_a_claim(jobs: ShardedJobs) -> None:
    jobs.insert_many("q", range(20))  # without keys, in one transaction of one database
    assert len(jobs.claim(12)) == 12


def test_a_database_that_is_away_is_left_alone_for_a_while(
    make: Make, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = make(lease=1e6, clock=time, rest=30.0)
    for number in range(3):
        jobs.insert("q", number)
    with monkeypatch.context() as patch:
        break_one(jobs, 1, patch)
        handles = [jobs.insert("q", number) for number in range(6)]
        assert {handle.id % 100 for handle in handles} == {0, 2}
        assert jobs.away == [1]
        assert len(jobs.claim(20)) == 8
        assert jobs.counts()["q"].running == 8
        with pytest.raises(Unavailable):
            jobs.pause("q")
    assert {jobs.insert("q", number).id % 100 for number in range(6)} == {0, 2}
    time.now += 29.0
    assert jobs.away == [1]
    time.now += 2.0
    assert jobs.away == []
    assert {jobs.insert("q", number).id % 100 for number in range(6)} == {0, 1, 2}
    for at in range(3):
        break_one(jobs, at, monkeypatch)
    for _ in range(2):
        for asked in (lambda: jobs.insert("q", 1), jobs.claim, jobs.counts):
            with pytest.raises(Unavailable):
                asked()


def test_a_key_has_one_database_and_never_another(jobs: ShardedJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [f"k{number}" for number in range(30)]
    handles = jobs.insert_many("q", range(30), keys=keys)
    assert len({handle.id % 100 for handle in handles}) == 3
    again = [jobs.insert("q", number, key=key) for number, key in enumerate(keys)]
    assert again == [Handle(handle.id, new=False) for handle in handles]
    away = handles[0].id % 100
    break_one(jobs, away, monkeypatch)
    for key, handle in zip(keys, handles, strict=True):
        if handle.id % 100 == away:
            with pytest.raises(Unavailable):
                jobs.insert("q", 0, key=key)
        else:
            assert jobs.insert("q", 0, key=key) == Handle(handle.id, new=False)


def test_completions_go_where_the_jobs_are(make: Make, jobs: ShardedJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        jobs.insert("q", number)
    claimed = jobs.claim(6)
    jobs.complete(claimed[0])
    let_lease_pass(jobs.databases[1])
    make(lease=60.0).maintain()
    with monkeypatch.context() as patch:
        break_one(jobs, 2, patch)
        with pytest.raises(Fenced) as refused:
            jobs.complete(claimed)
    assert {job.id for job in refused.value.jobs} == {job.id for job in claimed if job.id % 100 == 1} | {claimed[0].id}
    assert jobs.fenced == 3
    assert {job.id % 100 for job in jobs.in_hand} == {2}
    jobs.complete(jobs.in_hand)
    assert jobs.counts()["q"].waiting == 2


def test_replacements_stay_in_the_database(jobs: ShardedJobs) -> None:
    jobs.insert("q", 1)
    (job,) = jobs.claim()
    free = [jobs.new_job("q", number) for number in range(3)]
    with pytest.raises(BadJob, match="another database"):
        jobs.replace_with(job, [jobs.new_job("q", 1, key=f"k{number}") for number in range(20)])
    assert {handle.id % 100 for handle in jobs.replace_with(job, free)} == {job.id % 100}
    assert len(jobs.claim(9)) == 3


def test_what_has_no_meaning_here_is_refused(jobs: ShardedJobs, dsns: list[str]) -> None:
    options: Any = {"connection": object()}
    with pytest.raises(BadJob, match="connection= is to one database"):
        jobs.insert("q", 1, **options)
    with pytest.raises(BadJob, match="different databases"):
        jobs.insert("q", 1, key="k", lock="l")
    with pytest.raises(BadDatabase, match="each once"):
        ShardedJobs(dsns[:1] * 2)
    with pytest.raises(BadDatabase, match="each once"):
        ShardedJobs([])
    with pytest.raises(BadDatabase, match="no database 7"):
        jobs.find(107)


def test_each_database_has_its_share_of_a_rate(jobs: ShardedJobs) -> None:
    for number in range(30):
        jobs.insert("q", number)
    jobs.set_limits("q", rate="3/d", burst=6)
    assert jobs.limits()["q"].burst == 6.0
    assert len(jobs.claim(30)) == 6


def test_a_claim_waits_for_any_of_them(jobs: ShardedJobs) -> None:
    assert jobs.claim(1, wait=0.05) == []
    jobs.insert("q", 1)
    assert len(jobs.claim(1, wait=60)) == 1
    jobs.stop_waiting()
    assert jobs.claim(1, wait=60) == []
