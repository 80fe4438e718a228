"""Commands of a real hub: verdicts, the end in the midst of one, what the check says, and a crowd of them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

SCRIPT = """#!/bin/sh
# Does what the body says, and notes what it has done.
body=$(tr -d '"')
case "$body" in
    done) ;;
    later) [ -e ready ] || exit 75 ;;
    bad) echo "no such $HUBBUB_TOPIC" >&2; exit 1 ;;
    hang) echo $$ > hangs; [ -e ready ] || sleep 1000 ;;
esac
echo "$HUBBUB_TOPIC $body" >> noted
"""
CONFIGURATION = """
[hub]
stop_timeout = "20s"
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:{bus}"]
format = "raw"
[consumers.run]
type = "trigger"
command = ["{directory}/script"]
directory = "{directory}"
threads = 8
stop_after = "100ms"
backoff = "50ms"
backoff_limit = "100ms"
"""


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    script = tmp_path / "script"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    return CONFIGURATION.format(bus=free_port(), directory=tmp_path)


def noted(directory: Path) -> list[str]:
    file = directory / "noted"
    return sorted(file.read_text().splitlines()) if file.exists() else []


def test_the_exit_status_is_the_verdict(tmp_path: Path, configuration: str) -> None:
    with RunningHub(tmp_path, configuration) as hub:
        for body in ("done", "later", "bad"):
            hub.command("publish", f"t.{body}", f'"{body}"')
        hub.wait_for("run", "dead", 1)
        wait_until(lambda: hub.consumer("run")["own"].get("put_off", 0) >= 2, 60, "further attempts")
        (tmp_path / "ready").touch()
        hub.wait_for("run", "finished", 2)
        assert "the command refuses it with exit status 1: no such t.bad" in hub.command("dead", "list", "run").stdout
        assert noted(tmp_path) == ["t.done done", "t.later later"]
        assert hub.stop() == 0


def test_a_command_in_hand_is_ended_by_the_stop_and_its_message_comes_again(tmp_path: Path, configuration: str) -> None:
    with RunningHub(tmp_path, configuration) as hub:
        hub.command("publish", "t.hang", '"hang"')
        wait_until((tmp_path / "hangs").exists)
        assert hub.stop() == 0
        assert "interrupted" in hub.log
    assert noted(tmp_path) == []
    (tmp_path / "ready").touch()
    with RunningHub(tmp_path, configuration) as hub:
        hub.wait_for("run", "finished", 1)
        assert (noted(tmp_path), hub.consumer("run")["dead"]) == (["t.hang hang"], 0)
        assert hub.stop() == 0


def test_a_killed_hub_loses_nothing(tmp_path: Path, configuration: str) -> None:
    with RunningHub(tmp_path, configuration) as hub:
        hub.command("publish", "t.hang", '"hang"')
        wait_until((tmp_path / "hangs").exists)
        hub.process.kill()
        hub.process.wait()
    os.killpg(int((tmp_path / "hangs").read_text()), signal.SIGKILL)  # as systemd would
    (tmp_path / "ready").touch()
    with RunningHub(tmp_path, configuration) as hub:
        hub.wait_for("run", "finished", 1)
        assert noted(tmp_path) == ["t.hang hang"]
        assert hub.stop() == 0


def test_hundreds_run_in_their_threads_and_none_is_lost(tmp_path: Path, configuration: str) -> None:
    many = 300
    messages = tmp_path / "messages.jsonl"
    messages.write_text("".join(f'{{"topic": "t.{number:03}", "msg": {{}}}}\n' for number in range(many)))
    with RunningHub(tmp_path, configuration.replace('format = "raw"', "")) as hub:
        hub.command("feed", str(messages))
        hub.wait_for("run", "finished", many)
        assert [line.split()[0] for line in noted(tmp_path)] == [f"t.{number:03}" for number in range(many)]
        assert hub.consumer("run")["own"] == {"running": 0, "done": many}
        assert hub.stop() == 0


def test_the_check_refuses_what_can_not_be_run(tmp_path: Path, configuration: str) -> None:
    hub = RunningHub(tmp_path, configuration)
    assert hub.command("check").returncode == 0
    (tmp_path / "script").chmod(0o644)
    refused = hub.command("check", check=False)
    assert refused.returncode == 78
    assert f"{tmp_path}/script is not executable: chmod +x {tmp_path}/script" in refused.stdout + refused.stderr
