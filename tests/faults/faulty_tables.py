"""Tables whose n-th write goes wrong, as disks do."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import lmdb

from hub.store.tables import Tables


def full() -> Exception:
    """What LMDB says of a full disk."""
    error = lmdb.DiskError("mdb_put: No space left on device")
    error.code = errno.ENOSPC  # type: ignore[misc] # as LMDB's own errors have it
    return error


def map_full() -> Exception:
    """What LMDB says when its map is full."""
    return lmdb.MapFullError("mdb_put: MDB_MAP_FULL: Environment mapsize limit reached")


def broken() -> Exception:
    """What a broken disk says."""
    return OSError(errno.EIO, "Input/output error")


class Fault:
    """The operations number ``first`` up to ``first + length`` fail; the others are only counted.

    :param error: makes what is raised. :param late: whether a commit that fails was written all the same.
    """

    def __init__(self, error: Callable[[], Exception], first: float, length: float, late: bool = False) -> None:
        self.late = late
        self.count = 0
        self.met = 0
        self._error = error
        self._first, self._length = first, length

    @property
    def over(self) -> bool:
        """True if nothing fails any more."""
        return self.count >= self._first + self._length - 1

    def check(self) -> None:
        """One more operation. :raises Exception: its turn has come."""
        self.count += 1
        if self._first <= self.count < self._first + self._length:
            self.met += 1
            raise self._error()


class FaultyTables(Tables):
    """Over a real environment."""

    def __init__(self, directory: Path, fault: Fault) -> None:
        super().__init__(directory, sync=False)
        self._fault = fault

    def writing(self) -> Any:
        """A transaction whose puts, deletes and commit may fail."""
        return _Transaction(super().writing(), self._fault)

    def free(self) -> int:
        """Enough: only the error tells a full disk from a broken one."""
        return 1 << 40


class _Transaction:
    def __init__(self, inner: Any, fault: Fault) -> None:
        self._inner = inner
        self._fault = fault
        self.get = inner.get

    def put(self, *arguments: Any, **named: Any) -> Any:
        self._fault.check()
        return self._inner.put(*arguments, **named)

    def delete(self, *arguments: Any, **named: Any) -> Any:
        self._fault.check()
        return self._inner.delete(*arguments, **named)

    def cursor(self, table: Any) -> Any:
        return _Cursor(self._inner.cursor(table), self._fault)

    def __enter__(self) -> _Transaction:
        self._inner.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._inner.abort()
            return
        try:
            self._fault.check()
        except Exception:
            if self._fault.late:
                self._inner.commit()
            else:
                self._inner.abort()
            raise
        self._inner.commit()


class _Cursor:
    def __init__(self, inner: Any, fault: Fault) -> None:
        self._inner = inner
        self._fault = fault

    def delete(self, *arguments: Any) -> Any:
        self._fault.check()
        return self._inner.delete(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __enter__(self) -> _Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        self._inner.close()
