"""A hub without a file descriptor left: it goes on with what it has, says so once, and recovers by itself."""

from __future__ import annotations

import http.client
import itertools
import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from hub.errors import HubError
from tests.support import PATIENCE, free_port, wait_until
from tests.system.hubs import RunningHub
from tests.system.publishers import CONSUMER, RECORDER, place, publisher, seen

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

CROWD = 20
"""Clients of each kind, more than there is room for."""
MOST_OF_A_PROCESSOR = 0.4
"""For what takes a tenth of it; one that tries again and again takes all of it."""
NONE_LEFT = "no file descriptor is left"


class Busy:
    """A hub with a bus that it connects to, one that connects to it, and the page. :ivar heard: where it is bound."""

    def __init__(self, directory: Path, spoken: str) -> None:
        self.directory = directory
        self.heard, self.port = place(), free_port()
        (directory / "recorder.py").write_text(RECORDER)
        bus = f'[backends.bus]\ntype = "zeromq"\nconnect = ["{spoken}"]\nbind = ["{self.heard}"]\n'
        self.text = f'{bus}[servers.page]\ntype = "web"\nlisten = "127.0.0.1:{self.port}"\n{CONSUMER}'
        self.hub = RunningHub(directory, self.text)

    def processor(self) -> float:
        """Seconds of it that the hub has had."""
        stat = Path(f"/proc/{self.hub.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    @contextmanager
    def starved(self, spare: int = 2) -> Iterator[None]:
        """No room for more descriptors than it has, and so many."""
        pid = self.hub.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        taken = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
        free = (number for number in itertools.count() if number not in taken)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (next(itertools.islice(free, spare, None)), hard))
        try:
            yield
        finally:
            if self.hub.process.poll() is None:
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))

    @contextmanager
    def crowd(self) -> Iterator[None]:
        """Everybody wants to be let in."""
        with ExitStack() as stack:
            for number in range(CROWD):
                page = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), 10 * PATIENCE))
                page.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                control = stack.enter_context(socket.socket(socket.AF_UNIX))
                control.setblocking(False)
                with suppress(BlockingIOError):  # as many wait as may
                    control.connect(str(self.directory / "state" / "hub.sock"))
                stack.enter_context(publisher(f"guest{number}", self.heard, bind=False))
            yield

    def answers(self) -> bool:
        """To a client that was not there before."""
        try:
            return bool(self.hub.status()["hub"]["state"] == "running")
        except HubError:
            return False

    def log_lines(self, text: str) -> int:
        return self.hub.log.count(text)


def scrape(page: http.client.HTTPConnection) -> int:
    page.request("GET", "/metrics")
    answer = page.getresponse()
    answer.read()
    return answer.status


def test_it_goes_on_says_so_once_and_recovers(tmp_path: Path) -> None:
    spoken = place()
    busy = Busy(tmp_path, spoken)
    with publisher("old", spoken) as old, busy.hub as hub:
        old.subscribed()
        page = http.client.HTTPConnection("127.0.0.1", busy.port, timeout=10 * PATIENCE)
        assert scrape(page) == 200
        with old.flooding(10, 0.02), publisher("late", busy.heard, bind=False) as late:
            with busy.starved(), busy.crowd():
                wait_until(lambda: NONE_LEFT in hub.log, 10, "the operator to be told")
                began, before, count = time.monotonic(), busy.processor(), len(seen(tmp_path, "old"))
                wait_until(lambda: len(seen(tmp_path, "old")) > count + 1500, 20, "messages to go on")
                share = (busy.processor() - before) / (time.monotonic() - began)
                assert scrape(page) == 200  # who is in stays in, and is answered
            wait_until(busy.answers, 10, "a status")
            assert scrape(http.client.HTTPConnection("127.0.0.1", busy.port, timeout=10 * PATIENCE)) == 200
            late.subscribed()
            late.send(3)
            wait_until(lambda: seen(tmp_path, "late") == [0, 1, 2], 20, "what the late one says")
        hub.wait_for("recorder", "finished", old.sent + late.sent)
        assert seen(tmp_path, "old") == list(range(old.sent))
        assert hub.command("status").returncode == 0
        assert hub.stop() == 0
    print(f"{share:.0%} of a processor, {busy.log_lines('Too many open files')} lines")
    assert share < MOST_OF_A_PROCESSOR
    assert "Traceback" not in hub.log
    assert (busy.log_lines(NONE_LEFT), busy.log_lines("file descriptors are available again")) == (1, 1)
    assert busy.log_lines("Too many open files") < CROWD


def test_it_stops_in_order_while_there_are_none(tmp_path: Path) -> None:
    """ZeroMQ's thread has much to tell then, and must not be waited for."""
    busy = Busy(tmp_path, place())
    with busy.hub as hub, busy.starved(), busy.crowd():
        wait_until(lambda: "can't be accepted" in hub.log, 10, "connections that can't be accepted")
        assert hub.stop(timeout=20) == 0


def test_a_reload_that_needs_more_than_there_are_is_refused_and_does_not_end_it(tmp_path: Path) -> None:
    busy = Busy(tmp_path, place())
    with busy.hub as hub:
        with busy.starved(spare=6):
            hub.file.write_text(f'{busy.text}[backends.more]\ntype = "zeromq"\nbind = ["{place()}"]\n')
            hub.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "backends.more: it takes up to" in hub.log, 20, "the reload to be refused")
            hub.file.write_text(busy.text.replace('bind = ["', f'bind = ["{place()}", "'))
            hub.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "backends.bus: it takes up to" in hub.log, 20, "the other one, too")
        wait_until(busy.answers, 10, "a status")
        hub.client.post("/reload")
        assert len(hub.status()["backends"]["bus"]["endpoints"]) == 3
        assert hub.stop() == 0
