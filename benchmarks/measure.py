"""One measurement: a system, a publisher, and what came of it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.systems import HERE, Run, command, cpu_seconds, environment

TIMEOUT = 180.0


@dataclass(frozen=True)
class Result:
    """What one run gave. ``rate`` in messages per second, ``cpu`` in microseconds per message, latencies in ms."""

    run: Run
    rate: float
    cpu: float
    p50: float | None = None
    p99: float | None = None

    def as_json(self) -> dict[str, Any]:
        """For the results file."""
        return asdict(self)


def percentile(values: list[int], share: float) -> float:
    """The value below which that share lies, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(run: Run) -> Result:
    """:raises RuntimeError: some consumer did not get all of it in time."""
    with tempfile.TemporaryDirectory(prefix="hubbub-bench-") as name, socket.socket() as probe:
        directory = Path(name)
        probe.bind(("127.0.0.1", 0))
        endpoint = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
        probe.close()
        with (directory / "log").open("wb") as log:
            system = subprocess.Popen(
                command(run, endpoint, directory), env=environment(run, directory), stdout=log, stderr=log
            )
            try:
                return _measured(run, system, endpoint, directory)
            except RuntimeError:
                sys.stderr.write((directory / "log").read_text(errors="replace")[-2000:])
                raise
            finally:
                system.send_signal(signal.SIGKILL)
                system.wait()


def _measured(run: Run, system: subprocess.Popen[bytes], endpoint: str, directory: Path) -> Result:
    arguments = [endpoint, str(run.count), str(run.size), str(run.rate)]
    publishing = [sys.executable, str(HERE / "publisher.py"), *arguments]
    with subprocess.Popen(publishing, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as publisher:
        assert publisher.stdin is not None
        assert publisher.stdout is not None
        publisher.stdout.readline()
        time.sleep(1.0)  # all of a system's consumers have subscribed, and its start is over
        cpu = cpu_seconds(system.pid)
        publisher.stdin.write("go\n")
        began = int(publisher.stdout.readline())
        try:
            notes = _notes(run, directory)
        finally:
            publisher.kill()
        cpu = cpu_seconds(system.pid) - cpu
    elapsed = (max(note["finished"] for note in notes) - began) / 1e9
    result = Result(run, run.count / elapsed, cpu / run.count * 1e6)
    if run.latency:
        latencies = [latency for note in notes for latency in note["latencies"]]
        p50, p99 = percentile(latencies, 0.50) / 1e6, percentile(latencies, 0.99) / 1e6
        return Result(run, result.rate, result.cpu, p50, p99)
    return result


def _notes(run: Run, directory: Path) -> list[dict[str, Any]]:
    files = [directory / f"c{number}" for number in range(run.consumers)]
    deadline = time.monotonic() + TIMEOUT
    while not all(file.exists() for file in files):
        if time.monotonic() > deadline:
            missing = [file.name for file in files if not file.exists()]
            raise RuntimeError(f"{run}: {', '.join(missing)} did not get all messages in {TIMEOUT:g} s")
        time.sleep(0.02)
    return [json.loads(file.read_text()) for file in files]
