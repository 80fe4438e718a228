"""The writer's thread: when it commits by itself, and what it does meanwhile."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from hub.store import Journal, commit_timer, writer
from hub.store.commit_timer import CommitTimer
from hub.store.writer import MANY_BATCHES
from tests.support import wait_until
from tests.unit.store.rig import FullDisk
from tests.unit.store.test_writer import Bench


def test_the_thread_commits_what_somebody_waits_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path, threaded=True, timer=CommitTimer(3600.0))
    bench.append("a")
    wait_until(lambda: bench.heard == ["a"])
    assert bench.store.close()


def test_what_nobody_waits_for_has_its_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, threaded=True, timer=CommitTimer(3600.0))
    assert bench.store.flush(10)
    bench.append()
    assert bench.writer.pending
    assert bench.store.flush(10)
    assert not bench.writer.pending
    assert bench.store.close()


def test_a_store_that_does_not_hurry_waits_for_its_pace(tmp_path: Path) -> None:
    bench = Bench(tmp_path, threaded=True, timer=CommitTimer(3600.0), hurries=False)
    assert bench.store.flush(10)
    bench.append("a")
    assert bench.heard == []
    assert bench.store.flush(10)
    assert bench.heard == ["a"]
    assert bench.store.close()


@pytest.mark.parametrize("hurries", [True, False])
def test_a_call_that_is_not_wanted_at_once_comes_at_the_pace_of_senders_that_wait(
    tmp_path: Path, hurries: bool
) -> None:
    bench = Bench(tmp_path, threaded=True, timer=CommitTimer(3600.0), hurries=hurries)
    assert bench.store.flush(10)
    called: list[str] = []
    bench.store.when_stored(lambda: called.append("a"), at_once=False)
    if hurries:
        wait_until(lambda: called == ["a"])
    else:
        assert called == []
        assert bench.store.flush(10)
        assert called == ["a"]
    assert bench.store.close()


def test_a_close_commits_the_rest(tmp_path: Path) -> None:
    bench = Bench(tmp_path, threaded=True, timer=CommitTimer(3600.0))
    bench.append()
    assert bench.store.close()
    again = Bench(tmp_path)
    assert again.count("pages") == 1
    again.store.close()


def test_a_full_disk_is_tried_again_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_timer, "RETRY_EVERY", 0.01)
    bench = Bench(tmp_path, threaded=True)
    assert bench.store.flush(10)
    with FullDisk(bench.store.tables, 3):
        bench.append("a")
        wait_until(lambda: "a" in bench.heard)
    assert bench.heard == ["full", "ok", "a"]
    assert bench.store.close()


def test_a_flush_waits_for_a_disk_that_is_full_no_longer_than_it_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, threaded=True)
    with FullDisk(bench.store.tables, 10**6):
        bench.append()
        assert not bench.store.flush(0.05)
    assert bench.store.flush(10)
    assert bench.store.close()


def test_a_bug_ends_the_hub_and_leaves_nobody_waiting(tmp_path: Path) -> None:
    bench = Bench(tmp_path, threaded=True)

    def bug() -> Journal:
        raise ZeroDivisionError

    bench.store.attach("q", bug)
    bench.store.changed("q")
    wait_until(lambda: bench.heard == ["failed"])
    assert bench.store.condition() == ("failed", "ZeroDivisionError()")
    assert not bench.store.close()


def test_many_threads_may_append_and_settle(tmp_path: Path) -> None:
    bench = Bench(tmp_path, threaded=True, timer=CommitTimer(0.0, 0.0))
    stop = threading.Event()

    def disturb() -> None:
        while not stop.is_set():
            bench.store.changed("q")
            bench.store.sent(10**6)

    threads = [threading.Thread(target=disturb) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(200):
        bench.append(number)
    assert bench.store.flush(20)
    stop.set()
    for thread in threads:
        thread.join(10)
    assert bench.heard == list(range(200))
    assert bench.store.close()


@pytest.mark.parametrize("commits", [False, True])
def test_memory_of_what_was_read_is_returned_when_nothing_comes_and_between_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commits: bool
) -> None:
    monkeypatch.setattr(commit_timer, "IDLE_AFTER", 3600.0 if commits else 0.01)
    monkeypatch.setattr(writer, "RETURN_EVERY", 0.0)
    bench = Bench(tmp_path, threaded=True)
    returned = threading.Event()
    monkeypatch.setattr(bench.store.tables, "evict", returned.set)
    assert not commits or bench.store.flush(10)
    assert returned.wait(20)
    bench.store.close()


def test_it_is_returned_once_a_second_at_the_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, returned = [100.0], []
    bench = Bench(tmp_path, monotonic=lambda: now[0])
    monkeypatch.setattr(bench.store.tables, "evict", lambda: returned.append(now[0]))
    for now[0] in (100.0, 100.9, 101.0, 101.5, 102.0):
        bench.writer._return_memory()
    assert returned == [100.0, 101.0, 102.0]
    bench.store.close()


def test_many_batches_are_committed_whatever_the_timer_says(tmp_path: Path) -> None:
    bench = Bench(tmp_path, threaded=True, timer=CommitTimer(3600.0, 3600.0))
    for _ in range(MANY_BATCHES):
        bench.append()
    wait_until(lambda: not bench.writer.pending)
    assert bench.store.close()
