"""A consumer that never lets go of Python's interpreter: what ends the hub, and what is told of it."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.support import PATIENCE, free_port, wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

CONSUMER = """
import time
from pathlib import Path
from hub import Consumer

class Holds(Consumer):
    def consume(self, message):
        if not Path("mended").exists():
            Path("begun").touch()
            while not Path("stored").exists():
                time.sleep(0.01)
            Path("held").touch()
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
        wait_until(lambda: hub.status()["hub"]["store"]["messages"], 20, "the message to be on the disk")
        (tmp_path / "stored").touch()
        wait_until((tmp_path / "held").exists, 20, "the interpreter to be held")
        hub.process.send_signal(number)
        if number == signal.SIGTERM:
            wait_until(lambda: not pending(hub.process.pid, number), 20, "the first signal to be taken")
            assert not ended(hub, 0.5)
            hub.process.send_signal(number)
        assert hub.process.wait(20 * PATIENCE) == -number
        assert ("in consume" in hub.log) == (number == signal.SIGABRT)
    (tmp_path / "mended").touch()
    with RunningHub(tmp_path, conf) as hub:
        hub.logs("of org.example.a was in flight when the hub was killed, 1 of 3 times")
        hub.wait_for("holds", "finished", 1)
        assert hub.stop() == 0


def pending(pid: int, number: signal.Signals) -> bool:
    """Whether a second one would be the same as the first, which no thread has been given yet."""
    masks = re.findall(r"^(?:SigPnd|ShdPnd):\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.M)
    return any(int(mask, 16) & 1 << number - 1 for mask in masks)


def ended(hub: RunningHub, seconds: float) -> bool:
    try:
        hub.process.wait(seconds)
    except Exception:
        return False
    return True
