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


CALLS: list[Callable[[Jobs], object]] = [
    lambda jobs: jobs.insert("q", 3),
    lambda jobs: jobs.claim(1),
    lambda jobs: jobs.counts(),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_every_call_says_that_what_is_beside_the_file_was_removed(
    jobs: Jobs, file: Path, suffix: str, call: Callable[[Jobs], object]
) -> None:
    beside = file.with_name(file.name + suffix)
    away = file.with_name("away")
    beside.rename(away)
    for _ in range(2):
        with pytest.raises(BadDatabase, match=rf"jobs\.db{suffix} was removed or replaced .* stop all programs"):
            call(jobs)
    away.rename(beside)
    call(jobs)


def test_what_is_beside_goes_with_the_last_connection_and_is_made_anew(jobs: Jobs, file: Path) -> None:
    wal = file.with_name("jobs.db-wal")
    for number in range(3):
        jobs.insert("q", number)
        assert wal.exists()
        jobs.close()
        assert not wal.exists()
    with Jobs(f"sqlite:///{file}") as other:
        other.insert("q", 4)
        jobs.insert("q", 5)
        other.close()
        jobs.insert("q", 6)
    assert jobs.counts()["q"].waiting == 8


@pytest.mark.parametrize("call", CALLS)
def test_one_that_is_overwritten_by_an_older_state_is_told(
    jobs: Jobs, file: Path, call: Callable[[Jobs], object]
) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        shutil.copyfile(file, file.with_suffix(".backup"))
        jobs.insert_many("q", ["x" * 200] * 2000)
        other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        jobs.complete(jobs.claim(100))
        shutil.copyfile(file.with_suffix(".backup"), file)  # as cp does: the same file, with other content
        for _ in range(2):
            with pytest.raises(BadDatabase, match=r"jobs\.db is damaged: it was overwritten"):
                call(jobs)


def test_one_that_is_vacuumed_is_as_good_as_before(jobs: Jobs, file: Path) -> None:
    jobs.insert_many("q", ["x" * 200] * 2000)
    jobs.complete(jobs.claim(2002))
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        before = file.stat().st_size
        jobs.counts()
        other.execute("DELETE FROM ended")
        other.commit()
        other.execute("VACUUM")
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert file.stat().st_size < before
    jobs.insert("q", "on")
    assert [job.json() for job in jobs.claim(5)] == ["on"]
