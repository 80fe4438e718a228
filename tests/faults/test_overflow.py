"""What a full queue does with ``overflow = "auto"`` goes by the buses that are there now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.rig import Rig
from tests.support import wait_until

pytestmark = pytest.mark.faults

OTHER = '\n[backends.other]\ntype = "zeromq"\nbind = ["tcp://127.0.0.1:*"]\n'


def test_a_reload_that_adds_or_removes_a_bus_that_drops_what_is_not_read(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"closed": {"type": "Gated", "max_backlog": 100}})
    with rig.hub(rate=1000) as hub:
        wait_until(lambda: hub.status()["hub"]["held_back"], 20, "the bus to be held back: it keeps what is not read")
        hub.file.write_text(rig.configuration(rate=1000) + OTHER)
        hub.client.post("/reload")
        wait_until(lambda: hub.consumer("closed")["dropped"] > 0, 20, "the newest to be dropped, and counted")
        assert not hub.status()["hub"]["held_back"]
        hub.file.write_text(rig.configuration(rate=1000))
        hub.client.post("/reload")
        wait_until(lambda: hub.status()["hub"]["held_back"], 20, "the bus to be held back again")
