"""What a consumer sends out while it handles a message is sent if, and only if, that message is finished."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.faults.rig import Rig, Settings, consistent, drain, wants
from tests.faults.size import SEED, sized
from tests.support import PATIENCE, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(sized(120, 900))]

KILLS = sized(4, 100)
CONSUMERS: Settings = {"publishing": {"type": "Publishing", "threads": 2, "max_attempts": 3, "backoff": "20ms"}}


def is_sent(number: int) -> bool:
    """True if it is to be sent out when it is finished: the others are rejected."""
    return number % 2 == 0 and number % 20 != 6


def drained(rig: Rig) -> int:
    """Let a last hub finish it all. Returns how many were sent twice."""
    with rig.quiet_hub() as hub:
        drain(hub)
        consistent(hub)
        found = rig.findings(hub, "publishing", wants())
        assert hub.stop() == 0
    sent, done = rig.records.published(), rig.records.did("publishing")
    print(f"{found}; {sent.total()} sent out, {sent.total() - len(sent)} again")
    assert not found.lost
    assert done.keys() > {2, 4}
    assert sent.keys() <= {number for number in done if is_sent(number)}
    assert sent.keys() >= {number for number in rig.records.confirmed() if is_sent(number)}
    return sent.total() - len(sent)


def test_once_where_nothing_happens(tmp_path: Path) -> None:
    rig = Rig(tmp_path, CONSUMERS)
    for _ in range(2):
        with rig.hub(rate=1000) as hub:
            hub.wait_for("publishing", "finished", 500)
            assert hub.stop() == 0
    assert drained(rig) == 0


def test_at_least_once_where_the_hub_is_killed(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    rig = Rig(tmp_path, CONSUMERS)
    for _ in range(KILLS):
        with rig.hub(rate=1000) as hub:
            time.sleep(chance.uniform(0.0, 0.6))
            hub.process.kill()
    again = drained(rig)
    assert again <= KILLS * 100 * PATIENCE, "of one group commit"


def test_not_before_the_bus_is_there(tmp_path: Path) -> None:
    """Consumers go on with what they have while a backend takes its time to start: its messages wait for it."""
    rig = Rig(tmp_path, {"publishing": {"type": "PublishingGated"}})
    with rig.hub(rate=5000, total=1000) as hub:
        wait_until(lambda: len(rig.records.confirmed()) == 1000, 20, "the confirmations")
        hub.process.kill()
    rig.open_gate()
    with rig.hub(total=0, slow_start="500ms") as hub:
        hub.wait_for("publishing", "finished", 900)
        hub.process.kill()
    assert drained(rig) <= 1000
