"""Consumers that fork: the hub's lock, ports, sockets and signals are its own, and a child is no second worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hub.errors import HubError
from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

CONSUMERS = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from hub import Consumer

FORK = multiprocessing.get_context("fork")

class Pool(Consumer):
    topics = ("t.pool",)
    def start(self):
        self.pool = ProcessPoolExecutor(2, mp_context=FORK)
    def consume(self, message):
        self.pool.submit(len, message.topic).result(30)

class Limit(Consumer):
    topics = ("t.limit",)
    def consume(self, message):
        child = FORK.Process(target=time.sleep, args=(1000,))
        child.start()
        child.terminate()
        child.join()

class Forks(Consumer):
    topics = ("t.forks.*",)
    def consume(self, message):
        with open("handled", "a") as file:
            file.write(f"{os.getpid()} {message.topic}\\n")
        child = os.fork()
        if child == 0:
            {"exit": sys.exit, "fail": lambda: 1 / 0, "return": lambda: None}[message.topic.split(".")[2]]()
            return
        with open("ended", "a") as file:
            file.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\\n")
"""
CONFIGURATION = """
[hub]
stop_timeout = "5s"
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:{bus}"]
[consumers.pool]
type = "consumers.py:Pool"
[consumers.limit]
type = "consumers.py:Limit"
[consumers.forks]
type = "consumers.py:Forks"
[servers.web]
type = "web"
listen = "127.0.0.1:{web}"
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    (tmp_path / "consumers.py").write_text(CONSUMERS)
    with RunningHub(tmp_path, CONFIGURATION.format(bus=free_port(), web=free_port())) as running:
        yield running


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended meanwhile
            found += [int(child) for child in task.read_text().split()]
    return found


def test_children_that_outlive_a_killed_hub_keep_no_other_from_starting(tmp_path: Path, hub: RunningHub) -> None:
    hub.command("publish", "t.pool", "{}")
    hub.wait_for("pool", "finished", 1)
    orphans = children(hub.process.pid)
    assert len(orphans) >= 1
    try:
        hub.process.kill()
        hub.process.wait()
        with pytest.raises(HubError, match="no hub is running"):
            hub.client.get("/status")
        with RunningHub(tmp_path, hub.file.read_text()) as again:
            assert all(Path(f"/proc/{orphan}").exists() for orphan in orphans)
            again.command("publish", "t.pool", "{}")
            again.wait_for("pool", "finished", 2)
            assert again.stop() == 0
    finally:
        for orphan in orphans:
            os.kill(orphan, signal.SIGKILL)


def test_a_child_can_be_terminated_and_the_hub_stops(hub: RunningHub) -> None:
    hub.command("publish", "t.limit", "{}")
    hub.wait_for("limit", "finished", 1)
    assert hub.stop() == 0


def test_a_child_that_comes_back_is_no_second_worker(tmp_path: Path, hub: RunningHub) -> None:
    ways = ("exit", "fail", "return")
    for way in ways:
        hub.command("publish", f"t.forks.{way}", "{}")
    hub.wait_for("forks", "finished", len(ways))
    handled = (tmp_path / "handled").read_text().splitlines()
    assert sorted(handled) == sorted(f"{hub.process.pid} t.forks.{way}" for way in ways)
    assert sorted((tmp_path / "ended").read_text().split()) == ["0", "0", "1"]
    wait_until(lambda: "a child process that was forked from the hub failed" in hub.log, 20, "the child's line")
    assert children(hub.process.pid) == []
    assert hub.stop() == 0
