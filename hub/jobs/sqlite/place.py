"""The place of a file of SQLite while a program has it open: whether it is the same file, with the same files beside.

SQLite goes on with a file that was removed or replaced, and nobody would find again what it writes. Beside the file are
its log (``-wal``), in which the newest commits are alone, and the log's index (``-shm``). SQLite itself removes these
when the last connection of all programs ends, and never before.
"""

from __future__ import annotations

from pathlib import Path

from hub.jobs.errors import BadDatabase

BESIDE = ("-wal", "-shm")
Identity = tuple[int, int]
"""Device and inode of a file."""


class FilePlace:
    """What was there when it was opened. Thread-safe, as each change is one step."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._identity: Identity | None = None
        self._beside: dict[str, Identity] = {}
        self._size = 0

    def open(self) -> None:
        """Take the file that is there now for the one that is opened."""
        self._identity = _identity(self._file)
        self.close()

    def note(self) -> None:
        """Note what SQLite has beside the file. A connection is open."""
        for suffix in BESIDE:
            found = None if suffix in self._beside else _identity(self._beside_of(suffix))
            if found is not None:
                self._beside.setdefault(suffix, found)

    def close(self) -> None:
        """Forget what is beside: no connection is open, and SQLite may remove it."""
        self._beside = {}
        self._size = 0

    def check(self) -> None:
        """:raises BadDatabase: another file is in its place, or none; or what belongs to it is gone."""
        found = _identity(self._file)
        if found != self._identity:
            what = "was removed or moved" if found is None else "was replaced by another file"
            raise BadDatabase(
                f"{self._file} {what} while this program had it open: put it back, or start the program again"
            )
        for suffix, known in tuple(self._beside.items()):
            if _identity(self._beside_of(suffix)) != known:
                raise BadDatabase(
                    f"{self._file}{suffix} was removed or replaced while this program had {self._file.name} open, and"
                    " the newest jobs may be in it alone: stop all programs that use it before any is started again"
                )

    def shrinks(self) -> bool:
        """True if the file is smaller than it was: it was overwritten, as by ``cp``, or vacuumed."""
        try:
            size = self._file.stat().st_size
        except OSError:
            return False
        if size < self._size:
            return True
        self._size = size
        return False

    def accept(self) -> None:
        """Take the file as it is now for sound."""
        self._size = 0

    def _beside_of(self, suffix: str) -> Path:
        return self._file.with_name(self._file.name + suffix)


def _identity(file: Path) -> Identity | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
