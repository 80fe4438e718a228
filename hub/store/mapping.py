"""LMDB environment of the store: the format of its file, and the size of its memory map."""

from __future__ import annotations

import mmap
from typing import Any

import lmdb

FORMAT = 0
"""LMDB's major version that defines the file format: that of 0.9, number 1 on the disk, which all LMDB tools and
earlier bindings read. It is set explicitly, because the binding has two engines, and an environment variable may choose
the other one."""
MAP_SIZE = 1 << 40
"""Bytes of the map, never reached if there is address space for it: the limit that counts is ``max_disk``."""
LEAST = 64 << 20
"""Smallest map in bytes; with less address space the hub can't run."""


def opened(path: str, size: int | None, **options: Any) -> Any:
    """Open an LMDB environment in the format of 0.9.

    :param size: bytes of address space, not of disk or memory; ``None``: ``MAP_SIZE``, or as much as possible.
    :raises lmdb.Error: it can't be opened, or has LMDB's other format.

    A 39-bit address space (many arm64 and riscv64 kernels), or a process limit, is smaller than ``MAP_SIZE``.
    """
    wanted = size or MAP_SIZE
    while True:
        try:
            return lmdb.open(path, map_size=wanted, lib_version=FORMAT, **options)
        except lmdb.MemoryError:
            if size is not None or wanted <= LEAST:
                raise
            wanted //= 2


def larger(size: int) -> int | None:
    """A size to which a map of ``size`` bytes can grow; ``None``: there is no more address space.

    The size is tried first, because LMDB unmaps the old map before it maps the new one.
    """
    for wanted in (2 * size, size + size // 2, size + size // 4):
        wanted -= wanted % mmap.PAGESIZE
        try:
            mmap.mmap(-1, wanted, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ).close()
        except (OSError, ValueError, OverflowError):
            continue
        return wanted
    return None
