"""What tells that a file is another one than before."""

from __future__ import annotations

import os
from pathlib import Path

from hub.filestate import file_state


def test_it_stays_while_nobody_writes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    assert file_state(path) == file_state(path)
    path.read_text()
    assert file_state(path) == file_state(path) is not None


def test_writing_replacing_and_opening_to_others_change_it(tmp_path: Path) -> None:
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_text("one")
    seen = [file_state(path)]
    path.write_text("longer")
    seen.append(file_state(path))
    os.utime(path, ns=(0, 1))
    seen.append(file_state(path))
    other.write_text("longer")
    os.utime(other, ns=(0, 1))
    other.replace(path)
    seen.append(file_state(path))
    path.chmod(0o600)
    seen.append(file_state(path))
    assert len(set(seen)) == 5


def test_one_that_can_not_be_looked_at_has_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert file_state(tmp_path / "missing") is None
    assert file_state(tmp_path / "file" / "below") is None
