"""Keeping the history."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from twisted.internet.defer import Deferred, execute

from hub.errors import Unavailable
from hub.monitoring.web import history
from hub.monitoring.web.history_file import HistoryFile
from hub.monitoring.web.recorder import EVERY, MOST_WAITING, Recorder
from hub.monitoring.web.sampler import Snapshot
from hub.monitoring.web.spikes import Spike
from tests.faults.small_disk import fill, small_disk
from tests.unit.doubles import RecordingLog
from tests.unit.monitoring.web.web_server import snapshot

START = 1_000_000.5


class Now:
    """A worker thread that makes each call at once; ``held`` has them wait."""

    def __init__(self) -> None:
        self.full = False
        self.held: list[tuple[Any, ...]] | None = None

    def do(self, *call: Any) -> Deferred[Any]:
        if self.held is not None:
            done: Deferred[Any] = Deferred()
            self.held.append((done, *call))
            return done
        return execute(*call)

    def let_go(self) -> None:
        held, self.held = self.held or [], None
        for done, *call in held:
            execute(*call).addBoth(done.callback)

    def close(self) -> Deferred[None]:
        return execute(lambda: None)


class Bench:
    """A recorder on a file; ``beat`` is a second."""

    def __init__(self, path: Path, second: int = 0) -> None:
        self.log, self.worker, self.second = RecordingLog(), Now(), second
        self.recorder = Recorder(HistoryFile(path), self.worker, 100, self.wall, self.log)  # type: ignore[arg-type]

    def wall(self) -> float:
        return START + self.second

    def started(self) -> Bench:
        self.recorder.start()
        return self

    def beat(self, count: int = 1, **backlogs: int) -> None:
        for _ in range(count):
            self.recorder.record(Snapshot(self.wall(), float(self.second), snapshot(**backlogs)))
            self.second += 1

    def backlog(self, name: str = "c", span: int = 5) -> list[Any]:
        document = self.done(self.recorder.view(span, name))
        assert document is not None
        found: list[Any] = msgspec.json.decode(document)["consumers"][name]["backlog"]
        return found

    def spikes(self, name: str = "c") -> list[Spike]:
        found: list[Spike] = self.done(self.recorder.spikes(name))
        return found

    def done(self, deferred: Deferred[Any]) -> Any:
        results: list[Any] = []
        deferred.addBoth(results.append)
        (result,) = results
        return result


def kept(path: Path, table: str, where: str = "true") -> int:
    """How many rows of a table are on the disk."""
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()
    assert isinstance(count, int)
    return count


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def test_what_was_noted_is_there_after_a_restart(path: Path) -> None:
    first = Bench(path).started()
    first.beat(5, c=545)
    first.recorder.close()
    second = Bench(path, 5).started()
    second.beat(2, c=7)
    assert second.backlog() == [545, 545, 545, 7, 7]
    (spike,) = second.spikes()
    assert (spike.started_at, spike.peak, spike.cleared_at) == (START, 545, START + 5)
    second.recorder.close()
    assert Bench(path).started().spikes() == [spike]


def test_a_crash_costs_a_few_seconds_at_most(path: Path) -> None:
    first = Bench(path).started()
    first.beat(EVERY + 3, c=545)
    second = Bench(path, EVERY + 4).started()
    second.beat(c=7)
    known = [value for value in second.backlog(span=EVERY + 5) if value is not None]
    assert known == [545] * EVERY + [7]
    assert second.spikes()[0].peak == 545


def test_until_what_was_kept_is_loaded_nothing_is_noted_and_nothing_waits(path: Path) -> None:
    bench = Bench(path)
    bench.worker.held = []
    bench.started().beat(c=1)
    early = bench.recorder.view(600, "c")
    assert not early.called
    assert bench.recorder.status() == {"state": "loading", "error": None}
    bench.worker.let_go()
    assert bench.done(early) is None
    bench.beat(c=1)
    assert bench.backlog(span=1) == [1]
    assert bench.recorder.status() == {"state": "ok", "error": None}


def test_a_damaged_file_is_set_aside_and_said_once(path: Path) -> None:
    path.write_bytes(b"no database at all, this is" * 100)
    bench = Bench(path).started()
    bench.beat(2 * EVERY, c=1)
    assert bench.recorder.status()["state"] == "ok"
    assert [record.levelno for record in bench.log.records] == [logging.WARNING]
    assert path.with_name("history.db.damaged").exists()


def test_one_that_is_damaged_later_is_begun_anew(path: Path) -> None:
    bench = Bench(path).started()
    bench.beat(EVERY, c=1)
    bench.recorder._file.close()
    path.write_bytes(b"no database at all, this is" * 100)
    bench.beat(EVERY, c=1)
    assert bench.recorder.status()["state"] == "ok"
    assert kept(path, "history", "step = 1") >= EVERY


def test_a_disk_that_does_not_take_it_is_said_once_and_nothing_is_lost_when_it_does_again(path: Path) -> None:
    path.mkdir()
    bench = Bench(path).started()
    bench.beat(3 * EVERY, c=545)
    assert bench.recorder.status()["state"] == "not kept"
    assert "directory" in bench.recorder.status()["error"]
    assert bench.backlog(span=2) == [545, 545]
    path.rmdir()
    bench.beat(EVERY, c=545)
    assert bench.recorder.status() == {"state": "ok", "error": None}
    assert bench.log.actions() == ["history", "history"]
    assert kept(path, "history", "step = 1") == 4 * EVERY
    assert kept(path, "spikes") == 1


def test_a_disk_that_takes_its_time_fills_no_memory(path: Path) -> None:
    bench = Bench(path).started()
    bench.worker.held = []
    bench.beat(2 * MOST_WAITING, c=1)
    assert len(bench.worker.held) == 1
    assert len(bench.recorder._fresh) == MOST_WAITING


def test_what_a_full_disk_does_not_take_is_read_all_the_same_with_all_before_it(path: Path) -> None:
    with small_disk(path.parent / "small", 1) as disk:
        bench = Bench(disk / "history.db").started()
        bench.beat(2 * EVERY, c=545)
        fill(disk / "ballast")
        bench.beat(5 * EVERY, **{f"c{number}": 545 for number in range(50)})
        bench.beat(c=7)
        assert bench.recorder.status()["state"] == "not kept"
        assert "full" in bench.recorder.status()["error"]
        assert bench.backlog(span=7 * EVERY + 1) == [*[545] * 2 * EVERY, *[None] * 5 * EVERY, 7]
        assert bench.backlog("c49", span=2) == [545, None]
        assert len(bench.spikes("c49")) == 1
        (disk / "ballast").unlink()
        bench.beat(EVERY, c=7)
        assert bench.recorder.status() == {"state": "ok", "error": None}
        assert bench.log.actions() == ["history", "history"]
        bench.recorder.close()
        assert kept(disk / "history.db", "history", "step = 1") == 3 * EVERY + 1 + 50 * 5 * EVERY


def test_a_disk_that_stays_full_fills_no_memory(path: Path) -> None:
    path.mkdir()
    bench = Bench(path).started()
    bench.beat(2 * MOST_WAITING, c=1)
    assert len(bench.recorder._unwritten) == MOST_WAITING
    assert len(bench.recorder._fresh) == 0


def test_one_who_asks_while_too_many_wait_is_told_so_and_nothing_is_lost(path: Path) -> None:
    bench = Bench(path).started()
    bench.beat(c=1)
    bench.worker.full = True
    assert isinstance(bench.done(bench.recorder.view(1, "c")).value, Unavailable)
    bench.beat(EVERY, c=2)
    bench.worker.full = False
    assert bench.backlog(span=2 + EVERY) == [None, 1, *[2] * EVERY]


def test_a_fault_of_ours_is_said_and_the_hub_goes_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(path).started()
    monkeypatch.setattr(history, "add_samples", lambda *_: 1 // 0)
    bench.beat(EVERY, c=1)
    assert bench.recorder.status()["error"].startswith("ZeroDivisionError")
    assert bench.log.actions() == ["history"]
    monkeypatch.undo()
    bench.beat(EVERY, c=1)
    assert bench.recorder.status() == {"state": "ok", "error": None}


def test_numbers_that_could_not_be_had_are_a_gap(path: Path) -> None:
    bench = Bench(path).started()
    bench.beat(c=1)
    bench.recorder.record(None)
    bench.second += 1
    bench.beat(c=1)
    assert bench.backlog(span=3) == [1, None, 1]
