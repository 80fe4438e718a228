"""Consumers from files in a running hub: modules beside them, processes started anew, and reloads without end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import free_port
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

CONSUMER = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from prometheus_client import Counter
from helper import length
from hub import Consumer

POOL = ThreadPoolExecutor(1)
COUNTER = Counter("file_consumer", "a metric of the module")
LARGE = bytes(range(256)) * 80_000

def work(topic):
    return length(topic)

class C(Consumer):
    topics = ("t.#",)
    def start(self):
        context = multiprocessing.get_context("spawn")
        self.processes = ProcessPoolExecutor(1, mp_context=context)
    def consume(self, message):
        POOL.submit(work, message.topic).result(60)
        COUNTER.inc()
        if message.topic == "t.spawn":
            self.processes.submit(work, message.topic).result(60)
    def stop(self):
        POOL.shutdown()
        self.processes.shutdown()
"""
CONFIGURATION = """
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:{}"]
[consumers.c]
type = "consumer.py:C"
max_attempts = 1
"""
RELOADS = 10
MOST_GROWTH = 100 << 20
"""Bytes; the modules of all reloads together have twice that."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    (tmp_path / "consumer.py").write_text(CONSUMER)
    (tmp_path / "helper.py").write_text("def length(text): return len(text)\n")
    with RunningHub(tmp_path, CONFIGURATION.format(free_port())) as running:
        yield running
        assert running.stop() == 0


def handled(hub: RunningHub, topic: str = "t.a") -> None:
    """One more message is."""
    before = hub.consumer("c")["finished"]
    hub.command("publish", topic, "{}")
    hub.wait_for("c", "finished", before + 1)
    assert hub.consumer("c")["dead"] == 0


def test_a_process_that_is_started_anew_can_import_the_file_and_what_is_beside_it(hub: RunningHub) -> None:
    handled(hub, "t.spawn")
    hub.file.with_name("consumer.py").write_text(CONSUMER + "# edited\n")
    assert "changed (its code)" in hub.command("reload").stdout
    handled(hub, "t.spawn")


def test_what_a_consumer_has_closed_is_not_given_to_the_next_one(hub: RunningHub) -> None:
    handled(hub)
    hub.file.write_text(hub.file.read_text() + "threads = 2\n")
    assert "changed (threads)" in hub.command("reload").stdout
    handled(hub)
    file = hub.file.with_name("consumer.py")
    for text in (CONSUMER + "# edited\n", CONSUMER):
        file.write_text(text)
        assert "changed (its code)" in hub.command("reload").stdout
        handled(hub)
    for change in ("enabled = false\n", "enabled = true\n"):
        hub.file.write_text(hub.file.read_text().partition("enabled")[0] + change)
        hub.command("reload")
    handled(hub)
    hub.file.with_name("helper.py").write_text("def length(text): return 7\n")
    assert "changed (its code)" in hub.command("reload").stdout
    handled(hub)


def test_the_modules_of_former_reloads_are_let_go_of(hub: RunningHub) -> None:
    before = hub.status()["hub"]["resident_bytes"]
    for number in range(RELOADS):
        hub.file.with_name("consumer.py").write_text(f"{CONSUMER}# edit {number}\n")
        hub.command("reload")
    assert hub.status()["hub"]["resident_bytes"] - before < MOST_GROWTH
