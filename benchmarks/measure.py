"""Measurement of one system with one publisher."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.brokers.catalogue import CATALOGUE
from benchmarks.processes import cpu_seconds, free_port
from benchmarks.systems import Run, command, environment, publisher
from benchmarks.workload import READY

TIMEOUT = 180.0


@dataclass(frozen=True)
class Result:
    """Result of one run. ``rate`` in messages per second, ``cpu`` in microseconds per message, latencies in ms."""

    run: Run
    rate: float
    cpu: float
    p50: float | None = None
    p99: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Result as a row of the results file."""
        return asdict(self)


def percentile(values: list[int], share: float) -> float:
    """Percentile by the nearest rank. :param share: 0.99 for the 99th."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(run: Run) -> Result:
    """Measure one run. :raises RuntimeError: it did not start, or a consumer did not receive everything in time."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubbub-bench-")))
        if run.system in CATALOGUE:
            server = stack.enter_context(CATALOGUE[run.system].running(directory))
            address, servers = str(server.port), server.pids
        else:
            address, servers = f"tcp://127.0.0.1:{free_port()}", list[int]
        with (directory / "log").open("ab") as log:
            system = subprocess.Popen(
                command(run, address, directory), env=environment(run, directory), stdout=log, stderr=log
            )
        try:
            if run.system in CATALOGUE:
                _until({"the system": system}, (directory / READY).exists, "its consumers had subscribed")
            return _measured(run, system, publisher(run, address), directory, servers)
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{(directory / 'log').read_text(errors='replace')[-2000:]}") from None
        finally:
            system.send_signal(signal.SIGKILL)
            system.wait()


def _measured(
    run: Run, system: subprocess.Popen[bytes], publishing: list[str], directory: Path, servers: Callable[[], list[int]]
) -> Result:
    files = [directory / f"c{number}" for number in range(run.consumers)]
    with _publisher(publishing, directory) as sender:
        output, both = sender.stdout, {"the system": system, "the publisher": sender}
        assert sender.stdin is not None
        assert output is not None
        try:
            _until(both, lambda: bool(select.select([output], [], [], 0)[0]), "the publisher was connected")
            output.readline()
            time.sleep(1.0)  # all of a system's consumers have subscribed, and its start is over
            cpu = cpu_seconds([system.pid, *servers()])
            sender.stdin.write(b"go\n")
            began = int(output.readline())
            _until(both, lambda: all(file.exists() for file in files), f"all consumers had {run.count} messages")
        finally:
            sender.kill()
    cpu = cpu_seconds([system.pid, *servers()]) - cpu
    notes = [json.loads(file.read_text()) for file in files]
    elapsed = (max(note["finished"] for note in notes) - began) / 1e9
    result = Result(run, run.count / elapsed, cpu / run.count * 1e6)
    if run.latency:
        latencies = [latency for note in notes for latency in note["latencies"]]
        p50, p99 = percentile(latencies, 0.50) / 1e6, percentile(latencies, 0.99) / 1e6
        return Result(run, result.rate, result.cpu, p50, p99)
    return result


def _publisher(command: list[str], directory: Path) -> subprocess.Popen[bytes]:
    with (directory / "log").open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, bufsize=0)


def _until(processes: Mapping[str, subprocess.Popen[bytes]], done: Callable[[], bool], what: str) -> None:
    """Wait until ``done`` returns true.

    :raises RuntimeError: one of the processes ended, or it took too long.
    """
    deadline = time.monotonic() + TIMEOUT
    while not done():
        for name, process in processes.items():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with status {process.returncode} before {what}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"it took more than {TIMEOUT:g} s until {what}")
        time.sleep(0.02)
