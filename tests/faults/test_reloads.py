"""Reloads under load: consumers change, come and go; nothing is lost or done twice. A broken file changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import OrderRefused
from tests.faults.rig import Rig, Settings, consistent, drain, wants
from tests.faults.size import sized
from tests.support import wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.faults, pytest.mark.timeout(sized(120, 600))]

RELOADS = sized(20, 100)
ALWAYS: Settings = {"fast": {"type": "Recording"}, "slow": {"type": "Recording", "pause": "1ms", "threads": 2}}


def changed(turn: int) -> Settings:
    """The slow one has more threads, then fewer; a third one is there every other time."""
    slow = {"type": "Recording", "pause": "1ms", "threads": 1 + turn % 3}
    return {**ALWAYS, "slow": slow, **({"guest": {"type": "Recording"}} if turn % 2 else {})}


def reload(hub: RunningHub, text: str) -> None:
    hub.file.write_text(text)
    hub.client.post("/reload")


def test_many_under_load(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ALWAYS)
    with rig.hub(rate=400) as hub:
        for turn in range(RELOADS):
            rig.consumers = changed(turn)
            before = len(rig.records.confirmed())
            reload(hub, rig.configuration(rate=400))
            wait_until(lambda: len(rig.records.confirmed()) > before, 20, "messages to go on")  # noqa: B023 - used at once
        pid, threads = hub.status()["hub"]["pid"], hub.consumer("slow")["threads"]
        with pytest.raises(OrderRefused, match="expected a whole number"):
            reload(hub, "[consumers.slow]\nthreads = 'many'\n")
        assert (hub.status()["hub"]["pid"], hub.consumer("slow")["threads"]) == (pid, threads)
        assert hub.stop() == 0
    rig.consumers = ALWAYS
    with rig.quiet_hub() as hub:
        drain(hub)
        consistent(hub)
        found = [rig.findings(hub, name, wants()) for name in ALWAYS]
    print(*found, sep="\n")
    for one in found:
        assert one.confirmed
        assert (one.lost, one.unknown, one.repeats) == (frozenset(), frozenset(), 0)
