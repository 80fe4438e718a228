"""The tables: keys whose order is that of their numbers, and the search in the index."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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


# -- room in the file


def length(tables: Tables) -> int:
    return tables.path.stat().st_size


@pytest.mark.parametrize("standing", [0, 5 << 20])
@pytest.mark.parametrize(("ends", "reserve"), [(False, t.RESERVE), (True, t.RESERVE // 2)])
def test_the_file_grows_by_what_a_commit_needs_and_leaves_its_reserve(
    tables: Tables, ends: bool, reserve: int, standing: int
) -> None:
    size, before = 3 << 20, length(tables)
    tables.reserve(size, standing, ends)
    wanted = size + size // 3 + reserve + standing + before // t.FREE_LIST
    assert length(tables) == tables.used() + wanted + t.GROWTH


def test_it_does_not_grow_while_there_is_room(tables: Tables) -> None:
    tables.reserve(3 << 20)
    before = length(tables)
    for _ in range(9):
        tables.reserve(1 << 20)  # and nothing is written
    assert length(tables) == before


def test_what_is_written_never_takes_the_reserve(tables: Tables) -> None:
    for number in range(60):
        tables.reserve(150_000)
        before = length(tables)
        with tables.writing() as transaction:
            transaction.put(t.number_key(number), bytes(150_000), db=tables.pages)
        assert length(tables) == before
        assert before - tables.used() >= t.RESERVE


def test_what_is_in_use_is_measured_only_where_room_becomes_short(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.reserve(8 << 20)  # of which nothing is written
    measured: list[object] = []
    used = tables.used

    def measure(transaction: object = None) -> int:
        if transaction is None:
            measured.append(None)
        return used(transaction)

    monkeypatch.setattr(tables, "used", measure)
    for _ in range(400):
        tables.reserve(30_000)
    assert 0 < len(measured) <= 2 * 2  # twice a measurement, of the need and of what is left


def disk_with(room: int, asked: list[int]) -> Callable[[int, int, int], None]:
    """In the place of ``posix_fallocate``: a disk with so many bytes."""

    def allocate(descriptor: int, offset: int, count: int) -> None:
        asked.append(count)
        if count > room:
            raise OSError(errno.ENOSPC, "the test says that it is full")
        os.truncate(descriptor, offset + count)

    return allocate


def test_on_a_disk_that_is_nearly_full_it_grows_by_the_need_alone(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, asked = length(tables), list[int]()
    wanted = (3 << 20) + (1 << 20) + t.RESERVE + before // t.FREE_LIST
    monkeypatch.setattr(os, "posix_fallocate", disk_with(5 << 20, asked))
    tables.reserve(3 << 20)
    assert length(tables) == tables.used() + wanted
    assert asked == [asked[1] + t.GROWTH, length(tables) - before]


def test_a_disk_that_is_full_is_told_before_anything_is_written(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = length(tables)
    monkeypatch.setattr(os, "posix_fallocate", disk_with(0, []))
    with pytest.raises(OSError, match="it is full"):
        tables.reserve(3 << 20)
    assert length(tables) == before


# -- how it is opened


@pytest.mark.parametrize("sync", [True, False])
def test_a_commit_waits_for_the_disk_where_that_is_wanted(tmp_path: Path, sync: bool) -> None:
    tables = Tables(tmp_path, sync=sync)
    flags = tables._environment.flags()
    assert (flags["sync"], flags["metasync"], flags["readahead"]) == (sync, sync, False)
    tables.close()


def test_the_file_of_locks_is_allocated_whole_and_not_for_others(tables: Tables) -> None:
    """It is written through a map, which a full disk would end by a signal."""
    found = Path(f"{tables.path}-lock").stat()
    assert (found.st_mode & 0o777, tables.path.stat().st_mode & 0o777) == (0o600, 0o600)
    assert found.st_size >= t.LOCK_SIZE
    assert found.st_blocks * 512 >= t.LOCK_SIZE


@pytest.mark.parametrize("name", [FILE, f"{FILE}-lock"])
def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=name):
        Tables(tmp_path, sync=False)
    assert (tmp_path / "elsewhere").stat().st_size == 0


def open_below(directory: Path) -> list[str]:
    """Files below a directory that this process has open. Others come and go with other tests."""
    found = [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
    return sorted(path for path in found if path.startswith(f"{directory}/"))


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    for readonly in (False, True):
        tables = Tables(tmp_path, sync=False, readonly=readonly)
        assert str(tmp_path / FILE) in open_below(tmp_path)
        tables.close()
    (tmp_path / FILE).write_bytes(b"x" * 100_000)
    with pytest.raises(lmdb.Error):
        Tables(tmp_path)
    assert open_below(tmp_path) == []


def test_the_rows_of_a_table_are_counted(tables: Tables) -> None:
    with tables.writing() as transaction:
        for number in range(3):
            transaction.put(t.number_key(number), b"", db=tables.spent)
    assert (tables.count("spent"), tables.count("pages")) == (3, 0)


def test_a_table_of_numbers_goes_on_after_its_last(tables: Tables) -> None:
    with tables.writing() as transaction:
        assert t.after_last(transaction, tables.outbox) == 1
        for number in (4, 256):
            transaction.put(t.number_key(number), b"", db=tables.outbox)
        assert t.after_last(transaction, tables.outbox) == 257


def test_the_rows_of_a_queue_begin_where_they_are_wanted(tables: Tables) -> None:
    with tables.writing() as transaction:
        for queue, number in ((1, 5), (2, 0), (2, 1), (2, 7), (3, 1)):
            transaction.put(t.place_key(queue, number), b"%d" % number, db=tables.tries)
    with tables.reading() as transaction:
        found = [[number for number, _ in t.rows_of(transaction.cursor(tables.tries), 2, at)] for at in (0, 1, 2, 8)]
        values = [bytes(value) for _, value in t.rows_of(transaction.cursor(tables.tries), 2)]
    assert found == [[0, 1, 7], [1, 7], [7], []]
    assert values == [b"0", b"1", b"7"]


def test_the_memory_of_a_map_that_grew_is_returned_too(tmp_path: Path) -> None:
    tables = Tables(tmp_path, sync=False, map_size=1 << 20)
    assert tables.grow_map()
    ranges = tables._map._ranges
    assert sum(stop - start for start, stop in ranges) == 2 << 20
    tables.evict()
    assert rows(tables, "pages") == {}
    tables.close()


# -- how it is closed


def test_it_waits_for_readers_and_later_ones_get_an_error(tmp_path: Path) -> None:
    """Their values are views of the map."""
    tables = Tables(tmp_path, sync=False)
    with tables.writing() as transaction:
        transaction.put(b"key", b"value", db=tables.meta)
    with ThreadPoolExecutor() as pool:
        with tables.reading() as transaction:
            value = transaction.get(b"key", db=tables.meta)
            closing = pool.submit(tables.close)
            while tables._gate._open:
                assert not closing.done()
            assert bytes(value) == b"value"
        closing.result(timeout=10)
    with pytest.raises(lmdb.Error), tables.reading():
        pytest.fail("it is closed")
    tables.evict()
    assert tables._map._ranges == []


def test_it_is_not_closed_under_a_reader_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(t, "READERS_TIMEOUT", 0.01)
    tables = Tables(tmp_path, sync=False)
    with tables.writing() as transaction:
        transaction.put(b"key", b"value", db=tables.meta)
    with tables.reading() as transaction:
        tables.close()
        assert bytes(transaction.get(b"key", db=tables.meta)) == b"value"
    tables._environment.close()
