"""File systems on which SQLite's locks do not hold. Pure, but for reading the list of mounts."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
REMOTE = frozenset(
    (
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "coda",
        "lustre",
        "beegfs",
        "gfs2",
        "ocfs2",
        "virtiofs",
    )
)
REMOTE_FUSE = frozenset(("sshfs", "glusterfs", "s3fs", "rclone", "ceph", "davfs2", "gcsfuse", "moosefs", "juicefs"))


def network_type(file: Path, mounts: str) -> str | None:
    """Type of the network file system that a file is on; ``None``: it is on a local one.

    :param mounts: contents of ``/proc/self/mountinfo``.
    """
    kind = _type_of(file, mounts)
    if kind in REMOTE or kind.removeprefix("fuse.") in REMOTE_FUSE:
        return kind
    return None


def _type_of(file: Path, mounts: str) -> str:
    """Type of the file system that is mounted deepest, and last, above a file."""
    deepest, found = -1, ""
    for line in mounts.splitlines():
        mount, _, source = line.partition(" - ")
        fields = mount.split()
        if len(fields) < 5 or not source:
            continue
        place = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), fields[4]))
        if file.is_relative_to(place) and len(place.parts) >= deepest:
            deepest, found = len(place.parts), source.split()[0]
    return found


def read_mounts(source: Path = MOUNTS) -> str:
    """The system's list; empty where there is none."""
    try:
        return source.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
