"""What ``hubbub fsck`` does to a store, each step of it fit for a process of its own: see ``apart``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import lmdb

from hub.errors import ConfigError
from hub.store import tables as t
from hub.store.fsck.aside import Aside
from hub.store.fsck.check import Check
from hub.store.fsck.image import Image
from hub.store.fsck.problem import Problem
from hub.store.fsck.repair import Outcome, mend
from hub.store.fsck.rescue import Rescued, rescue
from hub.store.fsck.scan import newest_queues
from hub.store.fsck.structure import Structure
from hub.store.records import QueueRecord
from hub.store.version import KEY, SINCE_2, VERSION, migrate, newer_than_this

NOT_BROKEN = (lmdb.MapFullError, lmdb.DiskError, lmdb.LockError, lmdb.ReadersFullError, lmdb.ReadonlyError)
"""Errors of LMDB's that say nothing of the file."""


class Survey(NamedTuple):
    """What was found. :ivar counts: rows that were looked at, by table."""

    problems: list[Problem]
    counts: Mapping[str, int]

    @property
    def broken(self) -> bool:
        """Whether the file can't be mended where it is."""
        return any(problem.kind == "structure" for problem in self.problems)


def survey(directory: Path) -> Survey:
    """The structure of the file first; what is in it only if that is sound.

    :raises ConfigError: it was written by a later hub: what this one does not know, it would take for damage.
    """
    with Image(directory / t.FILE) as image:
        structure = Structure(image)
        _refuse_newer(structure, image)
        flaws = structure.flaws
    if flaws:
        return Survey([broken(f"{name}: {text}") for name, texts in flaws.items() for text in texts], {})
    try:
        tables = _opened(directory)
        try:
            with tables.reading() as transaction:
                check = Check(tables, transaction)
                return Survey(list(check.problems()), check.counts)
        finally:
            tables.close()
    except lmdb.Error as error:
        return Survey([broken_by(error)], {})


def _refuse_newer(structure: Structure, image: Image) -> None:
    version = 1
    for row in structure.rows("meta") if "meta" in structure.trees else ():
        if row.key == KEY:
            version = int.from_bytes(image.read(row.offset, row.length), "big")
    expected = {*t.NAMES} if version >= VERSION else {*t.NAMES} - SINCE_2
    whole = structure.trees.keys() >= expected  # else the name that is unknown is a known one that was damaged
    problems = newer_than_this(version, list(structure.trees) if whole else [])
    if problems:
        raise ConfigError([f"{image.path}: {problem}" for problem in problems])


def mended(directory: Path, now: float, keep: bool) -> Outcome:
    """Mend what can be mended in place. The structure must be sound."""
    tables = t.Tables(directory)
    try:
        migrate(tables)
        return mend(tables, Aside(directory, now), keep, lambda: newest_queues_of(directory))
    except lmdb.Error as error:
        return Outcome([broken_by(error)], [broken_by(error)])
    finally:
        tables.close()


def rescued(directory: Path, now: float, keep: bool) -> Rescued:
    """Make a new file of what is left in the old one."""
    try:
        return rescue(directory, Aside(directory, now), keep)
    except lmdb.Error as error:
        raise OSError(f"{directory}: the new store can't be written: {error}") from error


def newest_queues_of(directory: Path) -> Mapping[int, QueueRecord]:
    """See :func:`~hub.store.fsck.scan.newest_queues`."""
    with Image(directory / t.FILE) as image:
        return newest_queues(image)


def broken(text: str) -> Problem:
    """A problem of the file's structure."""
    return Problem("structure", f"the structure of the file is damaged: {text}")


def broken_by(error: lmdb.Error) -> Problem:
    """The same, as LMDB says it. :raises OSError: that is not what it says."""
    code = getattr(error, "code", 0) or 0
    if code > 0 or isinstance(error, NOT_BROKEN):
        raise OSError(f"the store can't be used: {error}") from error
    return broken(str(error))


def _opened(directory: Path) -> t.Tables:
    try:
        return t.Tables(directory, readonly=True)
    except lmdb.NotFoundError:  # by a hub that was stopped while it made them, or is older than one of them
        return t.Tables(directory)
