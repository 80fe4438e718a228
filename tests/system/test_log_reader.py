"""Whoever reads the log stops reading: a pager, a container's log driver. The hub goes on, and ends when told to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

CONSUMERS = """
import itertools
from hub import Consumer

LETTERS = itertools.product("abcdefghij", repeat=6)

class Talks(Consumer):
    every = 0.05

    def tick(self):
        for letters in itertools.islice(LETTERS, 2000):
            self.log.info("handled " + "".join(letters))
"""
CONFIGURATION = """
[hub]
stop_timeout = "5s"
[consumers.talks]
type = "consumers.py:Talks"
"""


@pytest.fixture
def reader() -> Iterator[int]:
    """Of a pipe that is not read; the hub writes to its other end."""
    out, into = os.pipe()
    os.set_inheritable(into, True)
    yield into
    os.close(out)
    os.close(into)


def test_a_reader_that_stops_holds_up_nobody(tmp_path: Path, reader: int) -> None:
    (tmp_path / "consumers.py").write_text(CONSUMERS)
    with RunningHub(tmp_path, CONFIGURATION, output=reader) as hub:
        wait_until(lambda: hub.status()["hub"]["log_lost"] > 0, 30, "the log to be full")
        hub.client.post("/pause", {"consumer": "talks"})  # an order, which the reactor tells in the log
        hub.client.post("/resume", {"consumer": "talks"})
        before = hub.status()["hub"]["log_lost"]
        wait_until(lambda: hub.status()["hub"]["log_lost"] > before, 30, "the consumer to go on")
        assert hub.stop() == 0
