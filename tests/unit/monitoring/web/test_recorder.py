"""Keeping the history."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, execute

from hub.monitoring.web.history_file import HistoryFile
from hub.monitoring.web.pulse import Frame
from hub.monitoring.web.recorder import EVERY, MOST_WAITING, Recorder
from tests.unit.doubles import RecordingLog
from tests.unit.monitoring.web.web_server import snapshot

START = 1_000_000.5


class Now:
    """An aside that makes each call at once; ``held`` has them wait."""

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
        self.log, self.aside, self.second = RecordingLog(), Now(), second
        self.recorder = Recorder(HistoryFile(path), self.aside, 100, self.wall, self.log)  # type: ignore[arg-type]

    def wall(self) -> float:
        return START + self.second

    def started(self) -> Bench:
        self.recorder.start()
        return self

    def beat(self, count: int = 1, **backlogs: int) -> None:
        for _ in range(count):
            self.recorder.beat(Frame(self.wall(), float(self.second), snapshot(**backlogs)))
            self.second += 1

    def backlog(self, name: str = "c", span: int = 5) -> list[Any]:
        view = self.recorder.view(span, name)
        assert view is not None
        found: list[Any] = view.document()["consumers"][name]["backlog"]
        return found


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
    (spike,) = second.recorder.spikes("c")
    assert (spike.started_at, spike.peak, spike.cleared_at) == (START, 545, START + 5)
    second.recorder.close()
    assert Bench(path).started().recorder.spikes("c") == [spike]


def test_a_crash_costs_a_few_seconds_at_most(path: Path) -> None:
    first = Bench(path).started()
    first.beat(EVERY + 3, c=545)
    second = Bench(path, EVERY + 4).started()
    second.beat(c=7)
    known = [value for value in second.backlog(span=EVERY + 5) if value is not None]
    assert known == [545] * (EVERY - 1) + [7]
    assert second.recorder.spikes("c")[0].peak == 545


def test_until_what_was_kept_is_loaded_nothing_is_noted_and_nothing_waits(path: Path) -> None:
    bench = Bench(path)
    bench.aside.held = []
    bench.started().beat(c=1)
    assert bench.recorder.view(600, "c") is None
    assert bench.recorder.status() == {"state": "loading", "error": None}
    bench.aside.let_go()
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
    assert len(HistoryFile(path).load().rows) >= EVERY


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
    kept = HistoryFile(path).load()
    assert len([row for row in kept.rows if row.step == 1]) == 4 * EVERY - 1
    assert len(kept.spikes) == 1


def test_a_disk_that_takes_its_time_fills_no_memory(path: Path) -> None:
    bench = Bench(path).started()
    bench.aside.held = []
    bench.beat(2 * MOST_WAITING, c=1)
    assert len(bench.aside.held) == 1
    assert len(bench.recorder._rows) == MOST_WAITING


def test_numbers_that_could_not_be_had_are_a_gap(path: Path) -> None:
    bench = Bench(path).started()
    bench.beat(c=1)
    bench.recorder.beat(None)
    bench.second += 1
    bench.beat(c=1)
    assert bench.backlog(span=3) == [1, None, 1]
