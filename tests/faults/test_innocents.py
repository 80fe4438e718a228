"""A message that kills the hub is found among those that are in hand for long at the same time, and these are done."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.support import PATIENCE, free_port, wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

LONG = 4
CONSUMERS = """
import os, signal, time
from pathlib import Path
from hub import Consumer

class Long(Consumer):
    def consume(self, message):
        time.sleep(0.5 if Path("gate").exists() else 3600)

class Bad(Consumer):
    def consume(self, message):
        while not Path("gate").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGKILL)
"""
CONF = """
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:{port}"]
[consumers.long]
type = "consumers.py:Long"
topics = ["t.long"]
threads = 4
[consumers.bad]
type = "consumers.py:Bad"
topics = ["t.bad"]
"""


def test_those_in_hand_beside_the_one_that_kills_the_hub_are_done_and_it_is_buried(tmp_path: Path) -> None:
    (tmp_path / "consumers.py").write_text(CONSUMERS)
    conf = CONF.format(port=free_port())
    with RunningHub(tmp_path, conf) as hub:
        rows = [{"topic": "t.long", "msg_id": f"long-{n}"} for n in range(LONG)] + [{"topic": "t.bad", "msg_id": "bad"}]
        (tmp_path / "rows").write_text("".join(json.dumps(row) + "\n" for row in rows))
        hub.command("feed", str(tmp_path / "rows"), "--quiet")
        hub.wait_for("long", "in_flight", LONG)
        hub.wait_for("bad", "in_flight", 1)
        wait_until(lambda: hub.status()["hub"]["store"]["messages"] == LONG + 1, 20, "all to be on the disk")
        (tmp_path / "gate").touch()
        assert hub.process.wait(20 * PATIENCE) == -signal.SIGKILL
    for _ in range(2):
        with RunningHub(tmp_path, conf, ready=False) as hub:
            assert hub.process.wait(60 * PATIENCE) == -signal.SIGKILL
    with RunningHub(tmp_path, conf) as hub:
        hub.wait_for("long", "finished", LONG)
        hub.wait_for("bad", "dead_letters", 1)
        assert hub.consumer("long")["dead_letters"] == 0
        assert [one["id"] for one in hub.client.get("/dead/bad")["dead_letters"]] == ["bad"]
        assert hub.stop() == 0
