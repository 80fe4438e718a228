"""Flood of messages to a slow consumer: measures the hub's memory, and checks that every loss is counted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import free_port, resident_bytes
from benchmarks.systems import HERE
from hub.control.client import Client
from hub.errors import Unavailable

COUNT = 400_000
SIZE = 475


@dataclass(frozen=True)
class Flood:
    """Result of a flood: messages sent, resident bytes before and at most, and the consumer's counts at the end."""

    sent: int
    before: int
    peak: int
    backlog: int
    dropped: int
    received: int

    @property
    def accounted(self) -> bool:
        """True if every message is counted."""
        return self.received == self.sent and self.backlog + self.dropped <= self.sent


def flood() -> Flood:
    """Send ``COUNT`` messages to a hub whose one consumer takes a minute for each."""
    with tempfile.TemporaryDirectory(prefix="hubbub-bench-") as name:
        endpoint = f"tcp://127.0.0.1:{free_port()}"
        file = Path(name) / "hub.conf"
        file.write_text(
            f'[backends.bus]\ntype = "zeromq"\nconnect = ["{endpoint}"]\n'
            '[consumers.slow]\ntype = "slow"\ndelay = "60s"\n[hub]\nstop_timeout = "1s"\n'
        )
        command = [str(Path(sys.executable).with_name("hubbub")), "run", "-c", str(file)]
        with (Path(name) / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as hub:
            try:
                return _flooded(hub.pid, endpoint, Client(Path(name) / "state" / "hub.sock"))
            finally:
                hub.send_signal(signal.SIGKILL)


def _flooded(pid: int, endpoint: str, client: Client) -> Flood:
    publishing = [sys.executable, str(HERE / "publisher.py"), endpoint, str(COUNT), str(SIZE), "0"]
    environment = {**os.environ, "HUBBUB_BENCH": json.dumps({})}
    with subprocess.Popen(
        publishing, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment
    ) as publisher:
        assert publisher.stdin is not None
        assert publisher.stdout is not None
        publisher.stdout.readline()
        time.sleep(1.0)
        before = peak = resident_bytes(pid)
        publisher.stdin.write("go\n")
        deadline = time.monotonic() + 120
        row: dict[str, Any] = {"received": 0}
        while row["received"] < COUNT and time.monotonic() < deadline:
            peak = max(peak, resident_bytes(pid))
            time.sleep(0.05)
            row = _slow(client)
        publisher.kill()
    return Flood(COUNT, before, peak, row["backlog"], row["dropped"], row["received"])


def _slow(client: Client) -> dict[str, Any]:
    try:
        row: dict[str, Any] = client.get("/status")["consumers"]["slow"]
    except Unavailable:
        return {"received": 0}
    return row
