"""The resident memory of this process, and how freed memory is given back."""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path

STATM = Path("/proc/self/statm")
PAGE = os.sysconf("SC_PAGE_SIZE")
LARGE = 1 << 20
_M_MMAP_THRESHOLD = -3
"""Of ``mallopt``, malloc.h."""


def give_back_large_blocks(size: int = LARGE) -> None:
    """Have blocks of so many bytes and more given back to the system when they are freed. Left alone, glibc raises that
    size up to 32 MiB with the blocks that are freed, and keeps most of the memory of large messages. Does nothing where
    the C library has no such choice."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, size)


class Resident:
    """Bytes of resident memory. The file is kept open: they must be known also when there are no file descriptors left.

    :param path: as ``/proc/PID/statm``.
    """

    def __init__(self, path: Path = STATM) -> None:
        self._file: int | None = None
        with contextlib.suppress(OSError):
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __call__(self) -> int | None:
        """As of now; ``None``: nobody knows, for there is no ``/proc``."""
        try:
            return None if self._file is None else int(os.pread(self._file, 100, 0).split()[1]) * PAGE
        except (OSError, IndexError, ValueError):
            return None

    def close(self) -> None:
        """The last call."""
        if self._file is not None:
            os.close(self._file)
        self._file = None
