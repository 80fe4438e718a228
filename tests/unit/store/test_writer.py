"""The writer: what a step commits, whom it tells, and what it does when the disk says no."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lmdb
import pytest

from hub.deadletter import DeadLetter
from hub.store import OVERHEAD, Journal, Outgoing, RoutedBatch, Share, Try, writer
from hub.store.condition import LITTLE
from hub.store.durable import DurableStore
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


def test_what_is_sent_out_later_is_numbered_on(bench: Bench) -> None:
    bench.journal.outbox += [Outgoing("bus", message(7)), Outgoing("bus", message(8))]
    bench.writer.step()
    bench.journal.outbox.append(Outgoing("bus", message(9)))
    bench.writer.step()
    assert bench.heard == [(1, ["7", "8"]), (3, ["9"])]


def test_what_was_sent_is_known_until_its_deletion_is_committed_and_then_forgotten(bench: Bench) -> None:
    bench.journal.outbox.append(Outgoing("bus", message(7)))
    bench.writer.step()
    bench.store.sent(1)
    assert bench.writer.sent_lately() == {1}
    bench.writer.step()
    assert bench.writer.sent_lately() == set()
    before = bench.writer.counters.commits
    bench.writer.step()
    assert bench.writer.counters.commits == before


def test_a_call_that_is_asked_for_during_a_step_comes_after_the_next(bench: Bench) -> None:
    share = Share("q", 0, None, messages(1))
    bench.store.when_stored(lambda: bench.heard.append("before"))
    late = lambda: bench.store.when_stored(lambda: bench.heard.append("late"))  # noqa: E731
    bench.store.append(RoutedBatch(messages(1), [share]), late)
    bench.writer.step()
    assert bench.heard == ["before"]
    bench.writer.step()
    assert bench.heard == ["before", "late"]


def test_an_order_is_carried_out_once(bench: Bench) -> None:
    bench.writer.order(lambda: bench.heard.append("done"))
    assert bench.heard == []
    bench.writer.step()
    bench.writer.step()
    assert bench.heard == ["done"]


# -- a full disk


def test_after_a_full_disk_a_commit_takes_at_most_twice_as_much_as_the_one_before(bench: Bench) -> None:
    bench.writer.step()
    counters, commits = bench.writer.counters, list[int]()
    for position in range(16):
        share = Share("q", position, None, messages(1))
        bench.store.append(RoutedBatch(messages(1), [share]), lambda: commits.append(counters.commits))
    with FullDisk(bench.store.tables, 3):
        assert bench.writer.step()
    assert list(Counter(commits).values()) == [2, 4, 8, 2]
    assert counters.failures == 3


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


def test_tries_outlast_a_full_disk(bench: Bench) -> None:
    """The commit that makes room does not write them."""
    bench.append()
    bench.writer.step()
    bench.append()
    bench.journal.tries[0] = Try(1)
    with FullDisk(bench.store.tables, 1):
        assert not bench.writer.step()
    assert bench.count("tries") == 0
    assert bench.writer.step()
    assert bench.count("tries") == 1


def test_a_disk_that_can_be_written_again_has_no_reason_to_tell(bench: Bench) -> None:
    bench.append()
    with FullDisk(bench.store.tables, 2):
        bench.writer.step()
    bench.writer.step()
    assert bench.writer.condition.now == ("ok", "")
    assert bench.store.status()["reason"] is None


@pytest.mark.parametrize("error", [lmdb.MapFullError("x"), lmdb.DiskError("x"), OSError(errno.EDQUOT, "x")])
def test_these_kinds_of_errors_mean_a_full_disk(bench: Bench, error: Exception) -> None:
    assert bench.writer.condition.is_full(error)


@pytest.mark.parametrize("error", [lmdb.Error("x"), OSError("x"), OSError(errno.EPERM, "x"), ValueError("x")])
def test_other_errors_do_not(bench: Bench, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.store.tables, "free", lambda: 0)
    assert not bench.writer.condition.is_full(error)


@pytest.mark.parametrize(("free", "full"), [(LITTLE - 1, True), (LITTLE, False)])
def test_how_much_is_free_decides_what_a_short_write_means(
    bench: Bench, free: int, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.store.tables, "free", lambda: free)
    assert bench.writer.condition.is_full(lmdb_error(errno.EIO)) is full
