"""The page of a hub in a cluster: all nodes, and their queues together."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support import PATIENCE, free_port
from tests.system.chromium import Chromium, accessibility_problems
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
HUB = """
[hub]
state_dir = "state"
[backends.bus]
type = "zeromq"
publish_bind = ["tcp://127.0.0.1:{mine}"]
connect = ["tcp://127.0.0.1:{other}"]
[consumers.log]
type = "log"
"""
CLUSTER = """
[clusters.main]
backend = "bus"
node = "{node}"
interval = "1s"
"""


def hub(directory: Path, text: str) -> RunningHub:
    directory.mkdir()
    return RunningHub(directory, text)


def test_it_shows_all_nodes_and_names_one_that_vanishes(tmp_path: Path) -> None:
    mine, other, web = free_port(), free_port(), free_port()
    server = f'[servers.web]\ntype = "web"\nlisten = "127.0.0.1:{web}"\n'
    alpha = hub(tmp_path / "a", HUB.format(mine=mine, other=other) + CLUSTER.format(node="alpha") + server)
    name = "be<b>ta (this hub)"
    beta = hub(tmp_path / "b", HUB.format(mine=other, other=mine) + CLUSTER.format(node=name))
    with alpha, beta, Chromium() as chromium, chromium.page(f"http://127.0.0.1:{web}/#/hub", bypass_csp=True) as page:
        card = page.get_by_role("region", name="Cluster main")
        nodes, queues = (card.get_by_role("table", name=f"{noun} of cluster main") for noun in ("Nodes", "Queues"))
        wait = 20_000 * PATIENCE
        expect(nodes.get_by_role("row").filter(has_text=name)).to_contain_text("running", timeout=wait)
        expect(nodes.get_by_role("row", name=re.compile("^alpha this hub running "))).to_be_visible()
        expect(nodes.get_by_role("row", name=f"{name} another")).to_be_visible()
        expect(queues.get_by_role("row", name=re.compile("^log 2 .* now$"))).to_be_visible(timeout=wait)
        expect(card).to_contain_text("2 nodes present")
        assert accessibility_problems(page) == []
        beta.process.send_signal(signal.SIGKILL)
        expect(nodes.get_by_role("row").filter(has_text=name)).to_contain_text("vanished", timeout=wait)
        expect(card).to_contain_text("1 node present, 1 vanished")
        expect(card.locator('[data-level="bad"]').first).to_be_visible()
        assert accessibility_problems(page) == []
        others = page.get_by_role("region", name="Exporters, servers and other parts")
        expect(others.get_by_role("article").filter(has_text="cluster")).to_have_count(0)
        alpha.file.write_text(HUB.format(mine=mine, other=other) + server)
        alpha.command("reload")
        expect(card).to_have_count(0, timeout=wait)
