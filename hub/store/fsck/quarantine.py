"""Quarantine of damaged records: keeps them as files and in the table ``damaged``, where no hub reads them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from hub.statefiles import sync_directory
from hub.store import tables as t

FOLDER = "damaged"


class Quarantine:
    """The directory of damaged records and former files.

    :param directory: directory of the store. :param now: epoch seconds, part of the files' names.
    """

    def __init__(self, directory: Path, now: float) -> None:
        self.folder = directory / FOLDER
        self.stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))

    def move(self, tables: t.Tables, transaction: Any, table: str, key: bytes) -> bytes:
        """Move a row out of its table into quarantine. :returns: its value, which is synced to disk."""
        value: bytes = transaction.pop(key, db=getattr(tables, table))
        transaction.put((table.encode() + b"/" + key)[:511], value, db=tables.damaged)
        with self.path(f"{table}-{key.hex()[:200]}").open("xb") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        return value

    def path(self, name: str) -> Path:
        """The path for a new file; its directory is made."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        path, number = self.folder / f"{name}.{self.stamp}", 1
        while path.exists():
            path, number = self.folder / f"{name}.{self.stamp}-{number}", number + 1
        return path

    def sync(self) -> None:
        """Sync the names of the files to disk."""
        for folder in (self.folder, self.folder.parent):
            if folder.exists():
                sync_directory(folder)
