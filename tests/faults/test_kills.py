"""kill -9 at random instants, under load: nothing that was confirmed is lost, and few things are done twice."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from hub.workers.worker import MOST_AT_ONCE
from tests.faults.rig import Rig, Settings, consistent, drain, topics, wants
from tests.faults.size import SEED, sized
from tests.support import PATIENCE

pytestmark = [pytest.mark.faults, pytest.mark.timeout(sized(120, 1800))]

KILLS = sized(12, 200)
RATE = 2000
GROUP = 0.05 * PATIENCE
"""Seconds: what one group commit may hold is what was finished since the last one was begun."""
WANTS = {"fast": (), "slow": (0,), "fickle": (1, 2)}
FINISHED_A_SECOND = {"fast": RATE, "slow": 2 / 0.004, "fickle": RATE / 4}
IN_HAND = {"fast": MOST_AT_ONCE, "slow": 2, "fickle": MOST_AT_ONCE}
"""In all threads: a worker takes as many as it can handle in 5 ms, at most ``MOST_AT_ONCE``."""
CONSUMERS: Settings = {
    "fast": {"type": "Recording", "topics": topics(*WANTS["fast"])},
    "slow": {"type": "Recording", "topics": topics(*WANTS["slow"]), "threads": 2, "pause": "4ms"},
    "fickle": {"type": "Fickle", "topics": topics(*WANTS["fickle"]), "max_attempts": 3, "backoff": "20ms"},
}


def test_nothing_confirmed_is_lost(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    print(f"{KILLS} kills, seed {SEED}")
    rig = Rig(tmp_path, CONSUMERS)
    starts = []
    for kill in range(KILLS):
        recovering = kill % 4 == 3
        began = time.monotonic()
        with rig.hub(ready=not recovering, rate=RATE) as hub:
            starts.append(time.monotonic() - began)
            time.sleep(chance.uniform(0.0, 0.7))
            hub.process.kill()
    with rig.quiet_hub() as hub:
        drain(hub)
        consistent(hub)
        findings = [rig.findings(hub, name, wants(*modulo)) for name, modulo in WANTS.items()]
        assert hub.stop() == 0
    print(f"slowest start {max(starts):.2f} s; offered {len(rig.records.offered())}")
    for found in findings:
        bound = int(KILLS * (IN_HAND[found.queue] + FINISHED_A_SECOND[found.queue] * GROUP))
        print(f"{found}; repeats may be {bound}")
        assert found.confirmed > KILLS
        assert not found.lost, sorted(found.lost)[:20]
        assert not found.unknown, sorted(found.unknown)[:20]
        assert found.repeats <= bound
