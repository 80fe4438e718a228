"""One consumer that does not start, beside one that does: the hub is of use, and can be mended while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub

pytestmark = pytest.mark.system

CONSUMERS = """
from pathlib import Path
from hub import Consumer

class Good(Consumer):
    def consume(self, message):
        pass

class Bad(Consumer):
    def start(self):
        if not Path("mended").exists():
            raise RuntimeError("no such database")

    def consume(self, message):
        pass
"""
GOOD = """
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:{port}"]
[consumers.good]
type = "consumers.py:Good"
"""
BAD = """
[consumers.bad]
type = "consumers.py:Bad"
backoff = "100ms"
"""


@pytest.fixture
def good(tmp_path: Path) -> str:
    (tmp_path / "consumers.py").write_text(CONSUMERS)
    return GOOD.format(port=free_port())


def test_the_others_work_and_what_is_wrong_is_told(tmp_path: Path, good: str) -> None:
    with RunningHub(tmp_path, good + BAD) as hub:
        (tmp_path / "messages.jsonl").write_text('{"topic": "a.b", "n": 1}\n' * 10)
        hub.command("feed", "messages.jsonl", "--quiet")
        hub.wait_for("good", "finished", 10)
        status = hub.status()
        assert (status["hub"]["state"], status["hub"]["ready"]) == ("running", False)
        assert status["hub"]["not_ready"] == ["consumer bad is failing to start: RuntimeError: no such database"]
        hub.logs("consumer bad has not started yet")
        assert status["consumers"]["bad"]["backlog"] == 10
        (tmp_path / "mended").touch()
        hub.wait_for("bad", "finished", 10)
        wait_until(lambda: hub.status()["hub"]["ready"], 10, "readiness")
        assert hub.stop() == 0


def test_a_reload_can_take_it_out(tmp_path: Path, good: str) -> None:
    with RunningHub(tmp_path, good + BAD) as hub:
        hub.file.write_text(good)
        assert hub.command("reload").stdout == "consumer bad: removed, its queue is kept\n"
        assert hub.status()["hub"]["ready"]
        assert hub.stop() == 0
