"""PostgreSQL crashes and loses claims, whose commits wait for no disk: each job is accepted as done once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from hub.errors import HubError, Unavailable
from hub.jobs import Fenced, Job, Jobs
from hub.jobs.errors import LOST
from tests.support import wait_until
from tests.system.job_stores import rows
from tests.system.postgres import running_postgres

pytestmark = pytest.mark.system
TRIES = 10
"""Another of the server's processes may write the log just then: the crash loses nothing."""


@pytest.fixture
def dsn() -> Iterator[str]:
    """Of a server of one's own."""
    with running_postgres() as server:
        yield server.create_database()


def answers(jobs: Jobs) -> bool:
    try:
        jobs.counts()
    except Unavailable:
        return False
    return True


def claim_and_crash(mine: Jobs, other: Jobs, count: int) -> list[Job]:
    """Claim jobs, and have the server crash before the claim is on the disk."""
    ((writer,),) = rows(other, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
    os.kill(writer, signal.SIGSTOP)
    claimed = mine.claim(count)
    os.kill(writer, signal.SIGKILL)
    wait_until(lambda: answers(other) and answers(mine), 60, "the server to recover")
    return claimed


def lost_claim(mine: Jobs, other: Jobs) -> tuple[Job, list[Job]]:
    """A job whose claim is kept, and some whose claim is lost."""
    for _ in range(TRIES):
        (kept,) = mine.claim(1)
        mine.heartbeat()  # what is committed before it is on the disk with it
        claimed = claim_and_crash(mine, other, 3)
        if other.counts()["q"].running == 1:
            return kept, claimed
        mine.give_back([kept, *claimed])
    raise AssertionError(f"no claim was lost in {TRIES} crashes")


def test_a_lost_claim_ends_no_job(dsn: str) -> None:
    with Jobs(dsn) as mine, Jobs(dsn) as other:
        handles = mine.insert_many("q", range(4), max_retries=0)
        kept, lost = lost_claim(mine, other)
        again = other.claim(10)
        assert sorted(job.id for job in again) == sorted(job.id for job in lost)
        assert {job.claim for job in again}.isdisjoint(job.claim for job in lost)
        with pytest.raises(Fenced, match=LOST):
            mine.step(lost[0], "upload", lambda: 1)
        with pytest.raises(Fenced, match=LOST) as refused:
            mine.complete([kept, *lost])
        assert sorted(job.id for job in refused.value.jobs) == sorted(job.id for job in lost)
        assert (mine.fenced, mine.in_hand) == (4, [])
        other.complete(again)
        assert other.counts() == {}
        found = [other.find(handle) for handle in handles]
        assert [(one.state, one.attempts) for one in found if one is not None] == [("finished", 1)] * 4
        with pytest.raises(HubError):
            mine.complete(lost[0])


def test_what_is_replaced_under_a_lost_claim_is_not(dsn: str) -> None:
    with Jobs(dsn) as mine, Jobs(dsn) as other:
        mine.insert_many("q", range(4))
        _, lost = lost_claim(mine, other)
        with pytest.raises(Fenced, match=LOST):
            mine.replace_with(lost[0], [mine.new_job("next", 1)])
        assert "next" not in other.counts()


def test_a_completion_keeps_its_claim(dsn: str) -> None:
    """It is written to the log after it, and waits for the disk."""
    with Jobs(dsn) as mine, Jobs(dsn) as other:
        handles = mine.insert_many("q", range(20))
        ((writer,),) = rows(other, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
        os.kill(writer, signal.SIGSTOP)
        done = mine.claim(1)
        mine.complete(done)
        os.kill(writer, signal.SIGKILL)
        wait_until(lambda: answers(other) and answers(mine), 60, "the server to recover")
        status = other.find(handles[0])
        assert status is not None
        assert (status.state, other.counts()["q"].waiting) == ("finished", 19)
