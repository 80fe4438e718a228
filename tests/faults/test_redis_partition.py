"""A Redis that is cut off: no packet comes through, and nobody is told. Alone, and as the master of Sentinels."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.faults.size import FULL
from tests.support import PATIENCE, wait_until
from tests.system.hubs import HUBBUB
from tests.system.network import Network
from tests.system.redis import Failing, RedisServer
from tests.system.redis_hub import RedisHub, answers, publish

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

TIMEOUT, CONNECT_TIMEOUT = 1, 2
"""Seconds for an answer, and to connect, as configured."""
QUICK = f'timeout = "{TIMEOUT}s"\nconnect_timeout = "{CONNECT_TIMEOUT}s"\nreconnect_interval_max = "500ms"'
IDLE = 2
"""Seconds within which each connection asks the server something."""
GUARD = "min-replicas-to-write 1\nmin-replicas-max-lag 2\n"


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


def test_a_server_that_is_cut_off_is_noticed_and_loses_nothing(network: Network, tmp_path: Path) -> None:
    with RedisServer(tmp_path / "server", network=network) as server:
        rig = RedisHub(tmp_path / "hub", server, backend=QUICK, consumer="answers = true\ntakes = 0.005")
        publish(server, range(300))
        with rig.hub as hub:
            rig.connected()
            wait_until(lambda: len(rig.noted()) > 50, 60, "some of it")
            network.cut()
            began = time.monotonic()
            rig.red("it does not answer")
            noticed = time.monotonic() - began
            wait_until(lambda: len(rig.noted()) == 300, 60, "what the hub has")
            network.join()
            joined = time.monotonic()
            rig.connected()
            print(f"noticed after {noticed:.1f} s, connected {time.monotonic() - joined:.1f} s after the end of it")
            assert noticed <= (TIMEOUT + IDLE + 1) * PATIENCE
            publish(server, range(300, 400))
            found = rig.all_noted(400)
            rig.all_acknowledged()
            wait_until(lambda: answers(server) == sorted(found.elements()), 60, "the answers")
            print(f"worked again: {found.total() - 400}; found again: {rig.row()['found_again']}")
            # The hub knows what it has in hand, and what it has published: nothing comes again for a lost connection.
            assert found.total() == 400
            assert rig.row()["repeated"] == 0
            assert hub.stop() == 0


def inside(network: Network, server: RedisServer, *command: str) -> str:
    """What redis-cli says beside the server."""
    there = network.command(["redis-cli", "-h", server.address, "-p", str(server.port), *command])
    return subprocess.run(there, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("guard", ["", GUARD] if FULL else [GUARD])
def test_an_old_master_that_is_cut_off_confirms_nothing(network: Network, tmp_path: Path, guard: str) -> None:
    with Failing(tmp_path / "site", network, guard) as site:
        a_master_is_cut_off(network, site, tmp_path, bool(guard))


def a_master_is_cut_off(network: Network, site: Failing, tmp_path: Path, guarded: bool) -> None:
    """One hub is on each side. What the old master accepts of others is lost, unless it has its guard."""
    old = site.servers[0]
    given: dict[str, Any] = {"backend": QUICK, "consumer": "answers = true"}
    outside = RedisHub(tmp_path / "outside", site, **given)
    beside = RedisHub(tmp_path / "beside", site, **given, program=network.script(tmp_path / "hubbub", HUBBUB))
    rigs = [outside, beside]
    with outside.hub, beside.hub:
        for rig in rigs:
            rig.connected()
        publish(old, range(200))
        wait_until(lambda: both(rigs).keys() == {*range(200)}, 60, "all of it")
        network.cut()
        began = time.monotonic()
        # The first one may be given to the hub that is cut off: its question waits at the server.
        accepted = [inside(network, old, "XADD", "work", "*", "body", str(number)) for number in (1000, 1001)]
        outside.red("")
        noticed = time.monotonic() - began
        outside.connected()
        print(f"noticed after {noticed:.1f} s, on the new master after {time.monotonic() - began:.1f} s")
        publish(site.master, range(200, 300))
        wait_until(lambda: both([outside]).keys() >= {*range(200, 300)}, 60, "what came meanwhile")
        beside.red("")
        assert {1000, 1001} & {*beside.noted()}  # for this one, the old master is there still
        if guarded:
            replication = partial(inside, network, old, "INFO", "replication")
            wait_until(lambda: "min_slaves_good_slaves:0" in replication(), 20, "the guard")
        accepted.append(inside(network, old, "XADD", "work", "*", "body", "1002"))
        network.join()
        beside.connected()
        print(f"the old master said {accepted}")
        publish(site.master, range(300, 400))
        all_is_worked(rigs, site)
    assert site.master is not old
    assert accepted[-1].startswith("NOREPLICAS") is guarded
    bodies = [fields[b"body"] for _, fields in site.master.client.xrange("work")]
    assert {b"1000", b"1001", b"1002"}.isdisjoint(bodies)
    # An answer for each time that a message was worked: none is lost, and none came twice.
    assert answers(site.master) == sorted(both(rigs).elements())


def all_is_worked(rigs: list[RedisHub], site: Failing) -> None:
    wait_until(lambda: both(rigs).keys() >= {*range(400)}, 60, "all of it")
    for rig in rigs:
        rig.all_acknowledged()
    master = site.master
    wait_until(lambda: {*answers(master)} == {*both(rigs)}, 60, "the answers")


def both(rigs: list[RedisHub]) -> Counter[int]:
    return sum((rig.noted() for rig in rigs), Counter[int]())
