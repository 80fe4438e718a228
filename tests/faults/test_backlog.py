"""A million messages behind, on five queues: little memory, exact depths, a quick answer, a quick start."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest

from tests.faults.rig import Rig, consistent, depths
from tests.faults.size import sized
from tests.support import wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.faults, pytest.mark.timeout(sized(120, 900))]

TOTAL = sized(100_000, 1_000_000)
SLOWEST_STATUS, SLOWEST_START = sized(1000, 50), sized(20, 2)
"""Milliseconds and seconds. The small size runs beside other tests, on shared machines: it finds what stalls."""
QUEUES = [f"q{number}" for number in range(5)]
MOST_GROWTH = 64
"""MiB."""


def memory(hub: RunningHub) -> dict[str, int]:
    """Of its process, in KiB."""
    lines = Path(f"/proc/{hub.process.pid}/status").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {name: int(fields[name].split()[0]) for name in ("VmRSS", "RssAnon", "RssFile")}


def answers(hub: RunningHub) -> float:
    """Milliseconds that a status takes, the median of some."""
    times = []
    for _ in range(11):
        began = time.monotonic()
        hub.status()
        times.append(1000 * (time.monotonic() - began))
    return statistics.median(times)


class Growth:
    """Of a hub's memory, since it was ready."""

    def __init__(self, hub: RunningHub) -> None:
        self._hub = hub
        self._before = memory(hub)
        self.most = 0

    def note(self, when: str) -> None:
        """Print it."""
        grown = {name: (now - self._before[name]) / 1024 for name, now in memory(self._hub).items()}
        self.most = max(self.most, int(grown["VmRSS"]))
        print(f"{when}:", ", ".join(f"{name} {mebibytes:+.1f} MiB" for name, mebibytes in grown.items()))


def test_far_behind(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {name: {"type": "Gated"} for name in QUEUES})
    exact = dict.fromkeys(QUEUES, TOTAL)
    with rig.hub(total=TOTAL, rate=25_000, padding=100) as hub:
        behind = Growth(hub)
        wait_until(lambda: depths(hub) == exact, sized(60, 600), "the backlog")
        wait_until(lambda: sum(b - a for a, b in rig.records.ranges("confirmed")) == TOTAL, 30, "the confirmations")
        behind.note("behind")
        status = answers(hub)
        hub.process.kill()
    began = time.monotonic()
    with rig.hub(total=TOTAL) as hub:
        start = time.monotonic() - began
        print(f"{TOTAL} behind: a status takes {status:.1f} ms, a start {start:.2f} s")
        assert depths(hub) == exact
        consistent(hub)
        catching_up = Growth(hub)
        rig.open_gate()
        wait_until(lambda: min(row["finished"] for row in hub.status()["consumers"].values()) > 30_000, 60, "the work")
        catching_up.note("catching up")
        hub.process.kill()
    assert status < SLOWEST_STATUS
    assert start < SLOWEST_START
    assert max(behind.most, catching_up.most) < MOST_GROWTH
