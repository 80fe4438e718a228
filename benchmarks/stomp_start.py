"""Time from the start of ``hubbub stomp`` to its first message: ``python -m benchmarks.stomp_start``.

Each round starts the process with a new state directory, connects as soon as the port listens, and sends a message to a
queue and receives it, by stomp.py, which is imported before. The hub's bytecode is there, as where pip installed it.
"""

from __future__ import annotations

import argparse
import queue
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple

import stomp

from benchmarks.machine import machine
from benchmarks.processes import bytecode, cpu_seconds, free_port
from benchmarks.systems import HUBBUB
from benchmarks.table import table

TIMEOUT = 60.0
POLL = 0.002
"""Seconds between two attempts to connect."""
QUEUE = "/queue/first"


class Start(NamedTuple):
    """Seconds from the start of the process until its port listens, until the message is back; and its processor
    time."""

    listens: float
    message: float
    processor: float


class _Received(stomp.ConnectionListener):  # type: ignore[misc]  # it has no types
    def __init__(self) -> None:
        self.bodies: queue.SimpleQueue[str] = queue.SimpleQueue()

    def on_message(self, frame: stomp.utils.Frame) -> None:
        self.bodies.put(str(frame.body))


def start(hubbub: Path, environment: dict[str, str]) -> Start:
    """Start a server once, and end it."""
    with tempfile.TemporaryDirectory(prefix="hubbub-bench-") as directory:
        port, log = free_port(), Path(directory, "log")
        command = [str(hubbub), "stomp", "--listen", f"127.0.0.1:{port}", "--state-dir", f"{directory}/state"]
        with log.open("wb") as output:
            began = time.perf_counter()
            process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        try:
            _wait_for(port, process, log)
            listens = time.perf_counter() - began
            _pass_a_message(port)
            return Start(listens, time.perf_counter() - began, cpu_seconds([process.pid]))
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + TIMEOUT
    while True:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"hubbub stomp did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(POLL)


def _pass_a_message(port: int) -> None:
    client, received = stomp.Connection12([("127.0.0.1", port)]), _Received()
    client.set_listener("", received)
    client.connect(wait=True)
    client.subscribe(QUEUE, id="1", ack="auto")
    client.send(QUEUE, "hello")
    body = received.bodies.get(timeout=TIMEOUT)
    if body != "hello":
        raise RuntimeError(f"received {body!r}")
    client.disconnect()


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stomp_start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="starts to measure (15)")
    parser.add_argument("--hubbub", type=Path, default=HUBBUB, help="the command (that of this environment)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hubbub-bench-") as directory:
        environment = bytecode(Path(directory))
        start(given.hubbub, environment)  # writes the bytecode
        starts = [start(given.hubbub, environment) for _ in range(given.rounds)]
    print(machine())
    columns = {
        "port listens": [one.listens for one in starts],
        "first message is back": [one.message for one in starts],
        "processor time": [one.processor for one in starts],
    }
    rows = [
        [name, *(f"{value * 1000:,.0f}" for value in (median(values), min(values), max(values)))]
        for name, values in columns.items()
    ]
    print(table(["ms from the start of the process", "median", "least", "most"], rows))


if __name__ == "__main__":
    main()
