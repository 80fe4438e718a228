"""States of files: whether one has changed since it was read."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class FileState(NamedTuple):
    """State of a file: its inode, its size in bytes, the time of its last change in ns, and its mode. It differs once
    the file was written or replaced, or others may read it."""

    inode: int
    size: int
    changed: int
    mode: int


def file_state(path: Path) -> FileState | None:
    """The state of a file now; ``None``: it can't be looked at. Ask before you read the file, or a change in between is
    lost."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return FileState(stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_mode)
