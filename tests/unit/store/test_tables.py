"""The tables: keys whose order is that of their numbers, and the search in the index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.store import Try
from hub.store import tables as t
from hub.store.tables import FILE, Tables, covering
from tests.unit.store.rig import rows

numbers = st.integers(0, 2**64 - 1)
small = st.integers(0, 2**32 - 1)
Entry = tuple[int, int, int]


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    made = Tables(tmp_path, sync=False)
    yield made
    made.close()


@given(numbers, numbers)
def test_keys_sort_as_their_numbers_do(one: int, two: int) -> None:
    assert (t.number_key(one) < t.number_key(two)) == (one < two)


@given(small, numbers, small, numbers)
def test_places_sort_by_queue_and_then_by_position(queue: int, at: int, other: int, there: int) -> None:
    assert (t.place_key(queue, at) < t.place_key(other, there)) == ((queue, at) < (other, there))


@given(numbers, small, st.floats(allow_nan=False))
def test_values_come_back(number: int, count: int, time: float) -> None:
    assert t.number_of(t.number_key(number)) == number
    assert t.place_of(t.place_key(count, number)) == (count, number)
    assert t.span_of(t.span_value(number, count)) == (number, count)
    assert t.refs_of(t.refs_value(count, time)) == (count, time)
    assert t.time_of(t.time_value(time)) == time


@given(st.builds(Try, small, small, st.floats(allow_nan=False), st.floats(allow_nan=False), small))
def test_a_try_comes_back(one: Try) -> None:
    assert t.try_of(t.try_value(one)) == one


INDEX: dict[int, list[Entry]] = {2: [(0, 10, 3), (3, 11, 2), (8, 12, 1)], 4: [(5, 13, 5)]}


def fill(tables: Tables, index: dict[int, list[Entry]]) -> None:
    with tables.writing() as transaction:
        for queue, entries in index.items():
            for start, page, count in entries:
                transaction.put(t.place_key(queue, start), t.span_value(page, count), db=tables.index)


def found(tables: Tables, queue: int, position: int) -> list[Entry]:
    with tables.reading() as transaction:
        return list(covering(transaction.cursor(tables.index), queue, position))


@pytest.mark.parametrize("queue", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("position", range(12))
def test_the_search_begins_with_the_entry_that_has_the_position_or_the_next(
    tables: Tables, queue: int, position: int
) -> None:
    fill(tables, INDEX)
    expected = [entry for entry in INDEX.get(queue, []) if entry[0] + entry[2] > position]
    assert found(tables, queue, position) == expected


def test_in_an_empty_index_nothing_is_found(tables: Tables) -> None:
    assert found(tables, 1, 0) == []


def test_a_reader_sees_what_was_committed(tables: Tables) -> None:
    with tables.writing() as transaction:
        transaction.put(b"key", b"value", db=tables.pages)
        assert rows(tables, "pages") == {}
    assert rows(tables, "pages") == {b"key": b"value"}


def write_and_fail(tables: Tables) -> None:
    with tables.writing() as transaction:
        transaction.put(b"key", b"value", db=tables.pages)
        raise ZeroDivisionError


def test_nothing_is_written_where_there_was_an_exception(tables: Tables) -> None:
    with pytest.raises(ZeroDivisionError):
        write_and_fail(tables)
    assert rows(tables, "pages") == {}


def test_the_bytes_in_use_fall_again(tables: Tables) -> None:
    before = tables.used()
    with tables.writing() as transaction:
        transaction.put(b"key", bytes(100_000), db=tables.pages)
    assert tables.used() >= before + 100_000
    with tables.writing() as transaction:
        transaction.delete(b"key", db=tables.pages)
    assert tables.used() == before


def test_the_disk_says_what_is_free(tables: Tables) -> None:
    assert tables.free() > 0


def test_the_file_is_not_for_others(tables: Tables) -> None:
    assert tables.path.stat().st_mode & 0o077 == 0


def test_it_can_be_read_by_who_may_not_write(tmp_path: Path) -> None:
    first = Tables(tmp_path, sync=False)
    with first.writing() as transaction:
        transaction.put(b"key", b"value", db=first.queues)
    first.sync()
    first.close()
    second = Tables(tmp_path, readonly=True)
    assert rows(second, "queues") == {b"key": b"value"}
    with pytest.raises(lmdb.ReadonlyError):
        second.writing()
    second.close()


def test_what_is_no_store_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"x" * 100_000)
    with pytest.raises(lmdb.Error):
        Tables(tmp_path)
