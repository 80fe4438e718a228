"""Resident memory of this process, and the return of freed memory to the system."""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path

STATM = Path("/proc/self/statm")
PAGE = os.sysconf("SC_PAGE_SIZE")
LARGE = 1 << 20
_M_MMAP_THRESHOLD = -3
"""Option of ``mallopt``, from malloc.h."""


def give_back_large_blocks(size: int = LARGE) -> None:
    """Return freed blocks of ``size`` bytes and more to the system. By default glibc raises that threshold up to 32 MiB
    as blocks are freed, and keeps most of the memory of large messages. Does nothing if the C library lacks the
    option."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, size)


class Resident:
    """Reads the bytes of resident memory. The file is kept open, to be readable when no file descriptors are left.

    :param path: a file such as ``/proc/PID/statm``.
    """

    def __init__(self, path: Path = STATM) -> None:
        self._file: int | None = None
        with contextlib.suppress(OSError):
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __call__(self) -> int | None:
        """The current bytes; ``None``: not known, there is no ``/proc``."""
        try:
            return None if self._file is None else int(os.pread(self._file, 100, 0).split()[1]) * PAGE
        except (OSError, IndexError, ValueError):
            return None

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
        self._file = None
