"""LMDB's pages, read without LMDB."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from hub.store import tables as t
from hub.store.fsck.image import Image
from hub.store.fsck.structure import FILE, FREE, MAIN, Structure
from tests.unit.store.known import Known, edit


def flaws(path: Path) -> dict[str, list[str]]:
    with Image(path) as image:
        return dict(Structure(image).flaws)


@pytest.fixture
def known(tmp_path: Path) -> Known:
    made = Known(tmp_path)
    made.some()
    made.close()
    return made


@pytest.mark.parametrize(("name", "other"), [(b"pages", b"qages"), (b"index", b"hndex"), (b"tries", b"triet")])
def test_a_table_of_another_name(known: Known, name: bytes, other: bytes) -> None:
    """LMDB would find no such table, and make an empty one."""
    known.file.write_bytes(known.file.read_bytes().replace(name, other))
    assert MAIN in flaws(known.file)


def test_it_reads_what_lmdb_reads(tmp_path: Path) -> None:
    """Trees of three levels, with deletions, and values of all sizes."""
    choose = random.Random(1)
    tables = t.Tables(tmp_path, sync=False)
    for _ in range(30):
        with tables.writing() as transaction:
            for _ in range(400):
                key = choose.randbytes(choose.randint(1, 60))
                transaction.put(key, choose.randbytes(choose.choice([0, 3, 100, 2000, 5000])), db=tables.damaged)
            cursor = transaction.cursor(tables.damaged)
            for _ in range(250):
                if cursor.set_range(choose.randbytes(2)):
                    cursor.delete()
    with tables.reading() as transaction:
        wanted = [(bytes(key), bytes(value)) for key, value in transaction.cursor(tables.damaged).iternext()]
    tables.close()
    with Image(tmp_path / t.FILE) as image:
        structure = Structure(image)
        assert structure.flaws == {}
        assert structure.trees["damaged"].depth >= 3
        rows = [(row.key, image.read(row.offset, row.length)) for row in structure.rows("damaged")]
    assert rows == wanted
    assert structure.sound("damaged")
    assert not structure.sound("nonsense")


def test_an_empty_store_is_sound(tmp_path: Path) -> None:
    edit(tmp_path).close()
    assert flaws(tmp_path / t.FILE) == {}


def newest(content: bytearray) -> int:
    """Where the newer of the two first pages begins."""
    return max((0, 4096), key=lambda at: int(struct.unpack_from("<Q", content, at + 144)[0]))


@pytest.mark.parametrize(
    ("offset", "value", "table"),
    [
        (16, 0, FILE),
        (20, 7, FILE),
        (40, 100, FILE),
        (144, 12345, FILE),
        (44, 0, FREE),
        (92, 4, MAIN),
        (94, 9, MAIN),
        (96, 5, MAIN),
        (104, 5, MAIN),
        (112, 5, MAIN),
        (120, 5, MAIN),
        (128, 99999, MAIN),
        (136, 3, MAIN),
        (136, 1 << 40, FILE),
    ],
)
def test_a_first_page_that_can_not_be(known: Known, offset: int, value: int, table: str) -> None:
    content = bytearray(known.file.read_bytes())
    size = {16: 4, 20: 4, 40: 4, 44: 2, 92: 2, 94: 2}.get(offset, 8)
    at = newest(content) + offset
    content[at : at + size] = value.to_bytes(size, "little")
    known.file.write_bytes(content)
    assert table in flaws(known.file)


def test_a_page_that_is_free_and_in_use(known: Known) -> None:
    """LMDB would write over it with the next commit."""
    content = bytearray(known.file.read_bytes())
    with Image(known.file) as image:
        structure = Structure(image)
        assert structure._meta is not None
        structure._used = bytearray(len(content) // 4096)
        row = next(structure._walk(FREE, structure._meta.free))
    at = row.offset + 8
    first = int.from_bytes(content[at : at + 8], "little")
    content[at : at + 8] = structure.trees["pages"].root.to_bytes(8, "little")
    known.file.write_bytes(content)
    assert first != structure.trees["pages"].root
    assert FREE in flaws(known.file)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"\0" * 9000, b"x" * 9000])
def test_what_is_no_store_at_all(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    with Image(tmp_path / "f") as image:
        structure = Structure(image)
    assert FILE in structure.flaws
    assert list(structure.rows("pages")) == []
