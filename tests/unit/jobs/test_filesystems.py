"""A file on a network file system is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.jobs import BadDatabase, Jobs
from hub.jobs.sqlite.filesystems import network_type, read_mounts

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw - nfs4 server:/home rw
31 30 8:2 / /home/local rw - xfs /dev/sdb1 rw
32 22 0:41 / /mnt/with\\040space rw - fuse.sshfs host:/ rw
33 22 0:42 / /mnt/stick rw - fuseblk /dev/sdc rw
a line of something else
"""


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/var/lib/jobs.db", None),
        ("/home/a/jobs.db", "nfs4"),
        ("/home/local/jobs.db", None),
        ("/homes/jobs.db", None),
        ("/mnt/with space/jobs.db", "fuse.sshfs"),
        ("/mnt/stick/jobs.db", None),
    ],
)
def test_the_file_system_is_that_of_the_deepest_mount(file: str, kind: str | None) -> None:
    assert network_type(Path(file), MOUNTS) == kind


def test_the_last_of_two_mounts_at_one_place_counts() -> None:
    again = MOUNTS + "40 22 0:50 / /home rw - tmpfs tmpfs rw\n"
    assert network_type(Path("/home/jobs.db"), again) is None


def test_the_systems_list_is_read(tmp_path: Path) -> None:
    assert read_mounts(tmp_path / "nothing") == ""
    assert network_type(tmp_path, read_mounts()) is None


def test_a_file_on_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = f"30 22 0:40 / {tmp_path} rw - nfs4 server:/home rw\n"
    monkeypatch.setattr("hub.jobs.sqlite.database.read_mounts", lambda: mounts)
    with (
        Jobs(f"sqlite:///{tmp_path}/jobs.db") as jobs,
        pytest.raises(BadDatabase, match=r"network file system \(nfs4\)"),
    ):
        jobs.counts()
    assert list(tmp_path.iterdir()) == []
