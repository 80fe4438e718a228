"""Tables in LMDB: their keys and values. No policy.

========= ============================= ==============================================================
table     key                           value
========= ============================= ==============================================================
pages     page                          a sealed :class:`~hub.store.records.Page`
index     queue, first position         page, number of positions: an entry for each queue that has some
refs      page                          number of queues that have not settled it, epoch seconds of its storage
spent     page                          epoch seconds of its storage: kept only for a replay
queues    queue                         a sealed :class:`~hub.store.records.QueueRecord`
settled   queue, first position         a sealed :class:`~hub.store.records.RangeRecord`, above the queue's floor
tries     queue, position               attempts, failures, kills, due, delay
levels    queue, first position         number of positions, their priority: for those with another than the default
letters   queue, number                 a sealed :class:`~hub.store.records.LetterRecord`
outbox    number                        a sealed :class:`~hub.store.records.OutgoingRecord`
damaged   table and key                 the damaged value
meta      ``highest queue``             the highest number that a queue ever had
meta      ``turn``                      epoch seconds of a commit that only freed space
meta      ``following page``            a number above those of all pages of history that were deleted
meta      ``version``                   version of the format: see :mod:`hub.store.version`
========= ============================= ==============================================================

Numbers are big-endian, so that LMDB's byte order is their order.
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
from hub.store.mapped_file import MappedFile
from hub.store.mapping import larger, opened

FILE = "log.mdb"
RESERVE = 512 << 10
"""Bytes that a commit with new messages leaves free in the file; other commits leave half of it."""
FREE_LIST = 256
"""Divisor: LMDB's list of free pages takes no more than this part of the file."""
GROWTH = 1 << 20
"""Bytes by which the file grows beyond the need, so that it does not grow at each commit."""
NAMES = (
    "pages",
    "index",
    "refs",
    "spent",
    "queues",
    "settled",
    "tries",
    "levels",
    "letters",
    "outbox",
    "damaged",
    "meta",
)
READERS_TIMEOUT = 10.0
"""Seconds to wait for readers, which are all short."""
FOLLOWING = b"following page"
MOST_PAGES = 1 << 48
"""Above it a noted number of a page is damaged."""
END = (1 << 64) - 1
"""Higher than any position."""
_READERS = 1024
LOCK_SIZE = (_READERS + 3) * 64
"""Bytes of LMDB's lock file."""
_NUMBER = struct.Struct(">Q")
_PLACE = struct.Struct(">IQ")
_SPAN = struct.Struct(">QI")
_TRY = struct.Struct(">IIIdd")
_LEVEL = struct.Struct(">IB")
_TIME = struct.Struct(">d")
_QUEUE = struct.Struct(">I")
_REFS = struct.Struct(">Id")

number_key = _NUMBER.pack
queue_key = _QUEUE.pack
place_key, place_of = _PLACE.pack, _PLACE.unpack
span_value, span_of = _SPAN.pack, _SPAN.unpack
refs_value, refs_of = _REFS.pack, _REFS.unpack
time_value = _TIME.pack
level_value, level_of = _LEVEL.pack, _LEVEL.unpack


def number_of(key: bytes) -> int:
    """The number of a ``number_key``."""
    number: int = _NUMBER.unpack(key)[0]
    return number


def time_of(value: bytes) -> float:
    """The time of a ``time_value``."""
    time: float = _TIME.unpack(value)[0]
    return time


def try_value(one: Try) -> bytes:
    """Encode a value of the table ``tries``."""
    return _TRY.pack(one.attempts, one.failures, one.kills, one.due, one.delay)


def try_of(value: bytes) -> Try:
    """Decode a value of the table ``tries``."""
    attempts, failures, kills, due, delay = _TRY.unpack(value)
    return Try(attempts, failures, due, delay, kills)


