"""How soon the writer wants a commit, and how long it waits for one: with a timer that is played."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.store import OVERHEAD, writer
from hub.store.commit_timer import CommitTimer
from hub.store.writer import CLOSING_TRIES, EXPIRE_EVERY, MANY_BATCHES
from tests.unit.store.rig import FullDisk
from tests.unit.store.test_writer import Bench


class Timer(CommitTimer):
    """Notes what it is asked, and waits for nothing. :ivar waits: longest wait, and whether the disk is full."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.waits: list[tuple[float | None, bool]] = []
        self.on_wait: Callable[[], object] = lambda: None

    def request(self) -> None:
        self.asked.append("soon")

    def hurry(self) -> None:
        self.asked.append("at once")

    def wait(self, on_idle: Callable[[], object], longest: float | None, full: bool = False) -> None:
        self.waits.append((longest, full))
        on_idle()
        self.on_wait()


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.mark.parametrize(
    ("hurries", "waited_for", "asked"), [(True, True, "at once"), (True, False, "soon"), (False, True, "soon")]
)
def test_a_batch_is_committed_at_once_for_who_waits_where_that_is_wanted(
    tmp_path: Path, timer: Timer, hurries: bool, waited_for: bool, asked: str
) -> None:
    bench = Bench(tmp_path, timer=timer, hurries=hurries)
    timer.asked.clear()
    bench.append("a" if waited_for else None)
    assert timer.asked == [asked]
    bench.store.close()


def test_the_sixteenth_batch_that_waits_is_the_one_that_hurries(tmp_path: Path, timer: Timer) -> None:
    bench = Bench(tmp_path, timer=timer)
    timer.asked.clear()
    for _ in range(MANY_BATCHES + 1):
        bench.append()
    assert timer.asked == ["soon"] * (MANY_BATCHES - 1) + ["at once", "soon"]
    bench.store.close()


def test_so_is_the_one_with_which_too_many_bytes_wait(
    tmp_path: Path, timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MANY", 2 * (100 + OVERHEAD))
    bench = Bench(tmp_path, timer=timer)
    timer.asked.clear()
    for _ in range(3):
        bench.append(size=100)
    assert timer.asked == ["soon", "soon", "at once"]
    bench.store.close()


@pytest.mark.parametrize(
    ("at_once", "hurries", "asked"),
    [(True, True, "at once"), (True, False, "at once"), (False, True, "at once"), (False, False, "soon")],
)
def test_who_asks_for_a_commit_says_how_soon(
    tmp_path: Path, timer: Timer, at_once: bool, hurries: bool, asked: str
) -> None:
    bench = Bench(tmp_path, timer=timer, hurries=hurries)
    timer.asked.clear()
    bench.store.when_stored(lambda: None, at_once)
    assert timer.asked == [asked]
    bench.store.close()


@pytest.mark.parametrize(("keep", "longest"), [(0.0, None), (60.0, EXPIRE_EVERY)])
def test_it_wakes_by_itself_where_there_is_history_that_gets_old(
    tmp_path: Path, timer: Timer, keep: float, longest: float | None
) -> None:
    bench = Bench(tmp_path, timer=timer, keep=keep)
    timer.on_wait = bench.writer.close
    bench.writer.run()
    assert timer.waits == [(longest, False)]
    bench.store.close()


def test_a_wait_while_the_disk_is_full_is_told(tmp_path: Path, timer: Timer) -> None:
    bench = Bench(tmp_path, timer=timer)
    bench.append("a")

    def close() -> None:
        if "a" in bench.heard:
            bench.writer.close()

    timer.on_wait = close
    with FullDisk(bench.store.tables, 4):
        bench.writer.run()
    assert [full for _, full in timer.waits] == [False, True, True, False]
    bench.store.close()


def test_a_close_tries_a_full_disk_some_times_and_then_gives_up(tmp_path: Path, timer: Timer) -> None:
    """Each time with a commit of all, and one that only frees space."""
    bench = Bench(tmp_path, timer=timer)
    bench.append("a")
    bench.writer.close()
    with FullDisk(bench.store.tables, 1000) as disk:
        bench.writer.run()
    assert (1000 - disk.left, bench.heard) == (2 * CLOSING_TRIES, ["full"])
    with FullDisk(bench.store.tables, 2 * CLOSING_TRIES - 2):
        bench.writer.run()
    assert bench.heard == ["full", "ok", "a"]
    bench.store.close()


def test_a_close_that_has_committed_all_is_done(tmp_path: Path, timer: Timer) -> None:
    bench = Bench(tmp_path, timer=timer)
    fetched: list[object] = []
    take = bench.take_journal
    bench.store.attach("q", lambda: fetched.append(None) or take())  # type: ignore[func-returns-value]
    bench.writer.close()
    bench.writer.run()
    assert len(fetched) == 1
    bench.store.close()
