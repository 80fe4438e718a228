"""One hub to a state directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from hub.errors import ConfigError
from hub.statefiles import check_directory, open_file

FILE = "lock"


class StateInUse(ConfigError):
    """Another process has the directory. :ivar holder: its pid."""

    def __init__(self, directory: Path, holder: str) -> None:
        use = f"is in use by another hub, with pid {holder}, or by its 'hubbub fsck'"
        super().__init__([f"hub.state_dir: {directory} {use}"])
        self.holder = holder


class StateLock:
    """Held as long as the process lives, or until ``release``. The kernel lets go of it when the process dies.

    :raises ConfigError: the directory can't be made or written, is another user's or open to others.
    :raises StateInUse: another process holds it, which is named.
    """

    def __init__(self, directory: Path) -> None:
        check_directory(directory)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._descriptor = open_file(directory / FILE, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise ConfigError([f"hub.state_dir: {directory} can't be used: {error.strerror or error}"]) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise StateInUse(directory, holder) from error
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let others have it."""
        os.close(self._descriptor)
