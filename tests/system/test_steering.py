"""The subcommands that steer a running hub, by their real command."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support import free_port, wait_until
from tests.system.hubs import HUBBUB, RunningHub

pytestmark = pytest.mark.system


def configuration(delay: str) -> str:
    return f"""
        [hub]
        stop_timeout = "100ms"
        [backends.bus]
        type = "zeromq"
        bind = ["tcp://127.0.0.1:{free_port()}"]
        [consumers.slow]
        type = "slow"
        delay = "{delay}"
    """


def feed(hub: RunningHub, count: int) -> None:
    messages = hub.directory / "messages.jsonl"
    messages.write_text("".join(f'{{"topic": "org.example.a", "msg": {number}}}\n' for number in range(count)))
    hub.command("feed", str(messages), "--quiet")


def said(hub: RunningHub, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in hub.command(*arguments, "--json").stdout.splitlines()]


def test_a_queue_is_paused_looked_into_and_goes_on_by_itself(tmp_path: Path) -> None:
    with RunningHub(tmp_path, configuration("0s")) as hub:
        (paused,) = said(hub, "queue", "pause", "slow", "--for", "1h")
        assert (paused["state"], paused["paused_until"]) == ("paused", pytest.approx(time.time() + 3600, abs=30))
        feed(hub, 5)
        hub.wait_for("slow", "backlog", 5)
        messages = said(hub, "queue", "peek", "slow", "-n", "2")
        assert [(row["topic"], row["state"]) for row in messages] == [("org.example.a", "waiting")] * 2
        assert "org.example.a" in hub.command("queue", "peek", "slow").stdout
        assert "paused until " in hub.command("queue", "show", "slow").stdout
        said(hub, "queue", "pause", "slow", "--for", "1s")
        hub.wait_for("slow", "finished", 5)
        (running,) = said(hub, "queue", "resume", "slow")
        assert (running["state"], running["backlog"]) == ("running", 0)
        assert hub.command("queue", "pause", "nobody", check=False).returncode == 69


def test_none_is_paused_and_drained_both_and_that_is_told_at_once(tmp_path: Path) -> None:
    with RunningHub(tmp_path, configuration("0s")) as hub:
        hub.command("queue", "pause", "slow")
        done = hub.command("queue", "drain", "slow", "--wait", check=False)
        refused = "hubbub: slow is paused, so it would not work off its backlog: resume it first\n"
        assert (done.returncode, done.stdout, done.stderr) == (69, "", refused)
        feed(hub, 5)
        hub.wait_for("slow", "backlog", 5)
        assert hub.consumer("slow")["dropped"] == 0
        said(hub, "queue", "resume", "slow")
        (drained,) = said(hub, "queue", "drain", "slow", "--wait")
        assert (drained["state"], drained["paused"], drained["draining"]) == ("drained", False, True)
        done = hub.command("queue", "pause", "slow", check=False)
        refused = "hubbub: slow is drained, so its new messages are dropped and would not wait: resume it first\n"
        assert (done.returncode, done.stderr) == (69, refused)


def test_a_drain_is_seen_of_a_consumer_that_is_stuck(tmp_path: Path) -> None:
    with RunningHub(tmp_path, configuration("1h") + 'timeout = "100ms"\n') as hub:
        feed(hub, 1)
        wait_until(lambda: hub.consumer("slow")["state"] == "stuck", 20, "a consumer that is stuck")
        assert said(hub, "queue", "drain", "slow")[0]["state"] == "stuck"
        assert "stuck, draining" in hub.command("queue", "list").stdout
        assert "stuck, draining" in hub.command("queue", "show", "slow").stdout
        assert "stuck, draining" in hub.command("status").stdout
        check = subprocess.run([HUBBUB, "check-backlog"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert check.stdout.startswith("HUBBUB CRITICAL - slow: stuck: a thread has been busy with one message for ")
        assert "; slow: draining |" in check.stdout


def test_a_queue_and_the_hub_are_drained_and_waited_for(tmp_path: Path) -> None:
    with RunningHub(tmp_path, configuration("100ms")) as hub:
        feed(hub, 20)
        hub.wait_for("slow", "received", 20)
        (drained,) = said(hub, "queue", "drain", "slow", "--wait")
        assert (drained["state"], drained["backlog"]) == ("drained", 0)
        assert hub.consumer("slow")["finished"] == 20
        said(hub, "queue", "resume", "slow")
        feed(hub, 10)
        hub.wait_for("slow", "received", 30)
        assert hub.command("drain", "--wait").stdout == "the buses are held back, 0 messages left\n"
        assert hub.status()["hub"]["draining"] is True
        assert said(hub, "resume") == [{"draining": False, "backlog": 0}]


def test_threads_are_set_and_their_stacks_are_shown(tmp_path: Path) -> None:
    with RunningHub(tmp_path, configuration("1h")) as hub:
        feed(hub, 3)
        hub.wait_for("slow", "backlog", 3)
        hub.command("threads", "slow", "--count", "2")
        wait_until(lambda: hub.consumer("slow")["in_flight"] == 2, 20, "two messages in hand")
        threads = said(hub, "threads", "slow", "--stack")
        assert [(row["state"], row["topic"]) for row in threads] == [("busy", "org.example.a")] * 2
        assert "slow.py" in threads[0]["stack"]
        assert "slow.py" in hub.command("threads", "--stack").stdout
        assert "stack" not in said(hub, "threads")[0]
        hub.command("queue", "purge", "slow", "--yes")
        assert hub.consumer("slow")["backlog"] == 2
