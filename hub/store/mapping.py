"""How much address space the store's file is mapped into: bytes of addresses, not of disk or memory."""

from __future__ import annotations

import mmap
from typing import Any

import lmdb

MAP_SIZE = 1 << 40
"""A bound that is never reached, where there are addresses for it: ``max_disk`` is the one that counts."""
LEAST = 64 << 20
"""Where not even that much fits, there is no room for a hub."""


def opened(path: str, size: int | None, **options: Any) -> Any:
    """An environment of LMDB's. :param size: bytes; ``None``: ``MAP_SIZE``, or what of it the process may have.

    A 39-bit address space (many arm64 and riscv64 kernels), or a limit of the process, is smaller than that.
    """
    wanted = size or MAP_SIZE
    while True:
        try:
            return lmdb.open(path, map_size=wanted, **options)
        except lmdb.MemoryError:
            if size is not None or wanted <= LEAST:
                raise
            wanted //= 2


def larger(size: int) -> int | None:
    """A size to which a map of ``size`` bytes can grow; ``None``: there are no more addresses.

    It is tried beforehand: LMDB lets go of the old map before it has the new one.
    """
    for wanted in (2 * size, size + size // 2, size + size // 4):
        wanted -= wanted % mmap.PAGESIZE
        try:
            mmap.mmap(-1, wanted, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ).close()
        except (OSError, ValueError, OverflowError):
            continue
        return wanted
    return None
