"""What is wrong in a store is found; what is not, is not."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.store import records as r
from hub.store import tables as t
from hub.store.commit import HIGHEST
from hub.store.fsck.problem import Kind, Problem, positions
from hub.store.fsck.validation import read_queue
from hub.store.records import QueueRecord
from hub.store.settled import put_record
from tests.unit.store.known import Known, counts, edit, problems

Change = Callable[[t.Tables, Any], None]


def change(known: Known, how: Change) -> list[str]:
    """:returns: kinds of the problems that are found then."""
    tables = edit(known.directory)
    with tables.writing() as transaction:
        how(tables, transaction)
    tables.close()
    found = problems(known.directory)
    for problem in found:
        assert problem.kind in get_args(Kind)
        assert {"problem", "text"} <= set(problem.document())
        assert isinstance(problem.text, str)
        assert (problem.table, problem.key) == ("", b"") or problem.table in t.NAMES
        assert isinstance(problem.key, bytes)
        assert 0 <= problem.start <= problem.stop
    return [problem.kind for problem in found]


def first(transaction: Any, table: Any) -> tuple[bytes, bytes]:
    cursor = transaction.cursor(table)
    assert cursor.first()
    return cursor.key(), cursor.value()


def flipped(value: bytes, at: int = -1) -> bytes:
    damaged = bytearray(value)
    damaged[at] ^= 1
    return bytes(damaged)


def record_of(tables: t.Tables, transaction: Any, number: int = 1) -> QueueRecord:
    return read_queue(tables, transaction, transaction.get(t.queue_key(number), db=tables.queues))


def test_what_was_written_is_clean(known: Known) -> None:
    found = counts(known.directory)
    assert (found.problems, found.broken) == ([], False)
    assert {table for table, count in found.counts.items() if not count} == {"levels", "spent"}


def test_a_store_without_a_message_is_clean(tmp_path: Path) -> None:
    Known(tmp_path).close()
    assert problems(tmp_path) == []


def last(known: Known, do: Callable[[str, int], None]) -> None:
    """To the newest message of each queue."""
    for name, open_ in known.open.items():
        if open_:
            do(name, max(open_))


@settings(max_examples=40)
@given(st.integers(0, 1 << 30), st.sampled_from([0.0, 3600.0]))
def test_whatever_is_done_leaves_it_clean(tmp_path_factory: pytest.TempPathFactory, seed: int, keep: float) -> None:
    known = Known(tmp_path_factory.mktemp("store"), seed, keep)
    choose = random.Random(seed)
    actions: list[Callable[[], None]] = [
        lambda: known.append(choose.randint(1, 5), choose.choice([10, 3000])),
        lambda: known.append(1, 10, (choose.choice(list(known.messages)),)),
        lambda: known.settle_some(choose.choice([0.1, 0.5, 1.0])),
        known.commit,
        known.reopen,
        lambda: last(known, known.retry),
        lambda: known.store.remove_letters("alpha", [choose.randint(1, 9)]),
        lambda: known.store.limit_dead_letters("beta", choose.randint(0, 3)),
        lambda: last(known, known.post),
        lambda: known.store.sent(choose.randint(1, 9)),
    ]
    for _ in range(choose.randint(1, 40)):
        choose.choice(actions)()
    known.close()
    assert problems(known.directory) == []


@pytest.mark.parametrize("table", ["pages", "queues", "letters", "outbox"])
def test_a_damaged_record_is_found(known: Known, table: str) -> None:
    def damage(tables: t.Tables, transaction: Any) -> None:
        key, value = first(transaction, getattr(tables, table))
        transaction.put(key, flipped(value), db=getattr(tables, table))

    assert change(known, damage) == ["damaged"]


def test_a_damaged_page_names_whose_messages_were_in_it(known: Known) -> None:
    def damage(tables: t.Tables, transaction: Any) -> None:
        key = t.number_key(t.span_of(first(transaction, tables.index)[1])[0])
        transaction.put(key, flipped(transaction.get(key, db=tables.pages)), db=tables.pages)

    assert change(known, damage) == ["damaged"]
    assert "of queue 'alpha'" in problems(known.directory)[0].text


@pytest.mark.parametrize("table", ["pages", "queues", "letters", "outbox"])
def test_a_record_under_another_key_is_found(known: Known, table: str) -> None:
    def move(tables: t.Tables, transaction: Any) -> None:
        key, value = first(transaction, getattr(tables, table))
        transaction.delete(key, db=getattr(tables, table))
        transaction.put(key[:-1] + b"\xee", value, db=getattr(tables, table))

    found = change(known, move)
    assert "misplaced" in found
    assert set(found) <= {"misplaced", "beyond", "letters", "highest"}


def test_an_entry_that_is_gone_is_found_by_its_page(known: Known) -> None:
    assert change(known, lambda tables, transaction: delete_first(transaction, tables.index)) == ["unindexed"]


def delete_first(transaction: Any, table: Any) -> None:
    transaction.delete(first(transaction, table)[0], db=table)


def test_messages_without_entry_and_page_are_missing(known: Known) -> None:
    def lose(tables: t.Tables, transaction: Any) -> None:
        key, value = first(transaction, tables.index)
        page = t.number_key(t.span_of(value)[0])
        for table in (tables.pages, tables.refs):
            transaction.delete(page, db=table)
        transaction.delete(key, db=tables.index)

    assert "missing" in change(known, lose)


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (lambda page, count: t.span_value(page + 1000, count), ["unindexed", "dangling"]),
        (lambda page, count: t.span_value(page, count + 1), ["dangling"]),
        (lambda page, count: t.span_value(page + 1000, 0), ["unindexed", "dangling"]),
    ],
)
def test_an_entry_that_no_page_bears_out_is_found(known: Known, value: Any, kinds: list[str]) -> None:
    def damage(tables: t.Tables, transaction: Any) -> None:
        key, span = first(transaction, tables.index)
        transaction.put(key, value(*t.span_of(span)), db=tables.index)

    assert "dangling" in change(known, damage)


def test_an_entry_of_what_is_settled_is_found(known: Known) -> None:
    def settle(tables: t.Tables, transaction: Any) -> None:
        record = record_of(tables, transaction)
        record.floor, record.ranges = record.next_position, []
        put_record(tables, transaction, record)

    assert set(change(known, settle)) == {"settled", "row"}


def test_an_entry_beyond_what_is_given_is_found(known: Known) -> None:
    def cut(tables: t.Tables, transaction: Any) -> None:
        record = record_of(tables, transaction)
        record.next_position -= 1
        put_record(tables, transaction, record)

    assert set(change(known, cut)) == {"beyond", "row"}


def test_two_entries_for_one_position_are_found(known: Known) -> None:
    def double(tables: t.Tables, transaction: Any) -> None:
        for key, value in transaction.cursor(tables.index).iternext():
            page, count = t.span_of(value)
            if count > 2:
                number, start = t.place_of(key)
                transaction.put(t.place_key(number, start + 1), t.span_value(page, count - 1), db=tables.index)
                return

    assert "overlap" in change(known, double)


@pytest.mark.parametrize("table", ["refs", "spent"])
def test_marks_of_no_page_are_found(known: Known, table: str) -> None:
    def put(tables: t.Tables, transaction: Any) -> None:
        value = t.refs_value(1, 5.0) if table == "refs" else t.time_value(5.0)
        transaction.put(t.number_key(999), value, db=getattr(tables, table))

    assert change(known, put) == ["row"]


@pytest.mark.parametrize("table", ["refs", "spent"])
def test_wrong_marks_of_a_page_are_found(known: Known, table: str) -> None:
    def put(tables: t.Tables, transaction: Any) -> None:
        value = t.refs_value(9, 5.0) if table == "refs" else t.time_value(5.0)
        transaction.put(first(transaction, tables.pages)[0], value, db=getattr(tables, table))

    assert change(known, put) == ["marks"]


def test_a_page_that_nobody_needs_is_found(known: Known) -> None:
    def put(tables: t.Tables, transaction: Any) -> None:
        page = r.Page.of(999, 5.0, [known.message(5)], [])
        transaction.put(t.number_key(999), bytes(r.seal(r.PAGE, page)), db=tables.pages)

    assert change(known, put) == ["orphan"]


def test_entries_of_a_queue_that_there_is_not_are_found(known: Known) -> None:
    def delete(tables: t.Tables, transaction: Any) -> None:
        transaction.delete(t.queue_key(2), db=tables.queues)

    assert {"unknown", "row"} <= set(change(known, delete))


def test_an_entry_with_the_number_of_no_queue_makes_none(known: Known) -> None:
    def renumber(tables: t.Tables, transaction: Any) -> None:
        cursor = transaction.cursor(tables.index)
        assert cursor.last()
        key, value = cursor.key(), cursor.value()
        transaction.delete(key, db=tables.index)
        transaction.put(b"\xff" + key[1:], value, db=tables.index)

    assert change(known, renumber) == ["unindexed", "dangling"]


def test_a_page_of_a_queue_that_is_gone_may_name_its_number(known: Known) -> None:
    """The number goes to the next queue."""

    def put(tables: t.Tables, transaction: Any) -> None:
        record = record_of(tables, transaction)
        page = r.Page.of(999, record.created_at - 1.0, [known.message(5)], [(1, 10_000, None)])
        transaction.put(t.number_key(999), bytes(r.seal(r.PAGE, page)), db=tables.pages)
        transaction.put(t.number_key(999), t.time_value(page.stored_at), db=tables.spent)

    assert change(known, put) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (t.place_key(1, 0), bytes(28)),
        (t.place_key(1, 10_000), bytes(28)),
        (t.place_key(77, 0), bytes(28)),
        (t.place_key(1, 10_000), bytes(5)),
        (b"short", bytes(28)),
    ],
)
def test_tries_of_what_does_not_wait_are_found(known: Known, key: bytes, value: bytes) -> None:
    assert change(known, lambda tables, transaction: transaction.put(key, value, db=tables.tries)) == ["row"]


def test_a_due_time_that_is_none_is_found(known: Known) -> None:
    def damage(tables: t.Tables, transaction: Any) -> None:
        key, value = first(transaction, tables.tries)
        transaction.put(key, value[:-16] + b"\x7f\xf8" + bytes(14), db=tables.tries)

    assert change(known, damage) == ["row"]


@pytest.mark.parametrize("value", [b"", bytes(8), t.number_key(2), b"\x80" + bytes(7), bytes(9), None])
def test_a_highest_number_that_can_not_be_is_found(known: Known, value: bytes | None) -> None:
    def put(tables: t.Tables, transaction: Any) -> None:
        if value is None:
            transaction.delete(HIGHEST, db=tables.meta)
        else:
            transaction.put(HIGHEST, value, db=tables.meta)

    assert change(known, put) == ["highest"]


@pytest.mark.parametrize("value", [b"", b"\x80" + bytes(7), bytes(9)])
def test_a_number_of_the_next_page_that_can_not_be_is_found(known: Known, value: bytes) -> None:
    assert change(known, lambda tables, row: row.put(t.FOLLOWING, value, db=tables.meta)) == ["highest"]


def test_a_wrong_count_of_dead_letters_is_found(known: Known) -> None:
    assert change(known, lambda tables, transaction: delete_first(transaction, tables.letters)) == ["letters"]


def test_programs_are_told_the_row_and_the_positions() -> None:
    assert Problem("missing", "gone", "index", b"\x01\xff", 3, 5, 8).document() == {
        "problem": "missing",
        "text": "gone",
        "table": "index",
        "key": "01ff",
        "queue": 3,
        "start": 5,
        "stop": 8,
    }
    assert Problem("highest", "wrong").document() == {"problem": "highest", "text": "wrong"}


def test_an_entry_without_its_page_names_its_positions(known: Known) -> None:
    tables = edit(known.directory)
    with tables.writing() as transaction:
        key, span = first(transaction, tables.index)
        transaction.put(key, t.span_value(t.span_of(span)[0] + 1000, t.span_of(span)[1]), db=tables.index)
    tables.close()
    (queue, start), stop = t.place_of(key), t.place_of(key)[1] + t.span_of(span)[1]
    dangling = [problem for problem in problems(known.directory) if problem.kind == "dangling"]
    assert [(one.key, one.queue, one.start, one.stop) for one in dangling] == [(key, queue, start, stop)]
    assert positions(start, stop) in dangling[0].text


def test_positions_are_named_from_the_first_to_the_last() -> None:
    assert (positions(3, 4), positions(3, 6)) == ("position 3", "positions 3 to 5")
