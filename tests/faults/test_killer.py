"""A message that kills the hub each time is a dead letter in the end, and all others are done."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from hub.errors import HubError
from tests.faults.rig import Rig, Settings, consistent, depths, drain, wants
from tests.faults.size import FULL
from tests.support import wait_until
from tests.system.hubs import RunningHub

pytestmark = pytest.mark.faults

TOTAL = 1000
MAX_KILLS = 3
POISON = [40, 555]
CONSUMERS: Settings = {"killer": {"type": "Killer", "poison": POISON}, "other": {"type": "Recording"}}


def died(rig: Rig, hub: RunningHub, total: int) -> bool:
    """Wait until it has died, or has done all."""

    def over() -> bool:
        if hub.process.poll() is not None:
            return True
        try:
            return len(rig.records.confirmed()) == total and not any(depths(hub).values())
        except HubError:
            return False

    wait_until(over, 30, "the end")
    return hub.process.poll() is not None


def run(rig: Rig, hub_is_ready: bool, total: int, **bus: Any) -> int:
    """Start hubs until one stays alive. Returns how many died."""
    for kills in range(30):
        with rig.hub(hub_is_ready, total=total, **bus) as hub:
            if not died(rig, hub, total):
                return kills
            assert hub.process.returncode == -signal.SIGKILL
    pytest.fail(f"it is still killed: {rig.records.did('killer', 'killed')}")


def check(rig: Rig, poison: list[int]) -> None:
    """The poison is in the dead letters, for this reason, and all else is done."""
    with rig.quiet_hub() as hub:
        drain(hub)
        consistent(hub)
        dead = hub.client.get("/dead/killer")["dead_letters"]
        found = [rig.findings(hub, name, wants()) for name in CONSUMERS]
        assert hub.stop() == 0
    print(*found, sep="; ")
    assert {letter["id"] for letter in dead} == {f"n-{number}" for number in poison}
    assert all(letter["reason"].startswith("killed the hub") for letter in dead)
    assert not any(one.lost or one.unknown for one in found)


def test_after_three_kills_it_is_a_dead_letter(tmp_path: Path) -> None:
    """All were stored before the first one was handled."""
    rig = Rig(tmp_path, CONSUMERS)
    with rig.hub(total=TOTAL, rate=20_000) as hub:
        wait_until(lambda: len(rig.records.confirmed()) == TOTAL, 30, "the confirmations")
        rig.open_gate()
        assert died(rig, hub, TOTAL)
    kills = 1 + run(rig, False, TOTAL)
    assert kills == MAX_KILLS * len(POISON)
    assert rig.records.did("killer", "killed") == dict.fromkeys(POISON, MAX_KILLS)
    check(rig, POISON)
    assert len(rig.records.did("killer", "killed")) == len(POISON)


@pytest.mark.parametrize(("rate", "total"), [(100, 60), (5000, TOTAL)] if FULL else [(100, 60)])
def test_one_that_kills_before_it_is_stored_is_one_too(tmp_path: Path, rate: int, total: int) -> None:
    """On a bus that redelivers what was not confirmed, the same message would come first at every start. It may have
    been stored, and not confirmed, before it comes again: then it is two dead letters."""
    rig = Rig(tmp_path, CONSUMERS)
    rig.open_gate()
    kills = run(rig, False, total, rate=rate, redeliver=True)
    print(f"{kills} kills")
    check(rig, [number for number in POISON if number <= total])
