"""The reader of the log: by offsets, whatever queues the messages went to, in short steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.message import Message
from hub.store import PER_PAGE, Journal, LogReader, RoutedBatch, Share, log_reader
from hub.store import tables as t
from hub.store.durable import DurableStore
from hub.store.memory import MemoryStore
from tests.unit.doubles import RecordingLog, message, messages


class Time:
    now = 1000.0


class Kept(DurableStore):
    """A store that keeps history for 100 s, on a clock that stands still, whose writer the test steps."""

    def __init__(self, directory: Path, keep: float = 100.0) -> None:
        self.lines = RecordingLog()
        self.time = Time()
        clocks: dict[str, Any] = {"wall": lambda: self.time.now, "monotonic": lambda: self.time.now}
        super().__init__(directory, self.lines, keep=keep, threaded=False, sync=False, **clocks)

    def page(self, *batch: Message, copy: bool = False, shares: tuple[Share, ...] = ()) -> None:
        self.append(RoutedBatch(batch, shares, copy=copy), None)
        assert self.writer.step()

    @property
    def reader(self) -> LogReader:
        assert self.log_reader is not None
        return self.log_reader


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.close()


def named(id_: str) -> Message:
    return Message(id_, "a.b", b"{}", {}, 1000.0, "bus")


def everything(one: Message) -> bool:
    return True


def ids(reader: LogReader, offset: int = 0) -> list[str]:
    return [one.id for _, one in reader.read(offset, everything).messages]


def test_messages_have_offsets_that_rise(store: Kept) -> None:
    store.page(*messages(3))
    store.page(named("x"), named("y"))
    found = store.reader.read(0, everything)
    assert [(offset, one.id) for offset, one in found.messages] == [
        *((PER_PAGE, "0"), (PER_PAGE + 1, "1"), (PER_PAGE + 2, "2")),
        *((2 * PER_PAGE, "x"), (2 * PER_PAGE + 1, "y")),
    ]
    assert (found.following, found.complete, found.missing) == (3 * PER_PAGE, True, False)
    assert store.reader.end() == 3 * PER_PAGE


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (PER_PAGE + 1, ["1", "2", "x", "y"]),
        (PER_PAGE + 3, ["x", "y"]),
        (2 * PER_PAGE + 1, ["y"]),
        (2 * PER_PAGE + 2, []),
        (3 * PER_PAGE, []),
    ],
)
def test_reading_begins_at_an_offset_or_the_next_one_there_is(store: Kept, offset: int, expected: list[str]) -> None:
    store.page(*messages(3))
    store.page(named("x"), named("y"))
    assert ids(store.reader, offset) == expected
    assert store.reader.read(offset, everything).complete


def test_what_was_put_into_a_queue_alone_is_left_out_and_what_a_queue_needs_is_not(store: Kept) -> None:
    store.open("q")
    store.attach("q", Journal)
    waiting, alone = [named("waiting")], [named("alone")]
    store.page(*waiting, shares=(Share("q", 0, None, waiting),))
    store.page(*alone, shares=(Share("q", 1, None, alone),), copy=True)
    store.page(named("last"))
    assert ids(store.reader) == ["waiting", "last"]


def test_only_what_is_wanted_is_returned(store: Kept) -> None:
    store.page(*messages(10))
    found = store.reader.read(0, lambda one: one.id in ("3", "7"))
    assert [offset for offset, _ in found.messages] == [PER_PAGE + 3, PER_PAGE + 7]
    assert store.reader.read(0, lambda one: False).messages == []


@pytest.mark.parametrize(
    ("bound", "value", "expected"), [("STEP_PAGES", 2, 4), ("STEP_MESSAGES", 3, 4), ("STEP_BYTES", 5, 6)]
)
def test_a_step_is_bounded_and_the_next_one_goes_on(
    store: Kept, monkeypatch: pytest.MonkeyPatch, bound: str, value: int, expected: int
) -> None:
    monkeypatch.setattr(log_reader, bound, value)
    for number in range(0, 10, 2):
        store.page(message(number, body=b"x"), message(number + 1, body=b"x"))
    offset, steps, complete = 0, list[list[str]](), False
    while not complete:
        portion = store.reader.read(offset, everything)
        steps.append([one.id for _, one in portion.messages])
        offset, complete = portion.following, portion.complete
    assert len(steps[0]) == expected
    assert [one for step in steps for one in step] == [str(number) for number in range(10)]


def test_at_the_end_it_goes_on_with_what_comes(store: Kept) -> None:
    store.page(named("a"))
    end = store.reader.read(0, everything).following
    assert store.reader.read(end, everything).messages == []
    store.append(RoutedBatch([named("b")], []), None)
    assert store.reader.read(end, everything).messages == []
    store.writer.step()
    assert ids(store.reader, end) == ["b"]


def test_pages_that_are_gone_are_told(store: Kept) -> None:
    store.page(named("a"))
    store.page(named("b"))
    store.time.now += 90
    store.page(named("c"))
    store.time.now += 50
    store.writer.changed()
    store.writer.step()
    found = store.reader.read(PER_PAGE, everything)
    assert ([one.id for _, one in found.messages], found.missing) == (["c"], True)
    assert not store.reader.read(3 * PER_PAGE, everything).missing


def test_no_number_of_a_page_is_used_twice_though_all_are_deleted(tmp_path: Path) -> None:
    store = Kept(tmp_path)
    for one in messages(4):
        store.page(one)
    store.time.now += 200
    store.writer.step()
    assert (store.tables.count("pages"), store.reader.end()) == (0, 5 * PER_PAGE)
    store.close()
    again = Kept(tmp_path)
    again.page(named("later"))
    assert [offset for offset, _ in again.reader.read(0, everything).messages] == [5 * PER_PAGE]
    with again.tables.writing() as transaction:
        transaction.put(t.FOLLOWING, b"damaged!", db=again.tables.meta)
    assert again.reader.end() == 6 * PER_PAGE
    again.close()


def test_damaged_pages_are_logged_and_left_out(store: Kept) -> None:
    for one in messages(3):
        store.page(one)
    with store.tables.writing() as transaction:
        transaction.put(t.number_key(2), b"garbage", db=store.tables.pages)
    assert ids(store.reader) == ["0", "2"]
    assert any("page 2 is damaged" in line for line in store.lines.lines())


def test_a_time_leads_to_the_first_page_that_may_have_it(store: Kept) -> None:
    store.open("q")
    store.attach("q", Journal)
    for number in range(4):
        store.time.now += 10
        store.page(message(number))
    assert [store.reader.since(time) // PER_PAGE for time in (0.0, 1010.0, 1011.0, 1035.0, 1041.0)] == [1, 1, 2, 4, 5]
    waiting = [named("waiting")]
    store.page(*waiting, shares=(Share("q", 0, None, waiting),))
    assert store.reader.since(2000.0) // PER_PAGE == 5


def test_a_time_is_looked_for_in_short_transactions(store: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        store.time.now += 10
        store.page(message(number))
    transactions, reading = list[str](), store.tables.reading

    def counted() -> Any:
        transactions.append("one")
        return reading()

    monkeypatch.setattr(store.tables, "reading", counted)
    monkeypatch.setattr(log_reader, "STEP_TIMES", 2)
    found = [store.reader.since(time) // PER_PAGE for time in (0.0, 1020.0, 1021.0, 1070.0, 1071.0)]
    assert found == [1, 2, 3, 7, 8]
    assert len(transactions) == 1 + 1 + 2 + 4 + 4


def test_the_last_one_is_found_from_the_end_step_by_step(store: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "STEP_PAGES", 2)
    for number in range(5):
        store.page(named(f"{number}a"), named(f"{number}b"), named(f"{number}c"))
    reader = store.reader
    assert reader.last(lambda one: one.id.endswith("b"), reader.end()) == (5 * PER_PAGE + 1, 5 * PER_PAGE)
    first, steps, below = None, 0, reader.end()
    while below and first is None:
        first, below = reader.last(lambda one: one.id == "0a", below)
        steps += 1
    assert (first, steps) == (PER_PAGE, 3)
    assert reader.last(lambda one: False, 2 * PER_PAGE) == (None, 0)
    assert reader.last(everything, PER_PAGE) == (None, 0)


def test_the_last_pages_are_shared_by_way_of_the_cache_and_old_ones_do_not_fill_it(
    store: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reader, "CACHED_PAGES", 2)
    for one in messages(5):
        store.page(one)
    first, second = (store.reader.read(0, everything).messages for _ in range(2))
    same = [one is other for (_, one), (_, other) in zip(first, second, strict=True)]
    assert same == [False, False, False, True, True]


def test_a_mark_tells_the_page_that_follows_what_came_before_it(store: Kept) -> None:
    marks: list[int] = []
    store.append(RoutedBatch([named("a")], []), None)
    store.append(RoutedBatch([], []), None)
    store.append(RoutedBatch([], [], mark=marks.append), None)
    store.append(RoutedBatch([named("b")], []), None)
    assert marks == []
    store.writer.step()
    assert marks == [2]
    assert ids(store.reader, marks[0] * PER_PAGE) == ["b"]


def test_without_history_there_is_no_reader(tmp_path: Path) -> None:
    store = Kept(tmp_path, keep=0.0)
    assert (store.log_reader, MemoryStore().log_reader) == (None, None)
    store.close()
