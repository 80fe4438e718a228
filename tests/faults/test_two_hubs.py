"""One hub to a state directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.rig import Rig
from tests.support import PATIENCE

pytestmark = pytest.mark.faults


def test_the_second_one_names_the_first(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"fast": {"type": "Recording"}})
    with rig.hub() as hub:
        second = hub.command("run", check=False)
        assert second.returncode == os.EX_CONFIG
        assert f"in use by another hub, with pid {hub.process.pid}" in second.stderr
        assert hub.status()["hub"]["state"] == "running"
        hub.wait_for("fast", "finished", 100)
        assert hub.stop() == 0


def test_a_hub_that_was_killed_leaves_no_lock(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"fast": {"type": "Recording"}})
    for _ in range(2):
        with rig.hub() as hub:
            hub.process.kill()
            hub.process.wait(10 * PATIENCE)
    with rig.hub() as hub:
        assert hub.stop() == 0
