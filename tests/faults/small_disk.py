"""A file system that is soon full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import require, require_root


@contextmanager
def small_disk(directory: Path, mebibytes: int) -> Iterator[Path]:
    """A tmpfs, mounted there for a while. Skips the test where one can't be."""
    require_root("mounts a tmpfs")
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "hubbub-faults", str(directory)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    require(mounted.returncode == 0, f"no tmpfs can be mounted: {mounted.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def fill(path: Path, leave: int = 0) -> None:
    """Write a ballast file until that many bytes are left."""
    with path.open("wb") as file:
        while (left := free(path.parent) - leave) > 0:
            try:
                file.write(b"x" * min(left, 1 << 16))
                file.flush()
            except OSError:
                return


def free(directory: Path) -> int:
    """Bytes that are left."""
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize
