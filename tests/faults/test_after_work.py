"""A bus that is told after the work, and queues in memory: neither a kill nor a stop costs a message."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults.rig import Rig, Settings, drain, topics, wants
from tests.faults.size import SEED, sized
from tests.support import wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.faults, pytest.mark.timeout(sized(120, 1200))]

KILLS = sized(6, 60)
STOPS = sized(3, 20)
PREFETCH = 300
BUS: dict[str, Any] = {"confirm": "settled", "redeliver": True, "prefetch": PREFETCH, "rate": 2000}
WANTS = {"fast": (), "slow": (0, 4), "fickle": (1, 2), "kept": (3,), "sender": (5, 6)}
CONSUMERS: Settings = {
    "fast": {"type": "Recording", "durable": False},
    "slow": {"type": "Recording", "durable": False, "topics": topics(0, 4), "threads": 2, "pause": "4ms"},
    "fickle": {
        "type": "Fickle", "durable": False, "topics": topics(1, 2), "max_attempts": 3, "backoff": "20ms", "threads": 3,
    },
    "kept": {"type": "Recording", "topics": topics(3)},
    "sender": {"type": "Publishing", "durable": False, "topics": topics(5, 6)},
}  # fmt: skip


def dead(name: str, number: int) -> bool:
    """What ``Fickle`` and ``Publishing`` never do."""
    if name == "fickle":
        return number % 50 == 1 or number % 70 == 2
    return name == "sender" and number % 20 == 6


def unfinished(rig: Rig) -> set[int]:
    """Numbers that were offered, and that some consumer has neither done nor buried."""
    left: set[int] = set()
    for name, modulo in WANTS.items():
        wanted = {number for number in rig.records.offered() if wants(*modulo)(number)}
        done = rig.records.did(name).keys()
        left |= {number for number in wanted - done if not dead(name, number)}
    return left


def unsent(rig: Rig) -> set[int]:
    """Numbers for which ``Publishing`` should send a message out that the bus has not got."""
    wanted = {number for number in rig.records.offered() if wants(6)(number) and not dead("sender", number)}
    return wanted - rig.records.published().keys()


def surely(numbers: set[int]) -> set[int]:
    """Those that no consumer buries: whether others were buried before the hub ended, no record tells."""
    buried = [(name, wants(*modulo)) for name, modulo in WANTS.items()]
    return {number for number in numbers if not any(wanted(number) and dead(name, number) for name, wanted in buried)}


def nothing_was_told_early(rig: Rig, outbox: bool = False) -> None:
    """:param outbox: what was published is in the hub's outbox until it is sent: the last hub sends it."""
    early = rig.records.confirmed() & (unfinished(rig) | (set() if outbox else unsent(rig)))
    assert not early, sorted(early)[:20]


def all_is_told_in_the_end(rig: Rig) -> None:
    """The bus offers no more; a last hub does, and tells, what was not told before."""
    last = max(rig.records.offered())
    with rig.hub(**{**BUS, "total": last}) as hub:
        everything = set(range(1, last + 1))
        wait_until(lambda: rig.records.confirmed() == everything, sized(60, 300), "the confirmations")
        drain(hub)
        assert hub.status()["backends"]["bus"]["unconfirmed"] == 0
        assert hub.stop() == 0
    assert unfinished(rig) == unsent(rig) == set()


def confirmed(hub: RunningHub) -> int:
    return int(hub.status()["backends"]["bus"]["confirmed"])


@pytest.mark.parametrize("durable", [False, True])
def test_after_a_kill_whatever_is_not_finished_was_not_told(tmp_path: Path, durable: bool) -> None:
    """Nor is anything lost that the consumer had published, whether its queue is in memory or on the disk."""
    chance = random.Random(SEED)
    print(f"{KILLS} kills, seed {SEED}")
    rig = Rig(tmp_path, {**CONSUMERS, "sender": {**CONSUMERS["sender"], "durable": durable}})
    for _ in range(KILLS):
        told = len(rig.records.confirmed())
        with rig.hub(**BUS) as hub:
            wait_until(lambda: len(rig.records.confirmed()) > told, 30, "a confirmation")  # noqa: B023 - used at once
            time.sleep(chance.uniform(0.0, 0.5))
            hub.process.kill()
            hub.process.wait()
        nothing_was_told_early(rig, outbox=durable)
        in_hub = rig.records.offered() - rig.records.confirmed()
        assert len(in_hub) <= PREFETCH
    all_is_told_in_the_end(rig)


def test_a_stop_tells_what_is_finished_and_leaves_the_rest(tmp_path: Path) -> None:
    rig = Rig(tmp_path, CONSUMERS)
    left = 0
    for _ in range(STOPS):
        with rig.hub(**BUS) as hub:
            wait_until(lambda: confirmed(hub) > 200, 30, "confirmations")
            assert hub.stop() == 0
        untold = rig.records.offered() - rig.records.confirmed()
        nothing_was_told_early(rig)
        assert surely(untold) == surely(unfinished(rig) | unsent(rig))
        left += len(untold)
    assert left
    all_is_told_in_the_end(rig)


def test_a_reload_that_replaces_the_backend_leaves_nothing_untold(tmp_path: Path) -> None:
    rig = Rig(tmp_path, CONSUMERS)
    with rig.hub(**BUS) as hub:
        for number in range(STOPS):
            at_least = len(rig.records.confirmed()) + 100
            wait_until(lambda: len(rig.records.confirmed()) > at_least, 30, "confirmations")  # noqa: B023 - used at once
            hub.file.write_text(rig.configuration(**{**BUS, "prefetch": PREFETCH + 1 + number}))
            hub.command("reload")
            nothing_was_told_early(rig)
        assert hub.stop() == 0
    all_is_told_in_the_end(rig)
