"""Webhooks of a real hub: its peer goes away and comes back, and the hub is killed meanwhile."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub
from tests.unit.consumers.webhook.peer import peer

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

CONFIGURATION = """
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:BUS"]
format = "raw"
[consumers.hook]
type = "webhook"
url = "{body.url}"
allow_private = ["127.0.0.1"]
backoff = "50ms"
backoff_limit = "500ms"
breaker_failures = 3
breaker_pause = "200ms"
breaker_pause_limit = "500ms"
time_limit = "2s"
[consumers.other]
type = "log"
"""
COUNT = 4


def publish(hub: RunningHub, *ports: int) -> None:
    for number in range(COUNT):
        for port in ports:
            hub.command("publish", "a.b", json.dumps({"url": f"http://127.0.0.1:{port}/", "n": number}))


def test_a_peer_that_is_away_while_the_hub_is_killed_gets_all_and_holds_up_nobody(tmp_path: Path) -> None:
    away = free_port()
    text = CONFIGURATION.replace("BUS", str(free_port()))
    with peer() as there:
        with RunningHub(tmp_path, text) as hub:
            publish(hub, away, there.port)
            wait_until(lambda: len(there.requests) == COUNT)
            hub.wait_for("hook", "finished", COUNT)
            hub.wait_for("other", "finished", 2 * COUNT)
            assert hub.consumer("hook")["backlog"] == COUNT
            hub.process.kill()
            hub.process.wait()
        with RunningHub(tmp_path, text) as hub, peer(port=away) as back:
            wait_until(lambda: hub.consumer("hook")["backlog"] == 0, 60)
            ids = Counter(request.headers["webhook-id"] for request in back.requests)
            assert len(ids) == COUNT
            assert hub.consumer("hook")["dead"] == 0
            assert hub.consumer("hook")["own"]["sent"] == COUNT
            assert hub.stop() == 0
