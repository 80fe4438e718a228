"""Opens the file of a store, or makes it. LMDB believes what it maps, so what can be told before is asked before."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

import lmdb

from hub.errors import PASSING, ConfigError
from hub.store import tables as t
from hub.store.fsck.aside import sync_folder
from hub.store.fsck.firstpages import FirstPages
from hub.store.fsck.image import Image
from hub.store.fsck.structure import Structure
from hub.store.hands import FILE as HANDS
from hub.store.version import VERSION, migrate, refuse_newer

MARKER = "opening"
"""A file that is there while a store is opened. If it is there before, the last attempt ended the process."""
NEW = "new"
"""A folder that is there while a store is made: its file appears in its place when it is complete."""


class Opening:
    """Of the store in one directory; a context manager, in which what is in it is read."""

    def __init__(self, directory: Path, log: logging.LoggerAdapter[logging.Logger]) -> None:
        self._directory = directory
        self._log = log
        self._marker = directory / MARKER

    def __enter__(self) -> Opening:
        return self

    def __exit__(self, *_: object) -> None:
        """It did not end the process."""
        self._marker.unlink(missing_ok=True)

    def tables(self, sync: bool, map_size: int | None = None) -> t.Tables:
        """Of the version that this hub writes.

        :raises ConfigError: the file is damaged, newer than this hub, or no store.
        :raises OSError: the disk is full, read-only or failing: a later start may find it otherwise.
        """
        path = self._directory / t.FILE
        with contextlib.suppress(FileNotFoundError):
            self._look_at(path)
        try:
            if not path.exists():
                if (self._directory / HANDS).exists():
                    self._log.warning(
                        "%s is gone, though there was a store: a new one begins", path, extra={"action": "store"}
                    )
                _make(self._directory, sync)
            with contextlib.suppress(OSError):
                self._marker.touch(mode=0o600)
            refuse_newer(path)
            tables = t.Tables(self._directory, sync, map_size=map_size)
            former = migrate(tables)
        except lmdb.Error as error:
            raise refusal(self._directory, error) from error
        if former < VERSION:
            self._log.info("the store had format %d, and has %d now", former, VERSION, extra={"action": "store"})
        return tables

    def _look_at(self, path: Path) -> None:
        """:raises ConfigError: LMDB must not map it. :raises FileNotFoundError: it is not there."""
        with Image(path) as image:
            if not image.size:
                raise ConfigError([f"hub.state_dir: the store {path} is empty (0 bytes), {_EMPTIED}"])
            first = FirstPages(image)
            flaws = first.flaws
            if not flaws and (first.end > image.size or self._marker.exists()):
                flaws = [f"{name}: {text}" for name, texts in Structure(image).flaws.items() for text in texts]
        if flaws:
            raise ConfigError([f"hub.state_dir: the store {path} can't be opened: {flaws[0]}: {_DAMAGED}"])


_DAMAGED = (
    "it is damaged, or no store; nothing was changed. 'hubbub fsck' says what is wrong, 'hubbub fsck --repair' saves "
    "what is left of it; a backup may be newer"
)
_EMPTIED = (
    "though a store is never made empty: its content is lost. Put back a backup, or remove the file for a new store, "
    "which begins with nothing"
)


def refusal(directory: Path, error: lmdb.Error) -> Exception:
    """What to raise for an error of LMDB's at the start."""
    code = getattr(error, "code", 0) or 0
    text = f"hub.state_dir: the store in {directory} can't be opened: {error}"
    if code in PASSING or isinstance(error, (lmdb.MapFullError, lmdb.DiskError)):
        return OSError(text)
    return ConfigError([f"{text}: {_DAMAGED}"])


def _make(directory: Path, sync: bool) -> None:
    """A new store, with its version. It is moved to its place at last: no start finds a half of one."""
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
            sync_folder(directory)
    finally:
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