class Tables:
    """LMDB environment with open tables.

    :param sync: whether a commit waits for the disk.
    :param map_size: initial bytes of the memory map; ``None``: large, or as large as possible.
    :raises lmdb.Error: the file can't be opened, or is no such environment.
    :raises OSError: the disk is full, or a link or another user's file is in its place.
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
    levels: Any
    letters: Any
    outbox: Any
    damaged: Any
    meta: Any

    def writing(self) -> Any:
        """A write transaction: a context manager that commits unless there is an exception."""
        return self._environment.begin(write=True)

    def reading(self) -> Any:
        """A read transaction: a context manager. Values are views, valid only in it. It must be short, and not be
        nested: see ``grow_map``."""
        return self._read()

    @contextmanager
    def _read(self) -> Iterator[Any]:
        with self._gate.passed(), self._environment.begin(buffers=True) as transaction:
            yield transaction

    def grow_map(self) -> bool:
        """Enlarge the memory map, when it is full. In the writer's thread.

        :returns: whether it is larger now.
        """
        size = larger(int(self._environment.info()["map_size"]))
        if size is None:
            return False
        with self._gate.shut(READERS_TIMEOUT) as empty:
            if empty:
                self._environment.set_mapsize(size)
                self._map = MappedFile(self.path)
        return empty

    def sync(self) -> None:
        """Wait for the disk."""
        self._environment.sync(True)

    def used(self, transaction: Any = None) -> int:
        """Bytes that the tables use. The file may be larger: its free pages are reused first.

        :param transaction: measure in this transaction; ``None``: the committed state.
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
        """Number of rows of a table."""
        with self._read() as transaction:
            return int(transaction.stat(self._handles[name])["entries"])

    def reserve(self, size: int, standing: int = 0, ends: bool = False) -> None:
        """Reserve space in the file for a commit of ``size`` bytes, and for later commits that only settle.

        :param standing: bytes that those may need.
        :param ends: whether the commit settles messages and adds none.

        LMDB copies a page before it frees the old one, so even a commit that frees space needs some. On a disk that is
        full to the last byte no commit would ever succeed, so commits with new messages leave a reserve.

        :raises OSError: the disk is full.
        """
        wanted = size + size // 3 + (RESERVE // 2 if ends else RESERVE) + standing
        if self._spare < wanted + RESERVE:  # sizes are estimates: near the limit they are checked each time
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

    def evict(self) -> None:
        """Evict the file's pages from the resident memory; see :mod:`hub.store.mapped_file`."""
        with self._gate.passed():
            self._map.evict()

    def free(self) -> int:
        """Free bytes of the file system."""
        found = os.statvfs(self.path.parent)
        return found.f_bavail * found.f_frsize

    def close(self) -> None:
        """Close the environment, once its readers have left. Later ones get an ``lmdb.Error``.

        If one does not leave in time, the map stays until the process ends: to unmap it would kill the process.
        """
        if self._descriptor >= 0:
            os.close(self._descriptor)
        with self._gate.shut(READERS_TIMEOUT) as empty:
            if empty:
                self._environment.close()
                self._map.forget()


def _allocate(path: Path, size: int) -> None:
    """Allocate blocks of a file that is written through a map: a full disk fails here, not by a signal later."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)


def covering(cursor: Any, queue: int, position: int) -> Iterator[tuple[int, int, int]]:
    """Index entries of a queue, from the one that contains ``position``, or the next one.

    :param cursor: cursor of the table ``index``; nothing else may move it meanwhile.
    :returns: first position, page, number of positions.
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
    """The next number in a table whose keys are numbers."""
    cursor = transaction.cursor(table)
    return number_of(bytes(cursor.key())) + 1 if cursor.last() else 1


def following_page(transaction: Any, tables: Tables) -> int:
    """The number of the next page. None is used twice, even if all pages are deleted: clients know messages by it."""
    noted = transaction.get(FOLLOWING, db=tables.meta) or b""
    number = number_of(bytes(noted)) if len(noted) == _NUMBER.size else 0
    return max(after_last(transaction, tables.pages), number if number < MOST_PAGES else 0)


def rows_of(cursor: Any, queue: int, start: int = 0) -> Iterator[tuple[int, Any]]:
    """The rows of a queue in a table whose keys begin with the queue, ascending, without ``index``: see ``covering``.

    :param cursor: nothing else may move it meanwhile. :param start: the least position, or number of a dead letter.
    :returns: position or number, and value.
    """
    found = cursor.set_range(place_key(queue, start))
    while found:
        owner, number = place_of(cursor.key())
        if owner != queue:
            return
        yield number, cursor.value()
        found = cursor.next()


def _reaches(cursor: Any, queue: int, position: int) -> bool:
    number, start = place_of(cursor.key())
    return bool(number == queue and start + span_of(cursor.value())[1] > position)
