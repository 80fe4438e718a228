"""What ``hubbub top`` remembers from one time to the next: how its table is sorted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from hub.cli.top.columns import BY_KEY, Sorting


def place(environment: Mapping[str, str]) -> Path:
    """Where it is kept, by the rules of freedesktop.org."""
    state = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME", "/")) / ".local" / "state")
    return Path(state) / "hubbub" / "top.json"


class Remembered:
    """A file that nobody misses: where it can't be read or written, the table is sorted as ever."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def sorting(self) -> Sorting:
        """As it was last."""
        with suppress(OSError, msgspec.MsgspecError):
            found = msgspec.json.decode(self._path.read_bytes(), type=Sorting)
            if found.key in BY_KEY:
                return found
        return Sorting()

    def keep(self, sorting: Sorting) -> None:
        """For the next time."""
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(msgspec.json.encode(sorting))
            fresh.replace(self._path)
