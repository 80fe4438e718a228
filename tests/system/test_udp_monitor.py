"""A real socket gets what a running hub's UDP monitor sends."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.support import PATIENCE, wait_until
from tests.system.behind import hub_behind
from tests.system.lagging import BEHIND

pytestmark = pytest.mark.system


def exporter(port: int, form: str) -> str:
    return f"""
        [exporters.monitor]
        type = "udp-monitor"
        port = {port}
        format = "{form}"
        hostname = "testhost"
        interval = "200ms"
    """


@pytest.fixture
def receiver() -> Any:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        found.settimeout(20 * PATIENCE)
        yield found


@contextmanager
def reading(receiver: socket.socket) -> Iterator[list[bytes]]:
    """All that comes, from the first on: the kernel keeps some hundred datagrams for who does not read."""
    datagrams: list[bytes] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                datagrams.append(receiver.recv(2000))

    receiver.settimeout(0.1)
    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield datagrams
    finally:
        over.set()
        thread.join()


def test_a_monitor_gets_what_is_behind_and_what_the_threads_do(tmp_path: Path, receiver: socket.socket) -> None:
    with hub_behind(tmp_path, exporter(receiver.getsockname()[1], "json"), "monitor") as hub:
        seen: dict[str, Any] = {}

        def arrived() -> bool:
            row = json.loads(receiver.recv(2000))
            seen.update(row if row.get("consumer") == "slow" else {})
            # A row may come in several datagrams.
            return (seen.get("backlog"), seen.get("received")) == (BEHIND, BEHIND)

        wait_until(arrived, 20, "the backlog")
        assert (seen["host"], seen["pid"]) == ("testhost", hub.process.pid)
        assert (seen["received"], seen["finished"], seen["threads"]) == (BEHIND, 0, 1)
        assert [worker["state"] for worker in seen["workers"]] == [
            worker["state"] for worker in hub.consumer("slow")["workers"]
        ]


def test_a_monitor_of_statusnets_queues_gets_as_many_as_were_enqueued(tmp_path: Path, receiver: socket.socket) -> None:
    port = receiver.getsockname()[1]
    with reading(receiver) as datagrams, hub_behind(tmp_path, exporter(port, "statusnet"), "monitor"):

        def arrived() -> list[dict[str, str]]:
            return [dict(parse_qsl(datagram.decode())) for datagram in list(datagrams)]

        def enqueued() -> int:
            return sum(int(row.get("count", 1)) for row in arrived() if row.get("counter") == "enqueued")

        def behind() -> list[int]:
            return [int(row["value"]) for row in arrived() if row.get("gauge") == "backlog"]

        wait_until(lambda: behind()[-1:] == [BEHIND] and enqueued() >= BEHIND, 20, "the backlog")
        assert enqueued() == BEHIND
        assert {row["owners[0]"] for row in arrived() if row.get("counter") == "enqueued"} == {"queue:slow"}
