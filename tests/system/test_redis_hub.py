"""A whole hub on a real Redis that stops, is killed, and comes back; and hubs that are killed themselves."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import wait_until
from tests.system.redis import RedisServer
from tests.system.redis_hub import RedisHub, answers, publish

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    made = RedisServer(tmp_path / "server")
    made.__enter__()
    yield made
    if made.is_running:
        made.kill()


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_a_server_that_comes_back_is_consumed_again_and_loses_nothing(
    server: RedisServer, tmp_path: Path, kill: bool
) -> None:
    rig = RedisHub(tmp_path / "hub", server, consumer="answers = true")
    publish(server, range(500))
    with rig.hub as hub:
        rig.connected()
        assert hub.status()["hub"]["ready"]
        wait_until(lambda: len(rig.noted()) > 50, 60, "some of it")
        if kill:
            server.kill()
        else:
            server.__exit__()
        wait_until(lambda: rig.row()["state"] == "connecting", 20, "the hub to notice")
        reasons = hub.status()["hub"]["not_ready"]
        assert [reason.startswith(f"backend bus is not connected: {server.url}: ") for reason in reasons] == [True]
        server.__enter__()
        rig.connected()
        assert hub.status()["hub"]["ready"]
        publish(server, range(500, 600))
        rig.all_noted(600)
        rig.all_acknowledged()
        wait_until(lambda: answers(server) == sorted(rig.noted().elements()), 60, "the answers")
        assert rig.row()["outbox_failed"] == rig.row()["repeated"] == 0
        assert hub.stop() == 0
    # One for each time that a message was worked: no XADD was made twice.
    assert answers(server) == sorted(rig.noted().elements())


def test_a_hub_that_is_killed_again_and_again_loses_nothing(server: RedisServer, tmp_path: Path) -> None:
    kills, each, prefetch = 4, 300, 100
    rig = RedisHub(tmp_path / "hub", server, backend=f"prefetch = {prefetch}", consumer="answers = true")
    for kill in range(kills):
        publish(server, range(kill * each, (kill + 1) * each))
        with rig.hub:
            least = kill * each + each // 2
            wait_until(lambda least=least: len(rig.noted()) > least, 60, "half of it")  # type: ignore[misc]
            rig.hub.process.send_signal(signal.SIGKILL)
            rig.hub.process.wait()
    with rig.hub as hub:
        rig.all_noted(kills * each)
        rig.all_acknowledged()
        wait_until(lambda: set(answers(server)) == set(range(kills * each)), 60, "the answers")
        assert hub.stop() == 0
    found = rig.noted()
    # A repeat comes from the server (not acknowledged), or from the store (not finished).
    assert sum(found.values()) - len(found) <= kills * 2 * prefetch
    assert len(answers(server)) <= sum(found.values())


def test_what_a_killed_hub_had_the_other_one_takes_over(server: RedisServer, tmp_path: Path) -> None:
    """After the work, with queues in memory: nothing is on a hub's disk."""
    given: dict[str, Any] = {
        "backend": 'confirm = "settled"\nclaim_idle = "1s"\nprefetch = 50',
        "consumer": "durable = false",
    }
    first, second = (RedisHub(tmp_path / name, server, **given) for name in ("first", "second"))
    with first.hub as hub, second.hub:
        first.connected()
        second.connected()
        hub.command("queue", "pause", "echo")
        publish(server, range(200))
        wait_until(lambda: first.row()["unacknowledged"] == 50, 30, "the first one to have its hands full")
        wait_until(lambda: second.noted().total() >= 150 - first.noted().total(), 30, "the second one to do the rest")
        hub.process.send_signal(signal.SIGKILL)
        hub.process.wait()
        wait_until(lambda: {*first.noted(), *second.noted()} == set(range(200)), 60, "all of it")
        second.all_acknowledged()
        assert second.row()["claimed"] >= 1
        wait_until(lambda: server.client.xpending("work", "hubbub")["pending"] == 0, 30, "the server to know it")


def test_the_command_line_is_a_peer(server: RedisServer, tmp_path: Path) -> None:
    rig = RedisHub(tmp_path / "hub", server)
    with rig.hub as hub:
        rig.connected()
        done = hub.command("publish", "work", json.dumps(0))
        assert done is not None
        rig.all_noted(1)
