"""A real carbon gets the hub's numbers, and keeps them in its files."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import wait_until
from tests.system.behind import hub_behind
from tests.system.carbon import Carbon
from tests.system.lagging import BEHIND

pytestmark = pytest.mark.system

CONSUMER = "hubbub.test.consumers.slow"


def exporter(port: int, protocol: str) -> str:
    return f"""
        [exporters.graphite]
        type = "graphite"
        port = {port}
        protocol = "{protocol}"
        prefix = "hubbub.test"
        interval = "500ms"
    """


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_carbon_keeps_what_is_behind_and_what_was_received(tmp_path: Path, protocol: str) -> None:
    with (
        Carbon(tmp_path / "carbon") as carbon,
        hub_behind(tmp_path, exporter(carbon.port, protocol), "graphite") as hub,
    ):
        backlog = f"{CONSUMER}.backlog"
        wait_until(lambda: carbon.values(backlog)[-1:] == [BEHIND], 20, lambda: f"the backlog; {carbon.log}")
        wait_until(lambda: carbon.values(f"{CONSUMER}.received")[-1:] == [BEHIND], 20, "the received")
        wait_until(lambda: carbon.values(f"{CONSUMER}.finished")[-1:] == [0], 20, "the finished")
        assert hub.status()["exporters"]["graphite"]["failed"] == 0
        assert "invalid" not in carbon.log.lower()


def test_after_a_restart_of_carbon_the_numbers_come_again_by_tcp(tmp_path: Path) -> None:
    carbon = Carbon(tmp_path / "carbon")
    with ExitStack() as first:
        first.enter_context(carbon)
        with hub_behind(tmp_path, exporter(carbon.port, "tcp"), "graphite") as hub:
            first.close()
            wait_until(lambda: hub.status()["exporters"]["graphite"]["failed"] > 0, 20, "a failed export")
            restarted = time.time()
            with carbon:
                backlog = f"{CONSUMER}.backlog"
                wait_until(lambda: BEHIND in carbon.values(backlog, restarted), 20, "the backlog, again")
                wait_until(
                    lambda: hub.status()["exporters"]["graphite"]["last_error"] is None, 20, "success to be told"
                )
