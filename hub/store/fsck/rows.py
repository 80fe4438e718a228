"""Reads the rows of a possibly damaged store through LMDB, in a child process.

A damaged page makes LMDB raise an error, return rows out of order, or crash. The reader then gives up, and a second one
reads the table from its end backward to that place. Rows between are found by ``scan``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lmdb

from hub.errors import ConfigError, HubError
from hub.statefiles import check_file
from hub.store import tables as t
from hub.store.fsck.isolation import DiedError, isolated
from hub.store.mapping import opened
from hub.store.version import SINCE, VERSION, newer_than_this, tables_in

Row = tuple[bytes, bytes]
NOT_BROKEN = (lmdb.MapFullError, lmdb.DiskError, lmdb.LockError, lmdb.ReadersFullError, lmdb.ReadonlyError)
"""Errors of LMDB that do not mean damage."""


class UnreadableError(HubError):
    """The structure of the file is damaged."""


class Pass(NamedTuple):
    """A pass through a table. :ivar stop: for a backward pass, the key at which it ends."""

    table: str
    backward: bool = False
    stop: bytes = b""


class ReadableRows:
    """Readable rows of all tables.

    :param read: yields ``None`` at the beginning of each pass, then its rows; runs in the child.
    :ivar flaws: by table, the reason why not all rows could be read.
    """

    def __init__(self, path: Path, read: Callable[[Path, Sequence[Pass]], Iterable[Row | None]] | None = None) -> None:
        self.flaws: dict[str, str] = {}
        self._path = path
        self._read = read or read_passes

    def rows(self) -> Iterator[tuple[str, bytes, bytes]]:
        """Yield table, key and value of each row; keys of a damaged table are not in order."""
        passes = [Pass(name) for name in t.NAMES]
        while passes:
            current, last = None, b""
            try:
                for row in isolated(self._read, self._path, tuple(passes)):
                    if row is None:
                        current, last = passes.pop(0), b""
                    elif current is not None:
                        last = row[0]
                        yield current.table, *row
            except (DiedError, UnreadableError) as error:
                if current is None:  # the file can't be opened
                    self.flaws |= {one.table: self.flaws.get(one.table, str(error)) for one in passes}
                    return
                self.flaws.setdefault(current.table, f"{error} (after the row {last.hex() or 'before its first'})")
                if not current.backward:
                    passes.insert(0, Pass(current.table, True, last))


def read_passes(path: Path, passes: Sequence[Pass]) -> Iterator[Row | None]:
    """Read passes one after the other: see :class:`ReadableRows`. :raises UnreadableError: a row can't be read."""
    try:
        with open_readonly(path) as environment:
            check_names(path, environment)
            for one in passes:
                yield None
                yield from _rows(environment, one)
    except lmdb.Error as error:
        raise unreadable_by(error) from error


def walk(path: Path) -> Iterator[str]:
    """Read all rows of all tables, and yield the name of each table before it is read.

    :raises UnreadableError: not all rows can be read, or a table is missing.
    :raises ConfigError: a later version wrote the store, whose new rows would look like damage.
    """
    try:
        with open_readonly(path) as environment:
            for name in check_names(path, environment):
                yield name
                for _ in _rows(environment, Pass(name)):
                    pass
    except lmdb.Error as error:
        raise unreadable_by(error) from error


def damage(path: Path) -> str:
    """Walk a store in a child process. :returns: the damage found; empty: none. :raises: as ``walk``."""
    table = "file"
    try:
        for name in isolated(walk, path):
            table = name
    except (DiedError, UnreadableError) as error:
        return f"{table}: {error}"
    return ""


def is_cut(path: Path, environment: Any) -> bool:
    """True if pages may be missing at the file's end, and nothing may be read from it but by a ``walk``."""
    return (int(environment.info()["last_pgno"]) + 1) * int(environment.stat()["psize"]) > path.stat().st_size


def open_readonly(path: Path) -> Any:
    """Open an environment read-only, without a lock file.

    :raises UnreadableError: the file is empty. :raises lmdb.Error: it is not an LMDB file.
    """
    check_file(path)
    if not path.stat().st_size:
        raise UnreadableError("it is empty")
    options = {"subdir": False, "readonly": True, "lock": False, "create": False, "readahead": False}
    return opened(str(path), path.stat().st_size, max_dbs=len(t.NAMES), **options)


def unreadable_by(error: lmdb.Error) -> UnreadableError:
    """Convert an LMDB error to one about the file. :raises OSError: the file is not the cause."""
    code = getattr(error, "code", 0) or 0
    if code > 0 or isinstance(error, NOT_BROKEN):
        raise OSError(f"the store can't be used: {error}") from error
    return UnreadableError(str(error))


def check_names(path: Path, environment: Any) -> list[str]:
    """Check the version of a store, and the names of its tables, without any change. :returns: the names.

    :raises ConfigError: a later version wrote it. :raises UnreadableError: a name is damaged.
    :raises lmdb.Error: it can't be read.
    """
    names, version = tables_in(environment)
    expected = {name for name in t.NAMES if SINCE.get(name, 1) <= version}
    missing, unknown = expected - {*names}, {*names} - {*t.NAMES}
    if version <= VERSION and missing and unknown:
        raise UnreadableError(f"there is no table {min(missing)!r}, but one that is called {min(unknown)!r}")
    if problems := newer_than_this(version, names):
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return names


def _rows(environment: Any, one: Pass) -> Iterator[Row]:
    try:
        table = environment.open_db(one.table.encode(), create=False)
    except lmdb.NotFoundError:
        return
    with environment.begin(db=table) as transaction:
        cursor = transaction.cursor()
        last, count = one.stop, 0
        for key, value in cursor.iterprev() if one.backward else cursor.iternext():
            if one.backward and key <= one.stop:
                return
            if count and (key >= last if one.backward else key <= last):
                raise UnreadableError("the keys are not in order")
            last, count = key, count + 1
            yield key, value
        if not one.backward and count != (noted := transaction.stat(table)["entries"]):
            raise UnreadableError(f"it should have {noted} rows, and has {count}")
