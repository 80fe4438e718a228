"""A watch in a real hub: alerts are messages, and neither a restart nor a kill repeats or ends one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

RECORD = """
import json
from hub import Consumer

class Record(Consumer):
    def consume(self, message):
        with open(self.context.state_dir / "alerts.jsonl", "a") as file:
            file.write(json.dumps(message.json()["msg"]) + chr(10))
"""
CONFIGURATION = """
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:{bus}"]
publish_connect = ["tcp://127.0.0.1:{bus}"]
[consumers.work]
type = "slow"
topics = ["t.#"]
delay = "20ms"
[consumers.watch]
type = "watch"
every = "100ms"
hold = "300ms"
backlog = {{ work = 50 }}
silent = {{ {silent} }}
[consumers.record]
type = "consumers.py:Record"
topics = ["hubbub.alert.#"]
"""


def alerts(directory: Path) -> list[str]:
    """What was published: rule, subject and state of each alert."""
    file = directory / "state" / "alerts.jsonl"
    rows: list[dict[str, Any]] = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [f"{row['alert']} {row['subject']} {row['state']}" for row in rows]


def saved(directory: Path) -> str:
    """What the watch has noted as raised."""
    file = directory / "state" / "watch-watch.json"
    return file.read_text() if file.exists() else ""


def test_a_backlog_and_a_silence_are_told_with_their_ends_across_a_kill(tmp_path: Path) -> None:
    (tmp_path / "consumers.py").write_text(RECORD)
    (tmp_path / "messages.jsonl").write_text('{"topic": "t.a", "msg": {}}\n' * 300)
    bus = free_port()
    with RunningHub(tmp_path, CONFIGURATION.format(bus=bus, silent='"t.#" = "1h"')) as hub:
        hub.command("feed", str(tmp_path / "messages.jsonl"))
        wait_until(lambda: "backlog work raised" in alerts(tmp_path), 60, lambda: f"the alert; the log: {hub.log}")
        wait_until(lambda: "backlog work" in saved(tmp_path), 20, "the alert to be noted")
        hub.process.kill()
        hub.process.wait()
    with RunningHub(tmp_path, CONFIGURATION.format(bus=bus, silent='"t.#" = "3s"')) as hub:
        wait_until(lambda: {"silent t.# raised", "backlog work over"} <= {*alerts(tmp_path)}, 60, "the others")
        wait_until(lambda: "backlog work" not in saved(tmp_path), 20, "the end to be noted")
        assert hub.consumer("watch")["own"] == {"rules": 2, "raised": 1, "first": ["silent t.#"]}
        assert hub.stop() == 0
    before = alerts(tmp_path)
    assert sorted(before) == ["backlog work over", "backlog work raised", "silent t.# raised"]
    with RunningHub(tmp_path, CONFIGURATION.format(bus=bus, silent='"t.#" = "3s", "u.#" = "1s"')) as hub:
        wait_until(lambda: "silent u.# raised" in alerts(tmp_path), 60, "all rules to be judged for a second")
        assert alerts(tmp_path) == [*before, "silent u.# raised"]
        hub.command("publish", "t.b", "{}")
        wait_until(lambda: "silent t.# over" in alerts(tmp_path), 60, "the end of the silence")
        assert hub.consumer("watch")["tick_failures"] == 0
        assert hub.stop() == 0
