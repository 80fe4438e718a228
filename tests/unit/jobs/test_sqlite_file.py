"""A file of SQLite: removed, moved or replaced while a program has it open; looks beside writers."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hub.jobs import BadDatabase, Jobs


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def jobs(file: Path) -> Iterator[Jobs]:
    with Jobs(f"sqlite:///{file}") as made:
        made.insert_many("q", [1, 2])
        yield made


def remove(file: Path) -> None:
    file.unlink()


def move(file: Path) -> None:
    file.rename(file.with_suffix(".old"))


def replace(file: Path) -> None:
    """As a backup is restored: another file with the same content."""
    shutil.copy(file, file.with_suffix(".copy"))
    file.with_suffix(".copy").rename(file)


@pytest.mark.parametrize("change", [remove, move, replace])
@pytest.mark.parametrize(
    "call",
    [
        lambda jobs: jobs.insert("q", 3),
        lambda jobs: jobs.claim(1),
        lambda jobs: jobs.counts(),
        lambda jobs: jobs.heartbeat(),
        lambda jobs: jobs.maintain(),
        lambda jobs: jobs.complete(jobs.in_hand),
    ],
)
def test_every_call_says_so(
    jobs: Jobs, file: Path, change: Callable[[Path], None], call: Callable[[Jobs], object]
) -> None:
    jobs.claim(1)
    change(file)
    for _ in range(2):
        with pytest.raises(BadDatabase, match=r"jobs\.db was .* while this program had it open: put it back"):
            call(jobs)
    assert len(jobs.in_hand) == 1


def test_nothing_is_written_to_a_file_that_took_its_place(jobs: Jobs, file: Path) -> None:
    file.rename(file.with_suffix(".old"))
    file.write_bytes(b"")
    with pytest.raises(BadDatabase, match="was replaced by another file"):
        jobs.insert("q", 3)
    assert file.read_bytes() == b""


def test_one_that_goes_away_in_a_transaction_is_told_after_it(jobs: Jobs, file: Path) -> None:
    storage = jobs._storage
    with pytest.raises(BadDatabase, match="was removed or moved"), storage._database.begin():  # type: ignore[attr-defined]
        file.unlink()


def test_an_insertion_by_the_callers_connection_is_refused(jobs: Jobs, file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        file.unlink()
        with pytest.raises(BadDatabase, match="was removed or moved"):
            jobs.insert("q", 3, connection=connection)


def test_it_goes_on_when_the_file_is_back(jobs: Jobs, file: Path) -> None:
    (job,) = jobs.claim(1)
    move(file)
    with pytest.raises(BadDatabase):
        jobs.complete(job)
    file.with_suffix(".old").rename(file)
    jobs.complete(job)
    assert jobs.counts()["q"].waiting == 1


def test_a_program_that_is_closed_and_begins_anew_takes_the_new_file(jobs: Jobs, file: Path) -> None:
    remove(file)
    jobs.close()
    assert jobs.counts() == {}
    jobs.insert("q", 3)
    with Jobs(f"sqlite:///{file}") as other:
        assert [job.json() for job in other.claim(5)] == [3]


def test_a_look_that_takes_long_keeps_nobody_from_writing(jobs: Jobs) -> None:
    storage = jobs._storage
    with storage._database.look() as link:  # type: ignore[attr-defined]
        link.rows("SELECT count(*) FROM job")
        (job,) = jobs.claim(1)
        jobs.complete(job)
        assert link.rows("SELECT count(*) FROM job") == [(2,)]
    assert jobs.counts()["q"].waiting == 1
