"""kill -9 of a Redis under load, and of hubs that share one of its streams."""

from __future__ import annotations

import random
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.faults.shared_queue import PREFETCH, TAKES, check, kill_nodes
from tests.faults.size import FULL, SEED, sized
from tests.support import wait_until
from tests.system.redis import RedisServer, serving
from tests.system.redis_hub import RedisHub, answers, publish

pytestmark = [pytest.mark.faults, pytest.mark.timeout(sized(240, 1800))]

SERVER_KILLS = sized(1, 10)
NODE_KILLS = sized(3, 50)
CLAIM_IDLE = 2
"""Seconds: what a dead hub had is taken over within 1.25 times that, and half a second."""


MOST = 2000
"""Messages before a kill: each is answered."""


class Source(threading.Thread):
    """Another program, which adds numbers until the server is gone. :ivar confirmed: how many it has confirmed."""

    def __init__(self, server: RedisServer, first: int) -> None:
        super().__init__()
        self.confirmed = self._first = first
        self._server = server

    def run(self) -> None:
        client = self._server.client
        try:
            while self.confirmed < self._first + MOST:
                client.execute_command("XADD", "work", "*", "body", self.confirmed)
                self.confirmed += 1
        except redis.exceptions.ConnectionError:
            return

    def ends(self) -> None:
        """Wait until the server has gone."""
        self.join(20)
        assert not self.is_alive()
        assert self.confirmed > self._first


@pytest.mark.parametrize("fsync", ["always", "everysec"] if FULL else ["always"])
def test_a_server_that_is_killed_under_load_has_what_it_confirmed(tmp_path: Path, fsync: str) -> None:
    """With either setting: what is not on the disk yet is in the kernel's hands, which a kill does not end."""
    chance = random.Random(SEED)
    with serving(tmp_path / "server", f"appendfsync {fsync}\n") as server:
        rig = RedisHub(tmp_path / "hub", server, consumer="answers = true")
        confirmed = 0
        with rig.hub as hub:
            rig.connected()
            for _ in range(SERVER_KILLS):
                source = Source(server, confirmed)
                source.start()
                time.sleep(chance.uniform(0.2, 1.0))
                server.kill()
                source.ends()
                rig.red("")
                server.__enter__()
                rig.connected()
                # The last one may be there too: its answer was lost.
                confirmed = source.confirmed + (source.confirmed in added(server))
            found = rig.all_noted(confirmed)
            rig.all_acknowledged()
            wait_until(lambda: answers(server) == sorted(found.elements()), 60, "the answers")
            row = rig.row()
            print(f"{fsync}: {confirmed} added; worked again: {found.total() - confirmed}; {row['found_again']} found")
            # The hub knows what it has in hand, and looks for what it has published.
            assert found.total() == confirmed
            assert row["repeated"] == 0
            assert hub.stop() == 0


def added(server: RedisServer) -> set[int]:
    return {int(fields[b"body"]) for _, fields in server.client.xrange("work")}


def test_hubs_that_share_a_stream_are_killed(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    print(f"{NODE_KILLS} kills, seed {SEED}")
    given: dict[str, Any] = {
        "backend": f'confirm = "settled"\nclaim_idle = "{CLAIM_IDLE}s"\nprefetch = {PREFETCH}',
        "consumer": f"durable = false\nanswers = true\ntakes = {TAKES}",
    }
    with serving(tmp_path / "server", "appendfsync always\n") as server, ExitStack() as stack:
        nodes = [RedisHub(tmp_path / f"hub-{number}", server, **given) for number in range(3)]
        for node in nodes:
            stack.enter_context(node.hub)
            node.connected()
        count = kill_nodes(nodes, lambda numbers: publish(server, numbers), NODE_KILLS, chance)
        for node in nodes:
            node.all_acknowledged()
        wait_until(lambda: set(answers(server)) == set(range(count)), 60, "the answers")
        print(f"{len(answers(server)) - count} answers came again")
        assert [node.hub.stop() for node in nodes] == [0, 0, 0]
        assert server.client.xpending("work", "hubbub")["pending"] == 0
    check(nodes, count, NODE_KILLS * PREFETCH)
