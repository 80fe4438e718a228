"""Preferences of ``hubbub top``, kept between two runs: the sorting of its table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from hub.cli.top.columns import BY_KEY, Sorting


def place(environment: Mapping[str, str]) -> Path:
    """The path of the file, by the XDG base directory specification of freedesktop.org."""
    state = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME", "/")) / ".local" / "state")
    return Path(state) / "hubbub" / "top.json"


class Preferences:
    """The preferences file. If it can't be read or written, the default sorting is used."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def sorting(self) -> Sorting:
        """The sorting of the last run, or the default."""
        with suppress(OSError, msgspec.MsgspecError):
            found = msgspec.json.decode(self._path.read_bytes(), type=Sorting)
            if found.key in BY_KEY:
                return found
        return Sorting()

    def keep(self, sorting: Sorting) -> None:
        """Write the sorting for the next run."""
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(msgspec.json.encode(sorting))
            fresh.replace(self._path)
