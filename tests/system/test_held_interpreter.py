"""A consumer that never lets go of Python's interpreter: what ends the hub, and what is told of it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

CONSUMER = """
import time
from pathlib import Path
from hub import Consumer

class Holds(Consumer):
    def consume(self, message):
        if not Path("mended").exists():
            time.sleep(0.5)  # until it is stored
            Path("begun").touch()
            sum(range(10**13))  # one call that holds the interpreter for hours
"""
CONF = """
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:{port}"]
[consumers.holds]
type = "consumers.py:Holds"
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGABRT], ids=["sigterm twice", "the watchdog's"])
def test_it_ends_and_the_next_start_names_the_message(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "consumers.py").write_text(CONSUMER)
    conf = CONF.format(port=free_port())
    with RunningHub(tmp_path, conf) as hub:
        hub.command("publish", "org.example.a", "{}")
        wait_until((tmp_path / "begun").exists, 20, "the message to be in hand")
        hub.process.send_signal(number)
        if number == signal.SIGTERM:
            assert not ended(hub, 0.5)
            hub.process.send_signal(number)
        assert hub.process.wait(20) == -number
        assert ("in consume" in hub.log) == (number == signal.SIGABRT)
    (tmp_path / "mended").touch()
    with RunningHub(tmp_path, conf) as hub:
        assert "of org.example.a was in flight when the hub was killed, 1 of 3 times" in hub.log
        hub.wait_for("holds", "finished", 1)
        assert hub.stop() == 0


def ended(hub: RunningHub, seconds: float) -> bool:
    try:
        hub.process.wait(seconds)
    except Exception:
        return False
    return True
