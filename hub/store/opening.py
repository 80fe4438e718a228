"""Opening: opens or creates the file of a store. LMDB trusts a mapped file: damage may kill the process."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

import lmdb

from hub.errors import PASSING, ConfigError
from hub.statefiles import check_file, sync_directory
from hub.store import tables as t
from hub.store.fsck.rows import UnreadableError, check_names, damage, is_cut, open_readonly
from hub.store.in_flight_file import FILE as HANDS
from hub.store.version import VERSION, migrate

MARKER = "opening"
"""Marker file that exists while a store is opened. If it exists before, the last attempt killed the process, so a child
process reads the whole store first."""
NEW = "new"
"""Directory in which a new store is made. The complete file is then moved to its place."""


class Opening:
    """Opening of a store: a context manager, in which its content is read for the first time."""

    def __init__(self, directory: Path, log: logging.LoggerAdapter[logging.Logger]) -> None:
        self._directory = directory
        self._log = log
        self._marker = directory / MARKER

    def __enter__(self) -> Opening:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the marker: the process has survived."""
        self._marker.unlink(missing_ok=True)

    def tables(self, sync: bool, map_size: int | None = None) -> t.Tables:
        """Open the tables, and migrate them to the version of this hub.

        :raises ConfigError: the file is damaged, newer than this hub, or no store.
        :raises OSError: the disk is full, read-only or failing: a later start may succeed.
        """
        path = self._directory / t.FILE
        check_file(path)
        try:
            if path.exists():
                self._look_at(path)
            else:
                if (self._directory / HANDS).exists():
                    self._log.warning(
                        "%s is missing, though there was a store: a new one is created", path, extra={"action": "store"}
                    )
                _make(self._directory, sync)
                self._mark()
            tables = t.Tables(self._directory, sync, map_size=map_size)
            former = migrate(tables)
        except lmdb.Error as error:
            raise refusal(self._directory, error) from error
        if former < VERSION:
            self._log.info("the store was migrated from format %d to %d", former, VERSION, extra={"action": "store"})
        return tables

    def _look_at(self, path: Path) -> None:
        """Check a file before LMDB maps it for writing.

        :raises ConfigError: it is damaged, or newer than this hub. :raises lmdb.Error: it can't be read.
        """
        if not path.stat().st_size:
            raise ConfigError([f"hub.state_dir: the store {path} is empty (0 bytes), {_EMPTIED}"])
        marked = self._marker.exists()
        self._mark()
        try:
            with open_readonly(path) as environment:
                suspect = marked or is_cut(path, environment)
                if not suspect:
                    check_names(path, environment)
            text = damage(path) if suspect else ""
        except UnreadableError as error:
            text = str(error)
        except ConfigError as error:
            raise ConfigError([f"hub.state_dir: {problem}" for problem in error.problems]) from error
        if text:
            raise ConfigError([f"hub.state_dir: the store {path} can't be opened: {text}: {_DAMAGED}"])

    def _mark(self) -> None:
        with contextlib.suppress(OSError):
            self._marker.touch(mode=0o600)


_DAMAGED = (
    "it is damaged, or no store; nothing was changed. 'hubbub fsck' lists the problems, 'hubbub fsck --repair' saves "
    "all that can be read; a backup may be better"
)
_EMPTIED = (
    "though the hub never writes an empty store: its content is lost. Restore a backup, or remove the file to start "
    "with an empty store"
)


def refusal(directory: Path, error: lmdb.Error) -> Exception:
    """The exception to raise for an LMDB error at the start."""
    code = getattr(error, "code", 0) or 0
    text = f"hub.state_dir: the store in {directory} can't be opened: {error}"
    if code in PASSING or isinstance(error, (lmdb.MapFullError, lmdb.DiskError)):
        return OSError(text)
    return ConfigError([f"{text}: {_DAMAGED}"])


def _make(directory: Path, sync: bool) -> None:
    """Create a store with its version. It is moved to its place when complete, so that no start finds half of it."""
    folder = directory / NEW
    path = folder / t.FILE
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        for left in folder.iterdir():
            left.unlink()
        tables = t.Tables(folder, sync)
        try:
            migrate(tables)
        finally:
            tables.close()
        os.replace(path, directory / t.FILE)
        if sync:
            sync_directory(directory)
    finally:
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
