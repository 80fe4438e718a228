"""Rows are read as far as LMDB can read them, and what it can't is told."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import lmdb
import pytest

from hub.errors import ConfigError
from hub.store import tables as t
from hub.store.fsck import rows
from hub.store.fsck.rows import Pass, Row, UnreadableError
from tests.unit.store.fsck.test_rewrite import Content, content, holes, put, with_hole
from tests.unit.store.known import edit
from tests.unit.store.test_version import FIXTURES

__all__ = ["content"]


def test_rows_behind_the_place_where_it_died_are_read_from_the_end(tmp_path: Path, content: Content) -> None:
    keys = dict(enumerate([low for low, _ in holes(content, tmp_path / "damaged", "tries")]))
    reading = rows.ReadableRows(tmp_path / "damaged" / t.FILE, partial(with_hole, "tries", keys[1], keys[1], True))
    whole = list(rows.ReadableRows(tmp_path / "damaged" / t.FILE).rows())
    found = list(reading.rows())
    assert sorted(found) == sorted(row for row in whole if row[:2] != ("tries", keys[1]))
    assert list(reading.flaws) == ["tries"]
    assert "died: exit code 9 (after the row " in reading.flaws["tries"]


def test_a_reader_that_dies_at_once_is_not_tried_for_each_table(tmp_path: Path, content: Content) -> None:
    put(tmp_path / "damaged", content.file[:100])
    reading = rows.ReadableRows(tmp_path / "damaged" / t.FILE)
    assert list(reading.rows()) == []
    assert set(reading.flaws) == set(t.NAMES)


@pytest.mark.parametrize(
    ("keys", "backward", "text"),
    [([b"a", b"c", b"b"], False, "not in order"), ([b"c", b"a", b"b"], True, "not in order"), ([b"a"], False, "has 1")],
)
def test_rows_that_can_not_be_so_are_told(keys: list[bytes], backward: bool, text: str) -> None:
    """As LMDB gives them when a page of a table is another table's."""
    with pytest.raises(UnreadableError, match=text):
        list(rows._rows(OddEnvironment(keys), Pass("pages", backward)))


class OddEnvironment:
    """Gives these keys, and says that there are three."""

    def __init__(self, keys: list[bytes]) -> None:
        self._keys = keys

    def open_db(self, name: bytes, create: bool) -> None: ...

    def begin(self, db: None) -> OddEnvironment:
        return self

    def __enter__(self) -> OddEnvironment:
        return self

    def __exit__(self, *error: object) -> None: ...

    def cursor(self) -> OddEnvironment:
        return self

    def stat(self, table: None) -> dict[str, int]:
        return {"entries": 3}

    def iternext(self) -> Iterator[Row]:
        return ((key, b"") for key in self._keys)

    iterprev = iternext


def test_only_errors_of_the_file_are_taken_for_damage(tmp_path: Path) -> None:
    with pytest.raises(lmdb.Error) as missing:
        lmdb.open(str(tmp_path / "none" / "at all"), create=False)
    assert isinstance(rows.unreadable_by(lmdb.CorruptedError("bad")), UnreadableError)
    for error in (missing.value, lmdb.MapFullError("full"), lmdb.ReadonlyError("not here")):
        with pytest.raises(OSError, match="the store can't be used: "):
            rows.unreadable_by(error)


def test_a_page_of_another_table_in_the_place_of_the_tables_names(tmp_path: Path, content: Content) -> None:
    """No table is taken for an empty one."""
    put(tmp_path / "damaged", content.file.replace(b"settled", b"settlfd").replace(b"queues", b"queuet"))
    reading = rows.ReadableRows(tmp_path / "damaged" / t.FILE)
    assert list(reading.rows()) == []
    assert set(reading.flaws) == set(t.NAMES)
    assert "there is no table 'queues', but one that is called 'queuet'" in reading.flaws["pages"]


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"\0" * 9000, b"x" * 9000])
def test_what_is_no_store_at_all_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / t.FILE).write_bytes(content)
    assert rows.damage(tmp_path / t.FILE).startswith("file: ")
    assert (tmp_path / t.FILE).read_bytes() == content


@pytest.mark.parametrize("former", [True, False])
def test_a_table_that_is_not_known_is_of_a_later_hub_where_none_is_missing(tmp_path: Path, former: bool) -> None:
    if former:
        (tmp_path / t.FILE).write_bytes(lzma.decompress((FIXTURES / "format1.mdb.xz").read_bytes()))
    else:
        edit(tmp_path).close()
    with lmdb.open(str(tmp_path / t.FILE), subdir=False, max_dbs=20) as environment:
        environment.open_db("né".encode("latin-1"))
    with pytest.raises(ConfigError, match="tables that this hub does not know"):
        list(rows.walk(tmp_path / t.FILE))


def test_the_tables_are_named_before_they_are_read(tmp_path: Path, content: Content) -> None:
    put(tmp_path / "damaged", content.file)
    assert set(rows.walk(tmp_path / "damaged" / t.FILE)) == set(t.NAMES)
    with rows.open_readonly(tmp_path / "damaged" / t.FILE) as environment:
        assert not rows.is_cut(tmp_path / "damaged" / t.FILE, environment)
    (tmp_path / "damaged" / t.FILE).write_bytes(content.file[:-8192].rstrip(b"\0")[:20_000])
    with rows.open_readonly(tmp_path / "damaged" / t.FILE) as environment:
        assert rows.is_cut(tmp_path / "damaged" / t.FILE, environment)
