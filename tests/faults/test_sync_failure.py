"""A disk that fails: the hub believes nothing any more, and ends with 74; the next one finds what was confirmed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.rig import HERE, Rig, consistent, drain, wants
from tests.faults.size import FULL

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("commits", [0, 1, 2, 3, 5, 30, 100] if FULL else [1, 30])
def test_the_hub_ends(tmp_path: Path, commits: int) -> None:
    rig = Rig(tmp_path, {"fast": {"type": "Recording"}, "slow": {"type": "Recording", "pause": "5ms"}})
    configuration = tmp_path / "hub.conf"
    configuration.write_text(rig.configuration(rate=1000))
    command = [sys.executable, str(HERE / "failing_hub.py"), str(commits), "run", "-c", str(configuration)]
    failed = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=tmp_path)
    assert failed.returncode == os.EX_IOERR, failed.stderr[-3000:]
    assert "Input/output error" in failed.stderr
    before = rig.records.confirmed()
    with rig.quiet_hub() as hub:
        drain(hub)
        consistent(hub)
        found = [rig.findings(hub, name, wants()) for name in rig.consumers]
        assert hub.stop() == 0
    print(f"{len(before)} confirmed after {commits} commits", *found, sep="; ")
    assert not any(one.lost or one.unknown for one in found)
    assert rig.records.confirmed() == before
