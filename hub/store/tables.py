"""The tables in LMDB: what is found under which key. No policy.

========= ============================= ==============================================================
table     key                           value
========= ============================= ==============================================================
pages     page                          a sealed :class:`~hub.store.records.Page`
index     queue, first position         page, how many positions: one entry for each queue that has some
refs      page                          how many queues are not done with it, epoch seconds at which it was stored
spent     page                          epoch seconds at which it was stored: kept for a replay only
queues    queue                         a sealed :class:`~hub.store.records.QueueRecord`
settled   queue, first position         a sealed :class:`~hub.store.records.RangeRecord`, above the queue's floor
tries     queue, position               attempts, failures, kills, due, delay
letters   queue, number                 a sealed :class:`~hub.store.records.LetterRecord`
outbox    number                        a sealed :class:`~hub.store.records.OutgoingRecord`
damaged   table and key                 what was found there
meta      ``highest queue``             the highest number that a queue ever had
meta      ``turn``                      epoch seconds of a commit that only made room
meta      ``version``                   of the format: see :mod:`hub.store.version`, also for how it is changed
========= ============================= ==============================================================

Numbers are big-endian, so that LMDB's order of bytes is theirs.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.statefiles import check_file, open_file
from hub.store import Try
from hub.store.gate import Gate
from hub.store.mapping import larger, opened
from hub.store.resident import MappedFile

FILE = "log.mdb"
RESERVE = 512 << 10
"""Bytes that new messages leave free in the file; half of it, those that are written for a message that ends."""
FREE_LIST = 256
"""LMDB's list of free pages takes no more than this part of the file."""
GROWTH = 1 << 20
"""Bytes by which the file grows beyond what is needed, so that it need not grow at each commit."""
NAMES = ("pages", "index", "refs", "spent", "queues", "settled", "tries", "letters", "outbox", "damaged", "meta")
GROW_TIMEOUT = 10.0
"""Seconds for the readers to be done; none takes long."""
END = (1 << 64) - 1
"""No position is so high."""
_READERS = 1024
LOCK_SIZE = (_READERS + 3) * 64
"""Bytes of LMDB's lock file."""
_NUMBER = struct.Struct(">Q")
_PLACE = struct.Struct(">IQ")
_SPAN = struct.Struct(">QI")
_TRY = struct.Struct(">IIIdd")
_TIME = struct.Struct(">d")
_QUEUE = struct.Struct(">I")
_REFS = struct.Struct(">Id")

number_key = _NUMBER.pack
queue_key = _QUEUE.pack
place_key, place_of = _PLACE.pack, _PLACE.unpack
span_value, span_of = _SPAN.pack, _SPAN.unpack
refs_value, refs_of = _REFS.pack, _REFS.unpack
time_value = _TIME.pack


def number_of(key: bytes) -> int:
    """What ``number_key`` made it of."""
    number: int = _NUMBER.unpack(key)[0]
    return number


def time_of(value: bytes) -> float:
    """What ``time_value`` made it of."""
    time: float = _TIME.unpack(value)[0]
    return time


def try_value(one: Try) -> bytes:
    """For the table ``tries``."""
    return _TRY.pack(one.attempts, one.failures, one.kills, one.due, one.delay)


def try_of(value: bytes) -> Try:
    """From the table ``tries``."""
    attempts, failures, kills, due, delay = _TRY.unpack(value)
    return Try(attempts, failures, due, delay, kills)


