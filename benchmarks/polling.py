"""Cost of monitoring a hub: status, web page and ``/metrics``, each read every second.

``python -m benchmarks.polling``. One hub under constant load is monitored and not monitored in turns, so that changes
of the machine's speed affect both alike. As that is exact to some percent only, the processor time of a monitored
idle hub is measured, too.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import mean, stdev

from benchmarks.processes import cpu_seconds, free_port
from benchmarks.systems import HERE, Run, command, environment
from benchmarks.table import table
from hub.control.client import Client
from hub.errors import HubError

CONSUMERS = (1, 4, 16)
SIZE = 475
WINDOW = 4.0
"""Seconds of a window, monitored or not."""
IDLE = 15.0
"""Seconds for which an idle hub is measured."""


class Watcher:
    """Readers of one hub: of the status on its socket, of ``/metrics``, and an open page."""

    def __init__(self, directory: Path, port: int) -> None:
        self._client = Client(directory / "state" / "hub.sock", timeout=10)
        self._port = port
        self._over = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._poll, self._listen)]
        self.polls = 0

    def __enter__(self) -> Watcher:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(10)

    def _poll(self) -> None:
        while not self._over.wait(1.0):
            with suppress(OSError, HubError, HTTPException):
                self._client.get("/status")
                connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
                connection.request("GET", "/metrics")
                connection.getresponse().read()
                connection.close()
                self.polls += 1

    def _listen(self) -> None:
        while not self._over.wait(0.2):
            with suppress(OSError, HTTPException):
                connection = HTTPConnection("127.0.0.1", self._port, timeout=2)
                connection.request("GET", "/events")
                answer = connection.getresponse()
                while not self._over.is_set():
                    answer.readline()


@contextmanager
def running(started: list[str], directory: Path, run: Run | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, and kill it at the end."""
    with (directory / "log").open("ab") as log:
        surroundings = environment(run, directory) if run else None
        process = subprocess.Popen(started, env=surroundings, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


class Watched:
    """Hub in a directory of its own, that can be monitored."""

    def __init__(self, stack: ExitStack, consumers: int) -> None:
        self._directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubbub-bench-")))
        self._port = free_port()
        self.address = f"tcp://127.0.0.1:{free_port()}"
        run = Run("hubbub", consumers, sys.maxsize, SIZE, web=self._port)
        self.hub = stack.enter_context(running(command(run, self.address, self._directory), self._directory, run))
        self._client = Client(self._directory / "state" / "hub.sock", timeout=30)
        self._stack = stack

    def press(self) -> None:
        """Start a publisher that sends more messages than the hub can process."""
        self._stack.enter_context(
            running([sys.executable, str(HERE / "pressure.py"), self.address, str(SIZE)], self._directory)
        )

    def watch(self) -> Watcher:
        """Watcher of this hub; a context manager."""
        return Watcher(self._directory, self._port)

    def finished(self) -> tuple[float, int]:
        """Time, and number of messages that all consumers have finished."""
        rows = self._client.get("/status")["consumers"].values()
        return time.monotonic(), sum(row["finished"] for row in rows)

    def rate(self) -> float:
        """Rate of finished messages in one window, per second."""
        began, before = self.finished()
        time.sleep(WINDOW)
        ended, after = self.finished()
        return (after - before) / (ended - began)


def pairs(consumers: int, rounds: int) -> list[tuple[float, float]]:
    """Rates of adjacent windows, unmonitored and monitored."""
    found = []
    with ExitStack() as stack:
        hub = Watched(stack, consumers)
        time.sleep(2.0)
        hub.press()
        time.sleep(4.0)
        for number in range(rounds):
            first = hub.rate() if number % 2 == 0 else None
            with hub.watch():
                time.sleep(0.5)
                seen = hub.rate()
            alone = hub.rate() if first is None else first
            found.append((alone, seen))
    return found


def idle(consumers: int, watching: bool) -> float:
    """Processor seconds per second of an idle hub, monitored or not."""
    with ExitStack() as stack:
        hub = Watched(stack, consumers)
        time.sleep(2.0)
        if watching:
            stack.enter_context(hub.watch())
        time.sleep(1.0)
        before = cpu_seconds([hub.hub.pid])
        time.sleep(IDLE)
        return (cpu_seconds([hub.hub.pid]) - before) / IDLE


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.polling", description=__doc__)
    parser.add_argument("--rounds", type=int, default=12, help="pairs of windows (12)")
    given = parser.parse_args()
    rows = []
    for consumers in CONSUMERS:
        found = pairs(consumers, given.rounds)
        ratios = [seen / alone for alone, seen in found]
        error = stdev(ratios) / len(ratios) ** 0.5
        cost = 1000 * (idle(consumers, True) - idle(consumers, False))
        rates = [f"{mean(column):,.0f}" for column in zip(*found, strict=True)]
        rows.append([str(consumers), *rates, f"{mean(ratios):.3f} ± {error:.3f}", f"{cost:.1f} ms"])
        print(rows[-1], flush=True)
    heading = ["consumers", "finished/s unwatched", "watched", "ratio", "processor time for it, in a second"]
    print(table(heading, rows))


if __name__ == "__main__":
    main()
