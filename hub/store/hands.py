"""What each worker has in hand, where it outlives a kill: a few bytes in a mapped file, written without a system call.

A message that makes its consumer kill the whole process would be given again at every start. Which one it was can't be
asked of the log: no commit knows what was taken a moment ago. The kernel keeps a mapped page when the process dies.
Nothing is synced: after a power cut there is nothing to be learnt from it, and the machine's boot id tells.
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


class Hands:
    """The file. :param boot_id: of the machine; a file of another boot says nothing."""

    def __init__(self, directory: Path, boot_id: str | None = None) -> None:
        self._boot_id = (boot_id or _boot_id()).encode()[:36]
        self._path = directory / FILE
        self.suspects = self._read()
        descriptor = open_file(self._path, os.O_RDWR | os.O_CREAT)
        try:
            os.ftruncate(descriptor, _SIZE)
            os.posix_fallocate(descriptor, 0, _SIZE)  # on a full disk an error here, not a signal at the first write
            self._map = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)
        self._free = list(range(SLOTS - 1, -1, -1))

    def _read(self) -> Mapping[int, list[Range]]:
        """By queue, what was in hand when the hub was killed."""
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
        """What ``suspects`` said is written down elsewhere: start anew."""
        self._map[:] = bytes(_SIZE)
        _HEAD.pack_into(self._map, 0, _MARK, self._boot_id)

    def hand(self, queue: int) -> FileHand:
        """For one worker of that queue."""
        try:
            slot = self._free.pop()  # no lock: a hand is given back by its finalizer, which may run at any moment
        except IndexError:
            slot = None
        return FileHand(self, queue, slot)

    def give_back(self, slot: int) -> None:
        """That hand is not used any more."""
        self._free.append(slot)

    def write(self, slot: int, queue: int, start: int, stop: int) -> None:
        """Into that slot."""
        _SLOT.pack_into(self._map, _FIRST + slot * _SLOT.size, queue, start, stop)

    def close(self) -> None:
        """In good order: nobody is to be suspected of anything."""
        self.begin()


class FileHand:
    """See :class:`hub.store.Hand`. Beyond ``SLOTS`` workers nothing is noted."""

    def __init__(self, hands: Hands, queue: int, slot: int | None) -> None:
        self._hands = hands
        self._queue = queue
        self._slot = slot

    def hold(self, start: int, stop: int) -> None:
        """Those."""
        if self._slot is not None:
            self._hands.write(self._slot, self._queue, start, stop)

    def drop(self) -> None:
        """None."""
        if self._slot is not None:
            self._hands.write(self._slot, 0, 0, 0)

    def __del__(self) -> None:
        if self._slot is not None:
            self.drop()
            self._hands.give_back(self._slot)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"
