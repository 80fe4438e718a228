"""What is mapped of a file."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import pytest

from hub.store import mapped_file
from hub.store.mapped_file import MappedFile


def resident_kib(path: Path) -> int:
    text = Path("/proc/self/smaps").read_text()
    found = re.search(rf"{re.escape(str(path))}\n(?:.*\n)*?Rss: +(\d+) kB", text)
    assert found is not None
    return int(found.group(1))


def test_what_was_touched_is_let_go_and_still_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * (1 << 20))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ) as view:
        assert view[:].count(b"x") == 1 << 20
        before = resident_kib(path)
        MappedFile(path).evict()
        assert resident_kib(path) < before
        assert view[-1:] == b"x"


def test_a_file_that_is_not_mapped_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    MappedFile(path).evict()


@pytest.mark.parametrize("name", ["file", "a name of words"])
def test_a_file_of_the_same_number_elsewhere_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Its mapping may end before this one, and its addresses be used for something else."""
    path, maps = tmp_path / name, tmp_path / "maps"
    path.touch()
    number = path.stat().st_ino
    maps.write_text(
        f"1000-2000 r--s 00000000 00:2a {number} /elsewhere/file\n"
        f"3000-4000 r--s 00000000 00:2b {number} {path}\n"
        f"5000-6000 r--p 00000000 00:2b {number} {path}\n"
        "7000-8000 rw-p 00000000 00:00 0\n"
    )
    monkeypatch.setattr(mapped_file, "_MAPS", maps)
    assert list(mapped_file._ranges(path)) == [(0x3000, 0x4000)]
