"""In-flight file: records the positions that each worker has in flight, in a mapped file that survives a kill. A record
takes a few bytes and no system call.

A message that makes its consumer kill the process would be delivered again at every start. Commits can't tell which one
it was, because they come too late; but the kernel keeps mapped pages when a process dies. Nothing is synced: after a
power cut the file means nothing, which the boot id of the machine tells.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from hub.statefiles import open_file
from hub.store import Range

FILE = "hands"
_HEAD = struct.Struct("<8s36s")
_MARK = b"hubhand1"
_SLOT = struct.Struct("<IQQ")
_FIRST = 64
SLOTS = 4096
_SIZE = _FIRST + SLOTS * _SLOT.size


class InFlightFile:
    """The file. :param boot_id: boot id of the machine; a file of another boot is ignored."""

    def __init__(self, directory: Path, boot_id: str | None = None) -> None:
        self._boot_id = (boot_id or _boot_id()).encode()[:36]
        self._path = directory / FILE
        self.suspects = self._read()
        descriptor = open_file(self._path, os.O_RDWR | os.O_CREAT)
        try:
            os.ftruncate(descriptor, _SIZE)
            os.posix_fallocate(descriptor, 0, _SIZE)  # a full disk fails here, not by a signal at the first write
            self._map = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)
        self._free = list(range(SLOTS - 1, -1, -1))

    def _read(self) -> Mapping[int, list[Range]]:
        """Read the ranges that were in flight when the hub was killed, by queue number."""
        found: dict[int, list[Range]] = defaultdict(list)
        try:
            with open(open_file(self._path, os.O_RDONLY), "rb") as file:
                content = file.read(_SIZE + 1)
        except OSError:
            return found
        if len(content) != _SIZE or _HEAD.unpack_from(content) != (_MARK, self._boot_id.ljust(36, b"\0")):
            return found
        for slot in range(SLOTS):
            queue, start, stop = _SLOT.unpack_from(content, _FIRST + slot * _SLOT.size)
            if queue and start < stop:
                found[queue].append((start, stop))
        return found

    def begin(self) -> None:
        """Clear the file, once the ``suspects`` are stored elsewhere."""
        self._map[:] = bytes(_SIZE)
        _HEAD.pack_into(self._map, 0, _MARK, self._boot_id)

    def slot(self, queue: int) -> FileSlot:
        """A slot for one worker of a queue."""
        try:
            slot = self._free.pop()  # no lock: a finalizer returns slots, which may run at any time
        except IndexError:
            slot = None
        return FileSlot(self, queue, slot)

    def give_back(self, slot: int) -> None:
        """Return a slot that is no longer used."""
        self._free.append(slot)

    def write(self, slot: int, queue: int, start: int, stop: int) -> None:
        """Write a range of a queue into a slot."""
        _SLOT.pack_into(self._map, _FIRST + slot * _SLOT.size, queue, start, stop)

    def close(self) -> None:
        """Clear the file at a clean stop, so that no message is suspected."""
        self.begin()


class FileSlot:
    """The slot of one worker. Workers beyond ``SLOTS`` record nothing."""

    def __init__(self, file: InFlightFile, queue: int, slot: int | None) -> None:
        self._file = file
        self._queue = queue
        self._slot = slot

    def hold(self, start: int, stop: int) -> None:
        """Record the positions from ``start`` up to ``stop``."""
        if self._slot is not None:
            self._file.write(self._slot, self._queue, start, stop)

    def drop(self) -> None:
        """Record that nothing is in flight."""
        if self._slot is not None:
            self._file.write(self._slot, 0, 0, 0)

    def __del__(self) -> None:
        if self._slot is not None:
            self.drop()
            self._file.give_back(self._slot)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"
