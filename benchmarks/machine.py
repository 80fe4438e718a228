"""Where, and with what, it was measured."""

from __future__ import annotations

import os
import platform
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class FileSystem:
    """The one that a directory is on."""

    type: str
    device: str

    @property
    def in_memory(self) -> bool:
        """Whether nothing that is written there reaches a disk."""
        return self.type in ("tmpfs", "ramfs")


def scratch() -> FileSystem:
    """The one of the temporary directory, which all that the systems keep on a disk is in."""
    directory, found = Path(tempfile.gettempdir()).resolve(), FileSystem("an unknown file system", "?")
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    for device, mount, kind, *_ in sorted(mounts, key=lambda fields: len(fields[1])):
        if directory.is_relative_to(mount):
            found = FileSystem(kind, device)
    return found


def machine() -> str:
    """A sentence or two."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.partition(":")[2].strip() for line in lines if "model name" in line)
    model = next(models, platform.machine())
    parts = ", ".join(f"{name} {version(name)}" for name in ("Twisted", "pyzmq", "msgspec"))
    disk = scratch()
    return (
        f"{os.cpu_count()} cores of {model}, Linux {platform.release()}, Python {platform.python_version()}, {parts}. "
        f"What is kept on a disk is on {disk.type} ({disk.device})."
    )
