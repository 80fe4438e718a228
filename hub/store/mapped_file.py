"""Memory map of LMDB, kept out of the resident memory of the process.

LMDB reads through a map of the whole file, and the kernel maps sixteen pages around each one that is touched: after a
million messages some 150 MB of the page cache are counted as this process's, though they can be evicted at any time.
That would mislead whoever sizes or limits a service by its resident memory, so the mapping is evicted now and then. The
pages stay in the page cache: a shared file mapping only loses its entries (madvise(2), MADV_DONTNEED).
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

_MAPS = Path("/proc/self/maps")


class MappedFile:
    """A file that this process has mapped for reading. Without /proc it does nothing."""

    def __init__(self, path: Path) -> None:
        self._ranges = list(_ranges(path))
        self._madvise = ctypes.CDLL(None, use_errno=True).madvise
        self._madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

    def evict(self) -> None:
        """Remove its pages from the resident memory. They come back at the next access."""
        for start, stop in self._ranges:
            self._madvise(start, stop - start, mmap.MADV_DONTNEED)

    def forget(self) -> None:
        """The file is no longer mapped: its addresses may soon be used for something else."""
        self._ranges = []


def _ranges(path: Path) -> Iterator[tuple[int, int]]:
    """Addresses of the shared mappings of a file. Both inode and name must match: a file of another file system may
    have the same inode, and its mapping may end at any time."""
    if not _MAPS.exists():
        return
    inode, name = os.stat(path).st_ino, os.path.realpath(path)
    for line in _MAPS.read_text(encoding="utf-8", errors="replace").splitlines():
        addresses, permissions, _, _, found, *names = line.split(maxsplit=5)
        if int(found) == inode and permissions.endswith("s") and names == [name]:
            start, _, stop = addresses.partition("-")
            yield int(start, 16), int(stop, 16)
