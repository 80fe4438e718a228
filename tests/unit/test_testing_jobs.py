"""Jobs in memory, which authors of programs with jobs test on; and what the documents say of it."""

from __future__ import annotations

import re
import sys
import types
from typing import Any

import pytest

from hub import Retry
from hub.errors import Reject
from hub.jobs import Fenced, Job, JobState
from hub.testing.memory_jobs import MemoryJobs
from tests.support import ROOT


class Handler:
    """Notes jobs, and raises what it is told to, one after the other."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.worked: list[Any] = []

    def __call__(self, job: Job) -> None:
        self.worked.append(job.json())
        if self.errors:
            raise self.errors.pop(0)


def state(jobs: MemoryJobs, number: int) -> tuple[JobState, int]:
    found = jobs.find(number)
    assert found is not None
    return found.state, found.attempts


def test_jobs_are_worked_until_none_waits(hubbub_jobs: MemoryJobs) -> None:
    handles = hubbub_jobs.insert_many("q", [1, 2])
    other = hubbub_jobs.insert("other", 3)
    handler = Handler()
    assert [job.id for job in hubbub_jobs.run(handler, ["q"])] == [handle.id for handle in handles]
    assert handler.worked == [1, 2]
    assert state(hubbub_jobs, handles[0].id) == (JobState.FINISHED, 1)
    assert [job.id for job in hubbub_jobs.run(handler)] == [other.id]
    assert hubbub_jobs.run(handler) == []
    assert hubbub_jobs.counts() == {}


def test_what_a_job_inserts_is_worked_too(hubbub_jobs: MemoryJobs) -> None:
    hubbub_jobs.insert("q", 3)
    hubbub_jobs.run(lambda job: job.json() and hubbub_jobs.insert("q", job.json() - 1))
    assert hubbub_jobs.counts() == {}


@pytest.mark.parametrize(
    ("error", "ended", "delay"),
    [
        (ValueError("no"), (JobState.DELAYED, 1), 15.0),
        (Retry("1h"), (JobState.DELAYED, 0), 3600.0),
        (Retry(), (JobState.DELAYED, 0), 15.0),
        (Reject("wrong"), (JobState.DEAD, 1), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_handler_raises_decides(
    hubbub_jobs: MemoryJobs, error: Exception, ended: tuple[JobState, int], delay: float | None
) -> None:
    handle = hubbub_jobs.insert("q", 1)
    assert len(hubbub_jobs.run(Handler(error))) == 1
    assert state(hubbub_jobs, handle.id) == ended
    if delay is not None:
        hubbub_jobs.advance(delay - 0.5)
        assert hubbub_jobs.run(Handler()) == []
        hubbub_jobs.advance(0.5)
        assert len(hubbub_jobs.run(Handler())) == 1


def test_a_handler_may_end_the_job_itself(hubbub_jobs: MemoryJobs) -> None:
    handle = hubbub_jobs.insert("q", 1)
    hubbub_jobs.run(lambda job: hubbub_jobs.complete(job, status=3))
    found = hubbub_jobs.find(handle)
    assert found is not None
    assert found.status == 3


def test_the_clock_is_moved_to_each_retry(hubbub_jobs: MemoryJobs) -> None:
    hubbub_jobs.insert("q", 1, max_retries=2)
    hubbub_jobs.insert("q", 2, run_after="1d")
    hubbub_jobs.insert("idle", 3, run_after="1h")
    hubbub_jobs.pause("idle")
    worked = hubbub_jobs.run_to_the_end(Handler(OSError("a"), OSError("b"), OSError("c")))
    assert [(job.json(), job.attempt) for job in worked] == [(1, 1), (1, 2), (1, 3), (2, 1)]
    (dead,) = hubbub_jobs.peek("q", "dead")
    assert dead.reason.endswith("OSError: c")
    first, second, third = hubbub_jobs.recent_errors("q")
    assert (second.at - first.at, third.at - second.at) == (15.0, 30.0)


def test_what_does_not_end_is_told(hubbub_jobs: MemoryJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.testing.memory_jobs.MOST_ROUNDS", 20)
    hubbub_jobs.insert("q", 1)
    with pytest.raises(AssertionError, match="jobs still come after 20"):
        hubbub_jobs.run(lambda job: hubbub_jobs.insert("q", 1))
    with pytest.raises(AssertionError, match="jobs still come after 20 rounds"):
        hubbub_jobs.run_to_the_end(lambda job: hubbub_jobs.snooze(job, 60))


def test_another_program_loses_its_jobs_when_it_is_silent(hubbub_jobs: MemoryJobs) -> None:
    other = hubbub_jobs.another(lease=15.0)
    handle = hubbub_jobs.insert("q", 1)
    (lost,) = other.claim()
    hubbub_jobs.insert("q", 2)
    (mine,) = hubbub_jobs.claim()
    hubbub_jobs.advance(60)
    with pytest.raises(Fenced):
        other.complete(lost)
    hubbub_jobs.complete(mine)
    (again,) = hubbub_jobs.claim()
    assert (again.id, again.attempt) == (handle.id, 2)


def test_tests_do_not_share_their_jobs(hubbub_jobs: MemoryJobs) -> None:
    hubbub_jobs.insert("q", 1)
    again = MemoryJobs(began=1000.0, queues=["q"])
    assert again.counts() == {}
    again.insert("q", 1)
    assert again.peek("q")[0].created == 1000.0
    again.discard()


def test_the_documents_example(hubbub_jobs: MemoryJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "jobs.rst").read_text(encoding="utf-8")
    blocks = re.findall(r"\.\. code-block:: python\n\n((?:    .*\n|\n)+)", text)
    (program,) = (block for block in blocks if "# thumbnails.py" in block)
    (tests,) = (block for block in blocks if "# test_thumbnails.py" in block)
    module: Any = types.ModuleType("thumbnails")
    monkeypatch.setitem(sys.modules, "thumbnails", module)
    exec(re.sub(r"(?m)^    ", "", program), module.__dict__)
    found: dict[str, Any] = {}
    exec(re.sub(r"(?m)^    ", "", tests), found)
    run = [function for name, function in found.items() if name.startswith("test_")]
    assert len(run) == 2
    for function in run:
        jobs = MemoryJobs()
        function(jobs, monkeypatch)
        jobs.discard()


def test_a_claim_that_waits_moves_the_clock(hubbub_jobs: MemoryJobs) -> None:
    hubbub_jobs.insert("q", 1, run_after="1h")
    assert hubbub_jobs.claim(1, wait="59m") == []
    assert [job.json() for job in hubbub_jobs.claim(1, wait="59m")] == [1]
    other = hubbub_jobs.another()
    assert other.claim(1, wait="10m") == []
    other.close()
