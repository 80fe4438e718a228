"""What the operations guide says of backups and of the numbers is true of a real hub."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import PATIENCE, ROOT, free_port, require, wait_until
from tests.system.hubs import RunningHub

pytestmark = pytest.mark.system

GUIDE = (ROOT / "docs" / "operations.rst").read_text(encoding="utf-8")


def configuration(more: str = "") -> str:
    return f"""
        [backends.bus]
        type = "zeromq"
        bind = ["tcp://127.0.0.1:{free_port()}"]
        [consumers.slow]
        type = "slow"
        delay = "1ms"
        {more}
    """


def test_every_number_of_the_status_is_in_the_guide(tmp_path: Path) -> None:
    more = f"""
        [exporters.graphite]
        type = "graphite"
        port = {free_port()}
        [servers.web]
        type = "web"
        listen = "127.0.0.1:{free_port()}"
    """
    with RunningHub(tmp_path, configuration(more)) as hub:
        status = hub.status()
    rows = [status["hub"], status["hub"]["store"], status["consumers"]["slow"], status["backends"]["bus"]]
    rows += [status["exporters"]["graphite"], status["servers"]["web"]]
    told = set(re.findall(r"``(\w+)``", GUIDE))
    assert {key for row in rows for key in row} - {"store"} - told == set()


def test_a_copy_made_while_the_hub_runs_can_be_started_from(tmp_path: Path) -> None:
    require(shutil.which("mdb_copy") is not None, "mdb_copy is not installed (lmdb-utils)")
    (command,) = re.findall(r"# (mdb_copy -n) /var/lib/hubbub/log.mdb /var/backups/hubbub/log.mdb", GUIDE)
    first, second = tmp_path / "first", tmp_path / "second"
    (second / "state").mkdir(parents=True)
    first.mkdir()
    with RunningHub(first, configuration()) as hub:
        hub.client.post("/pause", {"consumer": "slow"})
        messages = first / "messages.jsonl"
        messages.write_text("".join(json.dumps({"topic": "a.b", "n": number}) + "\n" for number in range(500)))
        hub.command("feed", str(messages), "--quiet")
        hub.wait_for("slow", "received", 500)
        wait_until(lambda: hub.status()["hub"]["store"]["messages"] == 500, what="the commit")
        copy = [*command.split(), str(first / "state/log.mdb"), str(second / "state/log.mdb")]
        subprocess.run(copy, check=True, timeout=60 * PATIENCE)
        hub.client.post("/resume", {"consumer": "slow"})
        hub.wait_for("slow", "finished", 500)
    with RunningHub(second, configuration()) as hub:
        hub.wait_for("slow", "finished", 500)
        assert hub.consumer("slow")["received"] == 500
