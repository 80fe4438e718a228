"""``hubbub reload`` and all that is not a bus: exporters, servers, levels, consumers; and files that can't be used."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import PATIENCE, free_port, wait_until
from tests.system.hubs import RunningHub
from tests.system.web_client import WebClient

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

CONSUMERS = """
import time
from hub import Consumer, Settings, setting
from hub.errors import ConfigError

class Slow(Consumer):
    class Config(Settings):
        delay: float = setting(0.0, "Seconds.")
        no_start: bool = setting(False, "Whether start() fails.")

    def __init__(self, context):
        super().__init__(context)
        if self.config.delay > 3600:
            raise ConfigError(["too slow", "far too slow"])

    def start(self):
        if self.config.no_start:
            raise RuntimeError("no such table")

    def consume(self, message):
        self.log.debug("I begin")
        time.sleep(self.config.delay)
        self.log.debug("I have done")
"""
BACKENDS = '[backends.bus]\ntype = "zeromq"\nbind = ["tcp://127.0.0.1:{port}"]\n'


class Reloads:
    """A running hub, and its configuration but for what a test adds."""

    def __init__(self, hub: RunningHub, always: str) -> None:
        self.hub = hub
        self._always = always

    def reload(self, more: str, code: int = 0) -> list[str]:
        """With this in the file too; what the command prints, on either channel."""
        self.hub.file.write_text(self._always + more)
        done = self.hub.command("reload", check=False)
        assert done.returncode == code, done.stderr
        return (done.stdout + done.stderr).splitlines()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Reloads]:
    (tmp_path / "consumers.py").write_text(CONSUMERS)
    always = BACKENDS.format(port=free_port())
    with RunningHub(tmp_path, always) as hub:
        yield Reloads(hub, always)


@pytest.fixture
def receivers() -> Iterator[list[socket.socket]]:
    found = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for one in found:
        one.bind(("127.0.0.1", 0))
        one.setblocking(False)
    yield found
    for one in found:
        one.close()


def monitor(receiver: socket.socket, name: str = "monitor") -> str:
    port = receiver.getsockname()[1]
    return (
        f'[exporters.{name}]\ntype = "udp-monitor"\nport = {port}\ninterval = "100ms"\n[consumers.c]\ntype = "slow"\n'
    )


def heard(receiver: socket.socket) -> list[Any]:
    """All that has come."""
    rows: list[Any] = []
    while True:
        try:
            rows.append(json.loads(receiver.recv(65_536)))
        except BlockingIOError:
            return rows


def test_exporters_are_added_changed_and_removed(running: Reloads, receivers: list[socket.socket]) -> None:
    one, two = receivers
    assert running.reload(monitor(one)) == ["consumer c: added", "exporter monitor: added"]
    wait_until(lambda: heard(one), 20, "numbers")
    assert running.reload(monitor(two)) == ["exporter monitor: changed (port)"]
    heard(one)
    wait_until(lambda: heard(two), 20, "numbers at the other port")
    assert heard(one) == []
    assert running.reload(monitor(two, "other")) == ["exporter other: added", "exporter monitor: removed"]
    assert list(running.hub.status()["exporters"]) == ["other"]
    assert running.reload("") == ["consumer c: removed, its queue is kept", "exporter other: removed"]
    heard(two)
    assert running.reload("") == ["no changes"]
    assert heard(two) == []


def test_levels_of_the_log_take_effect(running: Reloads) -> None:
    slow = '[consumers.c]\ntype = "consumers.py:Slow"\n'
    running.reload(slow)

    def published() -> str:
        """The log, once one more message is consumed."""
        before = running.hub.consumer("c")["finished"]
        running.hub.command("publish", "org.example.a", "{}")
        running.hub.wait_for("c", "finished", before + 1)
        return running.hub.log

    assert "I have done" not in published()
    assert running.reload('[hub]\nlog_level = "debug"\n' + slow) == ["hub.log_level: changed"]
    published()
    running.hub.logs("I have done")
    assert running.reload('[hub]\nlog_level = "error"\n' + slow) == ["hub.log_level: changed"]
    before = len(running.hub.log)
    published()
    assert running.reload(slow) == ["hub.log_level: changed"]
    wait_until(lambda: "reload: hub.log_level: changed" in running.hub.log[before:], 20, "the line of the reload")
    assert running.hub.log[before:].count("reload: hub.log_level: changed") == 1
    assert "I begin" not in running.hub.log[before:]


def test_servers_are_added_changed_and_removed(running: Reloads) -> None:
    ports = [free_port(), free_port()]

    def web(port: int) -> str:
        return f'[servers.web]\ntype = "web"\nlisten = "127.0.0.1:{port}"\n'

    assert running.reload(web(ports[0])) == ["server web: added"]
    assert WebClient(ports[0]).ask("GET", "/readyz").code == 200
    assert running.reload(web(ports[1])) == ["server web: changed (listen)"]
    assert WebClient(ports[1]).ask("GET", "/readyz").code == 200
    with socket.create_server(("127.0.0.1", ports[0])):
        (line,) = running.reload(web(ports[0]), code=69)
        assert line.startswith("hubbub: servers.web: listen: can't listen")
        assert line.endswith("it keeps its old settings")
        assert WebClient(ports[1]).ask("GET", "/readyz").code == 200
    assert running.reload(web(ports[0])) == ["server web: changed (listen)"]
    assert WebClient(ports[0]).ask("GET", "/readyz").code == 200
    assert running.reload("") == ["server web: removed"]
    with socket.create_server(("127.0.0.1", ports[0])):
        assert running.hub.status()["servers"] == {}


def test_a_consumer_that_does_not_start_is_told_of(running: Reloads) -> None:
    fails = '[consumers.nostart]\ntype = "consumers.py:Slow"\nno_start = true\n'
    why = "hubbub: consumers.nostart: does not start: RuntimeError: no such table; it is tried again"
    assert running.reload(fails, code=69) == ["consumer nostart: added", why]
    row = running.hub.consumer("nostart")
    assert (row["state"], running.hub.status()["hub"]["ready"]) == ("failing to start", False)
    assert running.reload(fails.replace("true", "false")) == ["consumer nostart: changed (no_start)"]
    assert running.hub.consumer("nostart")["state"] == "running"
    assert running.reload(fails, code=69) == ["consumer nostart: changed (no_start)", why]


def test_a_reload_waits_for_the_message_in_hand(running: Reloads) -> None:
    def slow(delay: float) -> str:
        return f'[consumers.c]\ntype = "consumers.py:Slow"\ndelay = {delay}\n'

    def taken() -> bool:
        row = running.hub.consumer("c")
        return bool(row["in_flight"] + row["finished"])  # on a busy machine, it has done already

    running.reload(slow(2.0))
    running.hub.command("publish", "org.example.a", "{}")
    wait_until(taken, 20, "the message to be in hand")
    assert running.reload(slow(0.0)) == ["consumer c: changed (delay)"]
    row = running.hub.consumer("c")
    assert (row["finished"], row["backlog"], row["state"]) == (1, 0, "running")
    assert running.hub.status()["hub"]["state"] == "running"


def test_a_message_that_hangs_does_not_halt_its_consumer(running: Reloads) -> None:
    def consumer(delay: float) -> str:
        return f'[hub]\nstop_timeout = "1m"\n[consumers.c]\ntype = "consumers.py:Slow"\ndelay = {delay}\n'

    running.reload(consumer(3600.0))
    running.hub.command("publish", "org.example.a", "{}")
    running.hub.wait_for("c", "in_flight", 1)
    begun = time.monotonic()
    assert running.reload(consumer(0.0)) == ["consumer c: changed (delay)"]
    assert time.monotonic() - begun < 30 * PATIENCE
    running.hub.command("publish", "org.example.a", "{}")
    running.hub.wait_for("c", "finished", 1)
    assert running.hub.consumer("c")["in_flight"] == 1
    running.hub.logs("continues with new threads")
    running.hub.process.kill()


def test_what_takes_a_restart_is_said_each_time(running: Reloads) -> None:
    settings, kept = '[hub]\nkeep = "1h"\nmax_disk = "1GiB"\n', "hub.keep: changed, which takes a restart"
    assert running.reload(settings) == [kept, "hub.max_disk: changed"]
    assert running.reload(settings) == [kept]
    assert running.reload("") == ["hub.max_disk: changed"]


def test_a_broken_file_changes_nothing_and_all_that_is_wrong_is_said(running: Reloads) -> None:
    good = '[consumers.c]\ntype = "slow"\n'
    running.reload(good)
    before = running.hub.status()
    broken = (
        '[hub]\nlog_level = "loud"\n[consumers.c]\ntype = "slow"\nthreads = "many"\n[exporters.x]\ntype = "nothing"\n'
    )
    lines = running.reload(broken, code=78)
    assert [text.partition(": ")[2].partition(":")[0].rpartition("/")[2] for text in lines] == ["hub.conf"] * 3
    for word in ("hub.log_level", "consumers.c.threads", "exporters.x.type"):
        assert sum(word in line for line in lines) == 1
    running.hub.process.send_signal(signal.SIGHUP)
    wait_until(lambda: running.hub.log.count("reload refused: ") == 3, 20, "all three in the log")
    after = running.hub.status()
    for section in ("backends", "consumers", "exporters", "servers"):
        assert list(after[section]) == list(before[section])
    assert after["consumers"]["c"]["threads"] == before["consumers"]["c"]["threads"]
    assert running.reload(good) == ["no changes"]


def test_what_only_its_own_class_refuses_is_said_too_and_changes_nothing(running: Reloads) -> None:
    slow = '[consumers.{}]\ntype = "consumers.py:Slow"\ndelay = 3601\n'
    lines = running.reload(slow.format("a") + slow.format("b") + '[consumers.fine]\ntype = "slow"\n', code=78)
    assert lines == [f"hubbub: consumers.{name}: {text}" for name in "ab" for text in ("too slow", "far too slow")]
    status = running.hub.status()
    assert (status["consumers"], status["hub"]["state"]) == ({}, "running")


def test_a_bound_of_the_store_that_is_taken_away_bounds_no_more(running: Reloads) -> None:
    consumer = '[consumers.c]\ntype = "slow"\ndelay = 0\n'
    running.reload('[hub]\nmax_disk = "1KiB"\n' + consumer)
    running.hub.command("publish", "org.example.a", "x" * 5000)
    wait_until(lambda: running.hub.status()["hub"]["store"]["squeezed"], 20, "the store to be too large")
    why = "the store is larger than max_disk: the queues are full"
    assert any(reason.startswith(why) for reason in running.hub.status()["hub"]["not_ready"])
    running.reload(consumer)
    wait_until(lambda: why not in "".join(running.hub.status()["hub"]["not_ready"]), 20, "room")
    before = running.hub.consumer("c")
    running.hub.command("publish", "org.example.a", "{}")
    running.hub.wait_for("c", "finished", before["finished"] + 1)
    assert running.hub.consumer("c")["dropped"] == before["dropped"]
