"""SIGTERM in backlog, and while the hub starts: it ends in time, with 0, and loses and repeats nothing."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.faults.rig import Rig, Settings, consistent, depths, drain, topics, wants
from tests.faults.size import sized
from tests.support import PATIENCE, wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.faults, pytest.mark.timeout(sized(120, 600))]

STOPS = sized(3, 20)
IN_TIME = sized(15 * PATIENCE, 5)
"""Seconds; more where it runs beside other tests, on machines that others use."""
CONSUMERS: Settings = {
    "fast": {"type": "Recording"},
    "slow": {"type": "Recording", "pause": "4ms", "threads": 2},
    "fickle": {"type": "Fickle", "topics": topics(1, 2), "max_attempts": 3, "backoff": "20ms"},
}
WANTS = {"fast": (), "slow": (), "fickle": (1, 2)}


def stops_in_time(hub: RunningHub) -> None:
    began = time.monotonic()
    assert hub.stop() == 0
    assert time.monotonic() - began < IN_TIME


def nothing_lost(rig: Rig, most_repeats: int = 0) -> None:
    """After a last hub has drained it."""
    with rig.quiet_hub() as hub:
        drain(hub, sized(60, 300))
        consistent(hub)
        found = [rig.findings(hub, name, wants(*modulo)) for name, modulo in WANTS.items()]
        stops_in_time(hub)
    print(*found, sep="\n")
    for one in found:
        assert one.confirmed
        assert not one.lost
        assert not one.unknown
        assert one.repeats <= most_repeats


def test_in_backlog(tmp_path: Path) -> None:
    """The slow one falls behind. What is left, the next hub has, to the message."""
    rig = Rig(tmp_path, CONSUMERS)
    for _ in range(STOPS):
        with rig.hub(rate=1000) as hub:
            done = rig.records.did("slow").total()
            left = len(rig.records.offered()) - done
            wait_until(lambda: depths(hub)["slow"] > left + 200, 30, "a backlog")  # noqa: B023 - used at once
            stops_in_time(hub)
        offered, before = len(rig.records.offered()), rig.records.did("slow").total()
        with rig.quiet_hub() as hub:
            depth = depths(hub)["slow"]
            after = rig.records.did("slow").total()
            assert offered - after - 2 <= depth <= offered - before
            stops_in_time(hub)
    nothing_lost(rig)


def test_twice(tmp_path: Path) -> None:
    """The second signal ends it at once: some things may be done again, nothing is lost."""
    rig = Rig(tmp_path, {**CONSUMERS, "stuck": {"type": "Recording", "pause": "1h"}})
    with rig.hub(rate=1000) as hub:
        hub.wait_for("fast", "finished", 300)
        hub.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopping, within" in hub.log, 10, "the stop")
        time.sleep(0.1)  # a second signal that comes before the first is handled would be the same one
        hub.process.send_signal(signal.SIGTERM)
        assert hub.process.wait(10 * PATIENCE) == -signal.SIGTERM
    rig.consumers = CONSUMERS
    nothing_lost(rig, most_repeats=300)


def test_while_it_starts(tmp_path: Path) -> None:
    """From the moment on at which it has its state directory, over the recovery of a backlog, to READY."""
    rig = Rig(tmp_path, CONSUMERS)
    with rig.hub(rate=2000) as hub:
        hub.wait_for("slow", "backlog", 700)
        hub.process.kill()
    for stop in range(STOPS + 1):
        lock = tmp_path / "state" / "lock"
        lock.write_text("")
        with rig.hub(ready=False, total=0) as hub:
            wait_until(lambda: lock.read_text() == f"{hub.process.pid}\n", 10, "the lock")  # noqa: B023 - used at once
            time.sleep(sized(80, 15) / 1000 * stop)
            stops_in_time(hub)
            assert "internal error" not in hub.log
    nothing_lost(rig, most_repeats=600)


def test_the_lock_is_free_after_each(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"fast": {"type": "Recording"}})
    for _ in range(2):
        with rig.hub() as hub:
            stops_in_time(hub)
