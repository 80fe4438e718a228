"""How many dead letters are kept, of how many bytes, and how long; in the stores that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.deadletter import DeadLetter
from hub.message import Message
from hub.store import Journal, Store
from hub.store.durable import DurableStore
from hub.store.memory import MemoryStore
from tests.unit.doubles import RecordingLog
from tests.unit.store.rig import FullDisk, rows

HOUR = 3600.0


class Desk:
    """A store with one queue, and a clock."""

    def __init__(self, make: Callable[[Callable[[], float]], Store]) -> None:
        self.now, self.number = 1e6, 0
        self.store = make(lambda: self.now)
        self.journal = Journal()
        self.open()

    def open(self) -> None:
        self.store.open("q")
        self.store.attach("q", self.take_journal)

    def take_journal(self) -> Journal:
        journal, self.journal = self.journal, Journal()
        return journal

    def bury(self, *sizes: int, ahead: float = 0.0, traceback: str = "") -> None:
        for size in sizes:
            message = Message(str(self.number), "a.b", b"x" * size)
            self.journal.letters.append(DeadLetter(message, "no", 1, self.now + ahead, "", traceback))
            self.number += 1
        self.commit()

    def commit(self) -> None:
        if isinstance(self.store, DurableStore):
            self.store.writer.step()
        else:
            self.store.changed("q")

    def limit(self, count: int = 1000, size: int | None = None, age: float | None = None) -> None:
        self.store.limit_dead_letters("q", count, size, age)
        self.commit()

    def ids(self) -> list[str]:
        letters = [letter.message.id for letter in self.store.dead_letters("q")]
        assert len(letters) == self.store.kept_dead_letters("q")
        assert len(letters) + self.store.lost_dead_letters("q") == self.number
        return letters


def durable(directory: Path, wall: Callable[[], float]) -> DurableStore:
    return DurableStore(directory, RecordingLog(), threaded=False, sync=False, wall=wall, monotonic=wall)


@pytest.fixture(params=["memory", "durable"])
def desk(request: Any, tmp_path: Path) -> Iterator[Desk]:
    make = MemoryStore if request.param == "memory" else lambda wall: durable(tmp_path, wall)
    made = Desk(make)
    yield made
    made.store.close()


def test_the_oldest_go_where_all_together_are_too_large(desk: Desk) -> None:
    desk.limit(size=20_000)
    desk.bury(8_000, 8_000, 8_000, 100)
    assert desk.ids() == ["1", "2", "3"]
    desk.limit(size=10_000)
    assert desk.ids() == ["2", "3"]


def test_tracebacks_count_too(desk: Desk) -> None:
    desk.limit(size=20_000)
    desk.bury(10, 10, 10, traceback="x" * 9_000)
    assert desk.ids() == ["1", "2"]


def test_the_newest_stays_whatever_its_size_but_not_where_none_may_be(desk: Desk) -> None:
    desk.limit(size=1_000)
    desk.bury(10, 100_000)
    assert desk.ids() == ["1"]
    desk.bury(10)
    assert desk.ids() == ["2"]
    desk.limit(count=0)
    assert desk.ids() == []


def test_what_is_deleted_counts_no_more(desk: Desk) -> None:
    desk.limit(size=20_000)
    desk.bury(8_000, 8_000)
    desk.store.remove_letters("q", [desk.store.dead_letters("q")[0].number])
    desk.commit()
    desk.number -= 1
    desk.bury(8_000)
    assert desk.ids() == ["1", "1"]


def test_the_old_go_when_their_ages_are_looked_at(desk: Desk) -> None:
    desk.bury(1)
    desk.now += HOUR
    desk.bury(1)
    desk.limit(age=2 * HOUR)
    assert desk.ids() == ["0", "1"]
    desk.now += HOUR + 10
    desk.bury(1)
    desk.limit(age=2 * HOUR)
    assert desk.ids() == ["1", "2"]


# -- on the disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(lambda wall: durable(tmp_path, wall))
    yield made
    made.store.close()


def test_one_from_while_the_clock_was_ahead_is_as_old_as_the_next(disk: Desk) -> None:
    disk.bury(1, ahead=1e9)
    disk.bury(1)
    for _ in range(3):
        disk.now += HOUR
        disk.commit()
    disk.bury(1)
    disk.limit(age=2 * HOUR)
    assert disk.ids() == ["2"]


def test_a_clock_that_is_ahead_for_a_moment_costs_none(tmp_path: Path) -> None:
    now, passed = [1e6], [0.0]
    options: dict[str, Any] = {"wall": lambda: now[0], "monotonic": lambda: passed[0]}
    store = DurableStore(tmp_path, RecordingLog(), threaded=False, sync=False, **options)
    store.open("q")
    letters = [DeadLetter(Message("1", "a.b", b""), "no", 1, now[0])]
    store.attach("q", lambda: Journal(letters=[letters.pop()] if letters else []))
    store.writer.step()
    now[0] += 1e9
    store.limit_dead_letters("q", 1000, None, HOUR)
    store.writer.step()
    assert store.kept_dead_letters("q") == 1
    store.close()


def test_their_bytes_are_known_again_after_a_restart(tmp_path: Path) -> None:
    desk = Desk(lambda wall: durable(tmp_path, wall))
    desk.bury(8_000, 8_000)
    desk.store.close()
    desk.store = durable(tmp_path, lambda: desk.now)
    desk.open()
    desk.limit(size=20_000)
    assert desk.ids() == ["0", "1"]
    desk.bury(8_000)
    assert desk.ids() == ["1", "2"]
    desk.store.close()


def test_while_the_disk_is_full_no_more_wait_in_memory_than_are_kept(disk: Desk) -> None:
    disk.limit(count=3, size=20_000)
    assert isinstance(disk.store, DurableStore)
    with FullDisk(disk.store.tables, 99):
        for _ in range(4):
            disk.bury(10, 8_000)
    ledger = disk.store.writer.ledgers["q"]
    assert sum(len(burden.letters) for burden in ledger.held) + len(ledger.letters) == 3
    disk.commit()
    assert disk.ids() == ["5", "6", "7"]


def test_the_oldest_go_for_the_limit_and_those_after_them_for_their_age(disk: Desk) -> None:
    disk.bury(1, 1, 1)
    disk.now += HOUR
    disk.bury(1, 1)
    disk.limit(count=4, age=HOUR / 2)
    assert disk.ids() == ["3", "4"]


def test_a_bounded_number_goes_for_its_age_at_a_time(disk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.store.letters.AT_ONCE", 2)
    disk.bury(1, 1, 1, 1, 1)
    disk.now += 2 * HOUR
    disk.limit(age=HOUR)
    assert disk.ids() == ["2", "3", "4"]
    disk.limit(age=HOUR)
    assert disk.ids() == ["4"]


def test_one_that_is_exactly_as_old_as_it_may_be_stays(disk: Desk) -> None:
    disk.bury(1)
    disk.now += HOUR
    disk.limit(age=HOUR)
    assert disk.ids() == ["0"]


def test_a_damaged_one_has_no_age_of_its_own(disk: Desk) -> None:
    assert isinstance(disk.store, DurableStore)
    disk.bury(1, 1)
    disk.now += 2 * HOUR
    disk.bury(1)
    tables = disk.store.tables
    with tables.writing() as transaction:
        key = max(key for key, value in rows(tables, "letters").items() if b'"1"' in value or b"\xa11" in value)
        transaction.put(key, b"damage", db=tables.letters)
    disk.limit(age=HOUR)
    assert disk.store.kept_dead_letters("q") == 2
