"""Keeps LMDB's map out of the process's resident memory.

LMDB reads through a map of the whole file, and the kernel maps sixteen pages around each one that is touched: after a
million messages some 150 MB of the page cache are counted as this process's, though they can be evicted at any time.
Who sizes a service by its resident memory, or limits it, would be misled; so what is mapped is let go of now and
then. The pages stay in the cache: a map that is shared with a file only loses its entries (madvise(2),
MADV_DONTNEED).
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

_MAPS = Path("/proc/self/maps")


class MappedFile:
    """One file that this process has mapped to read. Does nothing where there is no /proc."""

    def __init__(self, path: Path) -> None:
        self._ranges = list(_ranges(path))
        self._madvise = ctypes.CDLL(None, use_errno=True).madvise
        self._madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

    def let_go(self) -> None:
        """Of all its pages. What is needed comes back at the next touch, from the page cache."""
        for start, stop in self._ranges:
            self._madvise(start, stop - start, mmap.MADV_DONTNEED)


def _ranges(path: Path) -> Iterator[tuple[int, int]]:
    """Addresses of the shared mappings of that file. Another file system may have another file of its number, whose
    mapping may end while this one is used: its addresses are somebody else's then."""
    if not _MAPS.exists():
        return
    inode, name = os.stat(path).st_ino, os.path.realpath(path)
    for line in _MAPS.read_text(encoding="utf-8", errors="replace").splitlines():
        addresses, permissions, _, _, found, *names = line.split(maxsplit=5)
        if int(found) == inode and permissions.endswith("s") and names == [name]:
            start, _, stop = addresses.partition("-")
            yield int(start, 16), int(stop, 16)
