"""Finds the problems of a store, in child processes. It changes nothing."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import lmdb

from hub.store import tables as t
from hub.store.fsck.check import Check
from hub.store.fsck.isolation import DiedError, isolated
from hub.store.fsck.problem import Problem
from hub.store.fsck.rows import UnreadableError, damage, unreadable_by


class Survey(NamedTuple):
    """The problems of a store.

    :ivar counts: rows checked, by table. :ivar used: bytes in use in the file; ``None``: not known.
    """

    problems: list[Problem]
    counts: Mapping[str, int]
    used: int | None = None

    @property
    def broken(self) -> bool:
        """True if LMDB can't read the whole file."""
        return any(problem.kind == "structure" for problem in self.problems)


def survey(directory: Path) -> Survey:
    """Find all problems. The content is checked only if the whole file can be read.

    :raises ConfigError: a later version wrote it.
    """
    text = damage(directory / t.FILE)
    if text:
        return Survey([broken(text)], {})
    try:
        (found,) = isolated(check, directory)
    except (DiedError, UnreadableError) as error:
        return Survey([broken(str(error))], {})
    return found


def check(directory: Path) -> Iterator[Survey]:
    """Check a store whose rows can be read. Runs in a child process."""
    try:
        tables = _opened(directory)
        try:
            with tables.reading() as transaction:
                found = Check(tables, transaction)
                yield Survey(list(found.problems()), found.counts, tables.used(transaction))
        finally:
            tables.close()
    except lmdb.Error as error:
        raise unreadable_by(error) from error
    except struct.error as error:
        raise UnreadableError(f"a row has no known format: {error}") from error


def broken(text: str) -> Problem:
    """Make a problem of the file's structure."""
    return Problem("structure", f"the structure of the file is damaged: {text}")


def _opened(directory: Path) -> t.Tables:
    try:
        return t.Tables(directory, readonly=True)
    except lmdb.NotFoundError:  # an older version made it, without one of the tables
        return t.Tables(directory)
