"""The lock of the state directory, for one hub at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hub.errors import PASSING, ConfigError
from hub.statefiles import check_directory, open_file

FILE = "lock"


class StateInUse(ConfigError):
    """Another process holds the directory's lock. :ivar holder: its pid."""

    def __init__(self, directory: Path, holder: str) -> None:
        super().__init__([f"hub.state_dir: {directory} is in use by {_whom(holder, directory / FILE)}"])
        self.holder = holder


class StateLock:
    """A lock held while the process lives, or until ``release``. The kernel releases it when the process and all
    children that inherited it have ended; forked children close it, see :mod:`hub.children`.

    :ivar descriptor: its file descriptor.

    :raises ConfigError: the directory can't be made or written, belongs to another user, or is open to others.
    :raises OSError: the disk is full, read-only or failing.
    :raises StateInUse: another process holds it; the text names it.
    """

    def __init__(self, directory: Path) -> None:
        check_directory(directory)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self.descriptor = open_file(directory / FILE, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            problem = f"hub.state_dir: {directory} can't be used: {error.strerror or error}"
            if error.errno in PASSING:
                raise OSError(problem) from error
            raise ConfigError([problem]) from error
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self.descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self.descriptor)
            raise StateInUse(directory, holder) from error
        os.ftruncate(self.descriptor, 0)
        os.write(self.descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Release the lock."""
        os.close(self.descriptor)


def _whom(holder: str, file: Path) -> str:
    """Describe the process that holds the lock. :param holder: pid that the holding hub wrote into the file."""
    if not holder.isdigit() or os.path.isdir(f"/proc/{holder}") or not os.path.isdir("/proc/self"):
        return f"another hub, with pid {holder}, or by its 'hubbub fsck'"
    left = ", ".join(map(str, _holders(file))) or "unknown"
    return f"a process that a former hub left behind: end the one with pid {left}"


def _holders(file: Path) -> Iterator[int]:
    """Processes that have the file open, as far as this user may see."""
    wanted = file.stat()
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            found = descriptor.stat()
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                yield int(descriptor.parts[2])