class Tables:
    """An environment of LMDB's with the tables open.

    :param sync: whether a commit waits for the disk.
    :param map_size: bytes of addresses to begin with; ``None``: plenty, or what there is.
    :raises lmdb.Error: it can't be opened, or is no such environment. Met by who opens the store.
    :raises OSError: the disk is full.
    :raises OSError: a link or another user's file is in its place.
    """

    def __init__(self, directory: Path, sync: bool = True, readonly: bool = False, map_size: int | None = None) -> None:
        self.path = directory / FILE
        for path in (self.path, directory / f"{FILE}-lock"):
            check_file(path)
        self._gate = Gate()
        if not readonly:
            _allocate(Path(f"{self.path}-lock"), LOCK_SIZE)
        self._environment = opened(
            str(self.path),
            map_size,
            subdir=False,
            max_dbs=len(NAMES),
            max_readers=_READERS,
            sync=sync,
            metasync=sync,
            readahead=False,
            mode=0o600,
            readonly=readonly,
        )
        try:
            self._handles = {name: self._environment.open_db(name.encode(), create=not readonly) for name in NAMES}
        except BaseException:
            self._environment.close()
            raise
        for name, handle in self._handles.items():
            setattr(self, name, handle)
        self._map = MappedFile(self.path)
        self._descriptor = -1 if readonly else open_file(self.path, os.O_RDWR)
        self._spare = 0

    pages: Any
    index: Any
    refs: Any
    spent: Any
    queues: Any
    settled: Any
    tries: Any
    letters: Any
    outbox: Any
    damaged: Any
    meta: Any

    def writing(self) -> Any:
        """A transaction that writes; a context manager, which commits unless there is an exception."""
        return self._environment.begin(write=True)

    def reading(self) -> Any:
        """A transaction that reads, and sees what was committed before. Values are views: valid in it alone. It is
        short, and no other is begun in it: see ``grow_map``."""
        return self._read()

    @contextmanager
    def _read(self) -> Iterator[Any]:
        with self._gate.passed(), self._environment.begin(buffers=True) as transaction:
            yield transaction

    def grow_map(self) -> bool:
        """The map is full, though the disk may not be: make it larger. In the writer's thread.

        :returns: whether it is larger now.
        """
        size = larger(int(self._environment.info()["map_size"]))
        if size is None:
            return False
        with self._gate.shut(GROW_TIMEOUT) as empty:
            if empty:
                self._environment.set_mapsize(size)
                self._map = MappedFile(self.path)
        return empty

    def sync(self) -> None:
        """Wait for the disk."""
        self._environment.sync(True)

    def used(self, transaction: Any = None) -> int:
        """Bytes in use by the tables. The file may be larger: what was freed in it is used again first.

        :param transaction: as that one will leave them; ``None``: as they were committed.
        """
        if transaction is None:
            with self._read() as reading:
                return self.used(reading)
        pages = 0
        for handle in self._handles.values():
            stat = transaction.stat(handle)
            pages += int(stat["branch_pages"]) + int(stat["leaf_pages"]) + int(stat["overflow_pages"])
        return pages * int(self._environment.stat()["psize"])

    def count(self, name: str) -> int:
        """Rows of that table."""
        with self._read() as transaction:
            return int(transaction.stat(self._handles[name])["entries"])

    def reserve(self, size: int, standing: int = 0, ends: bool = False) -> None:
        """Have room in the file for a commit of ``size`` bytes, and for those after it that only settle.

        :param standing: bytes that these may need besides.
        :param ends: whether the commit ends messages and brings none.

        LMDB copies a page before it frees the old one, so even a commit that makes room needs some. On a disk that is
        full to the last byte none would ever succeed, whatever is settled; so who brings new messages leaves a reserve.

        :raises OSError: the disk is full. Met by the writer.
        """
        wanted = size + size // 3 + (RESERVE // 2 if ends else RESERVE) + standing
        if self._spare < wanted + RESERVE:  # a size is a guess: near the end of the room it is looked at each time
            length = os.fstat(self._descriptor).st_size
            wanted += length // FREE_LIST
            missing = wanted - (length - self.used())
            if missing > 0:
                length += self._grow(length, missing)
            self._spare = length - self.used()
        self._spare -= size + size // 3

    def _grow(self, length: int, missing: int) -> int:
        try:
            os.posix_fallocate(self._descriptor, length, missing + GROWTH)
        except OSError:
            os.posix_fallocate(self._descriptor, length, missing)
            return missing
        return missing + GROWTH

    def let_go(self) -> None:
        """Of what is mapped of the file; see :mod:`hub.store.resident`."""
        self._map.let_go()

    def free(self) -> int:
        """Bytes that the file system has left for us."""
        found = os.statvfs(self.path.parent)
        return found.f_bavail * found.f_frsize

    def close(self) -> None:
        """No call after it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._environment.close()


def _allocate(path: Path, size: int) -> None:
    """Have blocks for a file that is written through a map: on a full disk an error here, not a signal there."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)


def covering(cursor: Any, queue: int, position: int) -> Iterator[tuple[int, int, int]]:
    """Entries of the index for that queue, from the one that holds the position, or the next one after it.

    :param cursor: on the table ``index``; moved between two items only by this generator.
    :returns: first position, page, how many positions.
    """
    key = place_key(queue, position)
    found = cursor.set_range(key)
    if not (found and bytes(cursor.key()) == key):
        before = cursor.prev() if found else cursor.last()
        if not (before and _reaches(cursor, queue, position)):
            found = cursor.set_range(key)
            if not found:
                return
    while True:
        number, start = place_of(cursor.key())
        if number != queue:
            return
        page, count = span_of(cursor.value())
        yield start, page, count
        if not cursor.next():
            return


def after_last(transaction: Any, table: Any) -> int:
    """The number that comes next in a table whose keys are numbers."""
    cursor = transaction.cursor(table)
    return number_of(bytes(cursor.key())) + 1 if cursor.last() else 1


def keys_of(cursor: Any, queue: int) -> Iterator[bytes]:
    """The keys of that queue, in a table whose keys begin with a queue, ascending."""
    found = cursor.set_range(place_key(queue, 0))
    while found and place_of(cursor.key())[0] == queue:
        yield bytes(cursor.key())
        found = cursor.next()


def _reaches(cursor: Any, queue: int, position: int) -> bool:
    number, start = place_of(cursor.key())
    return bool(number == queue and start + span_of(cursor.value())[1] > position)
