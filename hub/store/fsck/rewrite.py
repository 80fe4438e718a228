"""Rewrites a damaged store into a new file, which replaces the old one.

Tables that LMDB can read are copied, and derived rows are rebuilt: see :mod:`~hub.store.fsck.rebuild`. For the others,
all records in the file with a valid checksum are used. Some of them may have been deleted and not overwritten: removed
dead letters, sent messages, or messages settled since the newest record of their queue. A message twice is better than
a lost one.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import lmdb

from hub.statefiles import sync_directory
from hub.store import tables as t
from hub.store.fsck.check import Check
from hub.store.fsck.image import Image
from hub.store.fsck.problem import Problem
from hub.store.fsck.quarantine import Quarantine
from hub.store.fsck.rebuild import Item, Rebuild
from hub.store.fsck.rows import ReadableRows
from hub.store.fsck.survey import broken
from hub.store.version import migrate

FOLDER = "repair"
"""Directory in the state directory that exists while the new file is written."""
AT_ONCE = 64 << 20
SPARE = 16 << 20
"""Bytes that the new file may need beyond those in use in the old one."""
STALE = {
    "queues": "messages settled last may be delivered again",
    "letters": "removed dead letters may come back",
    "outbox": "sent messages may be sent again",
    "tries": "some messages may lose their count of attempts",
}
"""Effects if not all rows of a table can be read."""


class Rescued(NamedTuple):
    """Numbers of a queue's messages in the new store, and of lost ones."""

    found: int
    missing: int


class Rewritten(NamedTuple):
    """The result of a repair.

    :ivar problems: damaged records and missing messages. :ivar left: problems in the new file.
    :ivar queues: by name. :ivar notes: possible side effects. :ivar old: path of the old file.
    """

    problems: list[Problem]
    left: list[Problem]
    queues: dict[str, Rescued]
    notes: list[str]
    old: Path


def rewrite(directory: Path, now: float, keep: bool, used: int | None = None) -> Rewritten:
    """Write the new file, then move the old one to the quarantine. The old file is not changed before.

    :param now: epoch seconds. :param keep: true if pages are kept after all queues have settled them.
    :param used: bytes in use in the old file; ``None``: all.
    :raises OSError: there is no room for a copy, or the disk fails.
    """
    file, folder, quarantine = directory / t.FILE, directory / FOLDER, Quarantine(directory, now)
    _check_room(directory, file.stat().st_size if used is None else used)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        with Image(file) as image:
            reading = ReadableRows(file)
            rebuild, left = _write(folder, image, reading, quarantine, keep)
        old = _exchange(file, folder / t.FILE, quarantine)
    except lmdb.Error as error:
        raise OSError(f"{directory}: the new store can't be written: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rescued = {str(queue.record.key): Rescued(queue.found, queue.missing) for queue in rebuild.rebuilt.values()}
    told = [broken(f"{table}: {text}") for table, text in reading.flaws.items()]
    notes = [text for table, text in STALE.items() if table in reading.flaws]
    return Rewritten(told + rebuild.problems, left, rescued, notes, old)


def _check_room(directory: Path, used: int) -> None:
    found = os.statvfs(directory)
    free, wanted = found.f_bavail * found.f_frsize, used + SPARE
    if free < wanted:
        text = f"a repair writes a new file: it needs {wanted >> 20} MiB of disk space, and {free >> 20} MiB are free"
        raise OSError(errno.ENOSPC, text, str(directory))


def _write(
    folder: Path, image: Image, reading: ReadableRows, quarantine: Quarantine, keep: bool
) -> tuple[Rebuild, list[Problem]]:
    """Write the new file. :returns: the rebuild, and problems in the new file."""
    tables = t.Tables(folder, sync=False)
    try:
        _put(tables, reading.rows())
        migrate(tables)
        rebuild = Rebuild(tables, image, quarantine, keep, reading.flaws)
        with tables.writing() as transaction:
            rebuild.queues(transaction)
        with tables.reading() as transaction:
            _put(tables, rebuild.found(transaction))
        with tables.writing() as transaction:
            rebuild.rows(transaction)
        with tables.reading() as transaction:
            left = list(Check(tables, transaction).problems())
        quarantine.sync()
        tables.sync()
    finally:
        tables.close()
    return rebuild, left


def _put(tables: t.Tables, rows: Iterable[Item]) -> None:
    """Write rows in several transactions; the file is not used before it is complete."""
    waiting = iter(rows)
    more = True
    while more:
        size, more = 0, False
        with tables.writing() as transaction:
            for table, key, value in waiting:
                transaction.put(key, value, db=getattr(tables, table))
                size += len(value)
                if size > AT_ONCE:
                    more = True
                    break


def _exchange(file: Path, new: Path, quarantine: Quarantine) -> Path:
    """Replace the old file by the new one; at every moment one of them is in place. :returns: the old file's new
    path."""
    with new.open("rb") as content:
        os.fsync(content.fileno())
    os.chmod(new, file.stat().st_mode & 0o777)
    old = quarantine.path(t.FILE)
    os.link(file, old)
    os.replace(new, file)
    file.with_name(f"{t.FILE}-lock").unlink(missing_ok=True)
    quarantine.sync()
    sync_directory(file.parent)
    return old
