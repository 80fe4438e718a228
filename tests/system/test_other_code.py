"""What a consumer's code does to the process that it shares with the hub: its output, its directory, its threads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support import PATIENCE, free_port, wait_until
from tests.system.hubs import HUBBUB, RunningHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

CONSUMERS = """
import logging.config, os, signal, time
from concurrent.futures import ThreadPoolExecutor
from hub import Consumer

POOL = ThreadPoolExecutor(1, "busy")

class C(Consumer):
    topics = ("t.#",)
    def __init__(self, context):
        super().__init__(context)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
    def start(self):
        logging.config.dictConfig({"version": 1, "root": {"level": "ERROR"}})
        os.chdir("/")
    def consume(self, message):
        print("hello,", message.topic)
        POOL.submit(time.sleep, 1000)
"""
CONFIGURATION = """
[hub]
stop_timeout = "5s"
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:{}"]
[consumers.c]
type = "consumers.py:C"
"""


def test_the_hub_goes_on_telling_is_stopped_and_reloaded_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    (tmp_path / "consumers.py").write_text(CONSUMERS)
    with RunningHub(tmp_path, CONFIGURATION.format(free_port()), arguments=("-c", "hub.conf")) as hub:
        hub.logs("is ready, consumers: c")
        wait_until(lambda: "a library reconfigured Python's logging" in hub.log, 20, "the log to be told")
        hub.logs("SIGTERM was taken by consumers.c (hub.files.")
        hub.command("publish", "t.a", "{}")
        wait_until(lambda: "hello, t.a" in hub.log, 20, "what was printed")
        hub.file.write_text(hub.file.read_text() + "threads = 2\n")
        assert "consumer c: changed (threads)" in hub.command("reload").stdout
        assert hub.stop() == 0
        assert "thread busy_0, in " in hub.log
        assert "keeps the process from ending: it is terminated" in hub.log


def test_a_reader_that_had_enough_has_messages_wait(tmp_path: Path) -> None:
    """``hubbub run | head -1``."""
    configuration = CONFIGURATION.format(free_port()).replace("consumers.py:C", "log")
    with RunningHub(tmp_path, configuration, ready=False) as hub:
        hub.process.kill()
        hub.process.wait()
    with (tmp_path / "hub.log").open("ab") as log:
        command = [str(HUBBUB), "run", "-c", "hub.conf"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=tmp_path)
    assert process.stdout is not None
    process.stdout.close()
    wait_until(lambda: "is ready" in hub.log, 30, "the hub")
    hub.command("publish", "t.a", "{}")
    wait_until(lambda: hub.consumer("c")["retried"] >= 2, 60, "the message to be tried again")
    hub.logs("nobody reads standard output any more")
    assert hub.consumer("c")["backlog"] == 1
    process.terminate()
    assert process.wait(30 * PATIENCE) == 0
