"""The writer: what a step commits, whom it tells, and what it does when the disk says no."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lmdb
import pytest

from hub.deadletter import DeadLetter
from hub.store import OVERHEAD, Journal, Outgoing, RoutedBatch, Share, writer
from hub.store.durable import DurableStore
from tests.support import wait_until
from tests.unit.doubles import RecordingLog, message, messages
from tests.unit.store.rig import FullDisk, rows


class Bench:
    """One queue with a journal; ``heard`` is what the store said, in order."""

    def __init__(self, directory: Path, **options: Any) -> None:
        self.log = RecordingLog()
        options = {"threaded": False, "sync": False, **options}
        self.store = DurableStore(directory, self.log, **options)
        self.writer = self.store.writer
        self.store.open("q")
        self.journal = Journal()
        self.store.attach("q", self.take_journal)
        self.heard: list[object] = []
        self.store.watch(lambda state, reason: self.heard.append(state), self.goes_out)
        self.position = 0

    def take_journal(self) -> Journal:
        journal, self.journal = self.journal, Journal()
        return journal

    def goes_out(self, first: int, outbox: list[Outgoing]) -> None:
        self.heard.append((first, [one.message.id for one in outbox]))

    def append(self, name: object = None, size: int = 2) -> None:
        batch = [message(self.position, body=b"x" * size)]
        share = Share("q", self.position, None, batch)
        self.position += 1
        self.store.append(RoutedBatch(batch, [share]), None if name is None else lambda: self.heard.append(name))

    def count(self, table: str) -> int:
        return len(rows(self.store.tables, table))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.close()


def lmdb_error(code: int) -> lmdb.Error:
    error = lmdb.Error("the test says so")
    vars(error)["code"] = code
    return error


# -- a step


def test_confirmations_come_after_the_commit_and_in_order(bench: Bench) -> None:
    for name in "abc":
        bench.append(name)
    assert bench.heard == []
    assert bench.writer.step()
    assert (bench.heard, bench.count("pages")) == (["a", "b", "c"], 3)
    assert bench.writer.step()
    assert bench.heard == ["a", "b", "c"]


def test_at_the_time_of_its_confirmation_a_batch_is_on_the_disk(bench: Bench) -> None:
    share = Share("q", 0, None, messages(1))
    bench.store.append(RoutedBatch(messages(1), [share]), lambda: bench.heard.append(bench.count("pages")))
    bench.writer.step()
    assert bench.heard == [1]


def test_where_there_is_nothing_to_write_there_is_no_commit(bench: Bench) -> None:
    bench.writer.step()
    before = bench.writer.counters.commits
    bench.writer.step()
    bench.store.changed("q")
    bench.writer.step()
    assert bench.writer.counters.commits == before


def test_all_that_arrived_is_one_commit(bench: Bench) -> None:
    bench.writer.step()
    before = bench.writer.counters.commits
    for _ in range(9):
        bench.append()
    bench.writer.step()
    assert bench.writer.counters.commits == before + 1


def test_but_no_commit_is_larger_than_memory_allows(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MOST_BYTES", 100 + 2 * OVERHEAD)
    bench.writer.step()
    before = bench.writer.counters.commits
    for size in (60, 40, 1, 500, 60, 30):
        bench.append(size, size)
    assert bench.writer.step()
    assert bench.writer.counters.commits == before + 4  # 60 + 40, 1, 500, 60 + 30
    assert bench.heard == [60, 40, 1, 500, 60, 30]


def test_what_is_sent_out_is_told_after_its_commit_once(bench: Bench) -> None:
    bench.journal.outbox.append(Outgoing("bus", message(7)))
    bench.writer.step()
    bench.writer.step()
    assert bench.heard == [(1, ["7"])]
    assert bench.count("outbox") == 1
    bench.store.sent(1)
    bench.writer.step()
    assert bench.count("outbox") == 0


# -- a full disk


def test_a_full_disk_is_waited_for_and_nothing_is_lost(bench: Bench) -> None:
    bench.append("a")
    with FullDisk(bench.store.tables, 9):
        assert not bench.writer.step()
        assert not bench.writer.step()
    bench.append("b")
    assert bench.heard == ["full"]
    assert bench.writer.step()
    assert bench.heard == ["full", "ok", "a", "b"]
    assert bench.count("pages") == 2


def test_what_can_go_goes_though_the_disk_is_full(bench: Bench) -> None:
    bench.append()
    bench.writer.step()
    bench.append("b")
    bench.journal.settled.append((0, 1))
    with FullDisk(bench.store.tables, 1):
        assert not bench.writer.step()
    assert bench.count("pages") == 0
    assert bench.heard == ["full"]
    assert bench.writer.step()
    assert bench.heard == ["full", "ok", "b"]


def test_a_letter_that_was_given_again_is_not_deleted_while_the_disk_is_full(bench: Bench) -> None:
    bench.journal.letters.append(DeadLetter(message(0), "no", 1, 0.0))
    bench.writer.step()
    bench.append()
    bench.store.remove_letters("q", [1], again=True)
    with FullDisk(bench.store.tables, 1):
        bench.writer.step()
    assert (bench.count("pages"), bench.count("letters")) == (0, 1)
    bench.writer.step()
    assert (bench.count("pages"), bench.count("letters")) == (1, 0)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_these_errors_mean_a_full_disk(bench: Bench, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(bench, monkeypatch, lmdb_error(code))
    assert bench.writer.state == "full"
    monkeypatch.undo()


def test_a_short_write_means_a_full_disk_where_it_is_full(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """LMDB says EIO then."""
    monkeypatch.setattr(bench.store.tables, "free", lambda: 4096)
    fail(bench, monkeypatch, lmdb_error(errno.EIO))
    assert bench.writer.state == "full"
    monkeypatch.undo()


def fail(bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def writing() -> Any:
        raise error

    monkeypatch.setattr(bench.store.tables, "writing", writing)
    bench.append("a")
    assert not bench.writer.step()


# -- a disk that can't be trusted


@pytest.mark.parametrize("error", [lmdb_error(errno.EIO), lmdb.CorruptedError("x"), OSError(errno.EIO, "x")])
def test_after_any_other_error_nothing_is_believed_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(bench.store.tables, "free", lambda: 1 << 40)
    fail(bench, monkeypatch, error)
    monkeypatch.undo()
    assert (bench.writer.state, bench.heard) == ("failed", ["failed"])
    assert not bench.writer.step()
    assert (bench.count("pages"), bench.heard) == (0, ["failed"])
    assert not bench.store.flush(0.0)
    assert not bench.store.close()
    bench.store = DurableStore(bench.store.tables.path.parent, bench.log, threaded=False)


def test_who_watches_late_is_told(bench: Bench) -> None:
    bench.append()
    with FullDisk(bench.store.tables, 2):
        bench.writer.step()
    told: list[tuple[str, bool]] = []
    bench.store.watch(lambda state, reason: told.append((state, bool(reason))), lambda first, outbox: None)
    assert told == [("full", True)]


def test_the_status_says_so(bench: Bench) -> None:
    bench.append()
    with FullDisk(bench.store.tables, 2):
        bench.writer.step()
    status = bench.store.status()
    assert (status["state"], status["failures"], status["pending"]) == ("full", 2, 1)
    assert "full" in status["reason"]


# -- the thread


def test_the_thread_commits_what_somebody_waits_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path, threaded=True, pace=3600.0)
    bench.append("a")
    wait_until(lambda: bench.heard == ["a"])
    assert bench.store.close()


def test_what_nobody_waits_for_has_its_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, threaded=True, pace=3600.0)
    assert bench.store.flush(10)
    bench.append()
    assert bench.writer.pending
    assert bench.store.flush(10)
    assert not bench.writer.pending
    assert bench.store.close()


def test_a_store_that_does_not_hurry_waits_for_its_pace(tmp_path: Path) -> None:
    bench = Bench(tmp_path, threaded=True, pace=3600.0, hurries=False)
    assert bench.store.flush(10)
    bench.append("a")
    assert bench.heard == []
    assert bench.store.flush(10)
    assert bench.heard == ["a"]
    assert bench.store.close()


def test_a_close_commits_the_rest(tmp_path: Path) -> None:
    bench = Bench(tmp_path, threaded=True, pace=3600.0)
    bench.append()
    assert bench.store.close()
    again = Bench(tmp_path)
    assert again.count("pages") == 1
    again.store.close()


def test_a_full_disk_is_tried_again_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "RETRY_EVERY", 0.01)
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
    assert not bench.store.close()


def test_many_threads_may_append_and_settle(tmp_path: Path) -> None:
    bench = Bench(tmp_path, threaded=True, pace=0.0)
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


def test_what_was_read_since_the_last_commit_is_let_go_when_nothing_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LET_GO_EVERY", 0.01)
    bench = Bench(tmp_path, threaded=True)
    let_go = threading.Event()
    bench.writer._let_go_at = float("inf")  # not by a commit
    monkeypatch.setattr(bench.store.tables, "let_go", let_go.set)
    assert let_go.wait(20)
    bench.store.close()
