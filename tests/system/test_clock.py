"""The machine's clock is set, by an hour, while a hub runs. A real hub; libfaketime sets the clock for it alone."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tests.support import free_port, require, wait_until
from tests.system.hubs import RunningHub

pytestmark = pytest.mark.system

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
CONFIGURATION = """
[backends.bus]
type = "zeromq"
bind = ["{endpoint}"]
publish_connect = ["{endpoint}"]
[consumers.fickle]
type = "fickle.py:Fickle"
backoff = "100ms"
backoff_limit = "100ms"
"""
FICKLE = """
from hub import Consumer

class Fickle(Consumer):
    seen = set()

    def consume(self, message):
        if message.id not in self.seen:
            self.seen.add(message.id)
            raise KeyError(message.id)
"""


@pytest.mark.parametrize("step", [3600, -3600])
def test_a_clock_that_is_set_disturbs_nothing(tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    require(bool(LIBRARIES), "libfaketime (Debian: faketime)")
    clock = tmp_path / "clock"
    clock.write_text("+0")
    settings = {
        "LD_PRELOAD": str(LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    (tmp_path / "fickle.py").write_text(FICKLE)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    hub = RunningHub(tmp_path, CONFIGURATION.format(endpoint=f"tcp://127.0.0.1:{free_port()}"))
    with hub:
        for name in settings:
            monkeypatch.delenv(name)
        publish(hub, 5)
        hub.wait_for("fickle", "finished", 5, timeout=20)
        clock.write_text(f"{step:+d}")
        wait_until(lambda: abs(hub.status()["hub"]["time"] - time.time() - step) < 60, 10)
        publish(hub, 5)
        hub.wait_for("fickle", "finished", 10, timeout=20)
        row = hub.consumer("fickle")
        assert (row["retried"], row["dead"], row["backlog"]) == (10, 0, 0)
        assert (hub.status()["hub"]["lag"] or 0) < 600
        wait_until(lambda: hub.consumer("fickle")["rate_in"] == 0, 20, "the samples to go on")
        assert hub.stop() == 0


def publish(hub: RunningHub, count: int) -> None:
    lines = [json.dumps({"topic": "a.b", "n": n, "msg_id": os.urandom(8).hex()}) for n in range(count)]
    messages = hub.directory / "messages.jsonl"
    messages.write_text("\n".join(lines) + "\n")
    hub.command("feed", str(messages), "--quiet")
