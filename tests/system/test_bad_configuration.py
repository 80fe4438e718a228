"""A healthy hub whose ``hub.conf`` is spoilt: whoever steers and watches it goes on, and a reload is refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support import free_port
from tests.system.hubs import HUBBUB, RunningHub

pytestmark = pytest.mark.system

GOOD = """
[hub]
state_dir = "elsewhere"
control_socket = "state/hub.sock"
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:PORT"]
[consumers.slow]
type = "slow"
delay = "1h"
"""


@pytest.mark.parametrize(
    ("mistake", "place"),
    [
        ("this is no TOML\n", "hub.conf:11:6: not TOML"),
        ('[consumers.x]\ntype = "gone.py:Gone"\n', "gone.py can't be read"),
    ],
    ids=["no TOML", "a missing consumer"],
)
def test_a_spoilt_file_takes_no_command_away(tmp_path: Path, mistake: str, place: str) -> None:
    (tmp_path / "state").mkdir()
    with RunningHub(tmp_path, GOOD.replace("PORT", str(free_port()))) as hub:
        messages = tmp_path / "messages.jsonl"
        messages.write_text('{"topic": "a", "msg": 1}\n' * 3)
        assert json.loads(hub.command("feed", str(messages), "--json").stdout) == {"sent": 3}
        assert list(json.loads(hub.command("publish", "a", "--json").stdout)) == ["id"]
        hub.wait_for("slow", "backlog", 4)
        hub.file.write_text(hub.file.read_text() + mistake)
        assert "slow" in hub.command("status").stdout
        assert "slow" in hub.command("top").stdout
        assert hub.command("queue", "pause", "slow").stdout == "slow is paused, 4 messages wait\n"
        check = [str(HUBBUB), "check-backlog", "--config", str(hub.file)]
        checked = subprocess.run(check, capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stderr) == (1, "")
        assert checked.stdout.startswith("HUBBUB WARNING - slow: paused | ")
        refused = hub.command("reload", check=False)
        assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (78, "", 1)
        assert place in refused.stderr
        refused = hub.command("reload", "--json", check=False)
        assert refused.returncode == 78
        assert place in json.loads(refused.stdout)["problems"][0]
        hub.logs(place)
        assert place in (tmp_path / "elsewhere" / "audit.log").read_text()
