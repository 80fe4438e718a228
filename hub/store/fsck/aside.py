"""Where damaged records go: nothing of them is thrown away, and nobody reads them again by mistake."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from hub.store import tables as t

FOLDER = "damaged"


class Aside:
    """A folder of files, and the table ``damaged``.

    :param directory: of the store. :param now: epoch seconds; a part of the files' names.
    """

    def __init__(self, directory: Path, now: float) -> None:
        self.folder = directory / FOLDER
        self.stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))

    def put(self, tables: t.Tables, transaction: Any, table: str, key: bytes, value: bytes) -> Path:
        """Keep what was found under that key of that table. :returns: the file, which is safe on the disk."""
        transaction.put(table.encode() + b"/" + key, value, db=tables.damaged)
        path = self.path(f"{table}-{key.hex()}")
        with path.open("xb") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        return path

    def path(self, name: str) -> Path:
        """Of a file that is not there yet; the folder is."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        path, number = self.folder / f"{name}.{self.stamp}", 1
        while path.exists():
            path, number = self.folder / f"{name}.{self.stamp}-{number}", number + 1
        return path

    def sync(self) -> None:
        """Have the names of the files safe too."""
        for folder in (self.folder, self.folder.parent):
            if folder.exists():
                sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Wait until its entries are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
