"""What is pruned from a file of SQLite: a bounded number of rows at a time, and all that belongs to a job with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.jobs import Fenced, Jobs
from hub.jobs.storage import KeepTimes

KEEP = KeepTimes(finished=10.0, dead=10.0, errors=10.0)


class Program:
    """A program whose clock the test moves."""

    def __init__(self, file: Path) -> None:
        self.now = 1000.0
        self.jobs = Jobs(f"sqlite:///{file}", retry_delay=lambda _: 0.0)
        storage: Any = self.jobs._storage
        storage._wall = lambda: self.now
        self.storage = storage

    def count(self, table: str) -> int:
        with self.storage._database.look() as link:
            ((found,),) = link.rows(f"SELECT count(*) FROM {table}")
        return int(found)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path / "jobs.db")
    yield made
    made.jobs.close()


def test_no_kind_is_pruned_without_limit(program: Program) -> None:
    jobs = program.jobs
    jobs.insert_many("q", range(5), keys=["a", "b", "c", "d", "e"], unique="kept")
    jobs.complete(jobs.claim(5), result={"n": 1})
    assert program.storage.prune(KEEP, 2) == 0
    program.now += 11
    tables = ("ended", "live_key", "note")
    assert [program.count(table) for table in tables] == [5, 5, 5]
    assert program.storage.prune(KEEP, 2) == 6
    assert [program.count(table) for table in tables] == [3, 3, 3]
    program.storage.prune(KEEP, 100)
    assert [program.count(table) for table in tables] == [0, 0, 0]


def test_a_dead_letter_goes_with_its_steps_its_progress_and_its_key(program: Program) -> None:
    jobs = program.jobs
    jobs.insert_many("q", range(3), keys=["a", "b", "c"], unique="unfinished-or-dead")
    for job in jobs.claim(3):
        jobs.step(job, "first", lambda: 1)
        jobs.progress(job, 0.5)
        jobs.bury(job, "no")
    program.now += 11
    assert program.storage.prune(KEEP, 2) == 2 + 2  # and as many errors
    assert [program.count(table) for table in ("job", "live_key", "note")] == [1, 1, 2]
    program.storage.prune(KEEP, 100)
    assert [program.count(table) for table in ("job", "live_key", "note")] == [0, 0, 0]


def test_nothing_is_recorded_of_a_job_that_has_just_ended(program: Program) -> None:
    jobs = program.jobs
    jobs.insert("q", 1)
    (job,) = jobs.claim()
    jobs.complete(job)
    jobs._in_hand.add([job])  # as another thread that looked before
    with pytest.raises(Fenced):
        jobs.progress(job, 0.5)
    assert program.count("note") == 0
