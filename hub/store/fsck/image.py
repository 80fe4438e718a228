"""Reads a file on a failing disk: unreadable blocks become zeros."""

from __future__ import annotations

import os
from pathlib import Path

from hub.statefiles import open_file

BLOCK = 4096


class Image:
    """A file, read with ``pread``: through a mapping, a bad sector would be a signal, not an error.

    :raises OSError: there is no such file, it may not be read, or it is a link.
    :ivar unreadable: offsets of blocks that could not be read; they read as zeros.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unreadable: set[int] = set()
        self._descriptor = open_file(path, os.O_RDONLY)
        self.size = os.fstat(self._descriptor).st_size

    def __enter__(self) -> Image:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._descriptor)

    def read(self, offset: int, length: int) -> bytes:
        """Read ``length`` bytes at ``offset``; fewer at the end of the file."""
        length = max(0, min(length, self.size - offset))
        found = self._pread(offset, length)
        if found is not None:
            return found
        first = offset - offset % BLOCK
        blocks = [self._block(at) for at in range(first, offset + length, BLOCK)]
        return b"".join(blocks)[offset - first : offset - first + length]

    def _block(self, offset: int) -> bytes:
        found = self._pread(offset, min(BLOCK, self.size - offset))
        if found is None:
            self.unreadable.add(offset)
            return bytes(BLOCK)
        return found

    def _pread(self, offset: int, length: int) -> bytes | None:
        try:
            return os.pread(self._descriptor, length, offset)
        except OSError:
            return None
