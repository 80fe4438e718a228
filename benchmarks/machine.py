"""Machine and versions that a measurement was made with."""

from __future__ import annotations

import os
import platform
import tempfile
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class FileSystem:
    """File system of a directory."""

    type: str
    device: str

    @property
    def in_memory(self) -> bool:
        """True if it is in memory, so that writes reach no disk."""
        return self.type in ("tmpfs", "ramfs")


def scratch() -> FileSystem:
    """File system of the temporary directory, where the systems keep their files."""
    directory, found = Path(tempfile.gettempdir()).resolve(), FileSystem("an unknown file system", "?")
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    for device, mount, kind, *_ in sorted(mounts, key=lambda fields: len(fields[1])):
        if directory.is_relative_to(mount):
            found = FileSystem(kind, device)
    return found


def parsed_on_a_disk(parser: ArgumentParser) -> Namespace:
    """Options of a program whose systems write to a disk. Ends it if the temporary directory is in memory."""
    found = parser.parse_args()
    if scratch().in_memory:
        parser.error("the temporary directory is in memory: set TMPDIR to a directory on a disk")
    return found


def machine() -> str:
    """Description of the machine, in a sentence or two."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.partition(":")[2].strip() for line in lines if "model name" in line)
    model = next(models, platform.machine())
    parts = ", ".join(f"{name} {version(name)}" for name in ("Twisted", "pyzmq", "msgspec"))
    disk = scratch()
    return (
        f"{os.cpu_count()} cores of {model}, Linux {platform.release()}, Python {platform.python_version()}, {parts}. "
        f"What is kept on a disk is on {disk.type} ({disk.device})."
    )
