"""Broker to measure: whether this machine has it, and how its server is started and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import family, free_port
from benchmarks.venv import BROKERS

PATIENCE = 60.0


@dataclass
class Server:
    """Running processes of a broker, on a loopback port of their own."""

    port: int
    log: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def spawn(self, command: list[str], environment: Mapping[str, str] | None = None) -> None:
        """Start one more process, as a child of this one."""
        with self.log.open("ab") as log:
            self.processes.append(
                subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            )

    def pids(self) -> list[int]:
        """Process ids of the processes and their descendants."""
        return [pid for process in self.processes for pid in family(process.pid)]

    def wait(self) -> None:
        """Wait until the server listens.

        :raises RuntimeError: it ended, or does not listen in time.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and all(process.poll() is None for process in self.processes):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"the server does not listen: {self.log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """Kill all processes: their files are deleted with their directory."""
        for process in reversed(self.processes):
            for pid in family(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()


class Broker(ABC):
    """Broker that can be measured.

    :cvar package: Debian's package of its server.
    :cvar program: path of that server.
    :ivar how: its setup and way of publishing, for the report.
    """

    name: str
    package: str
    program: str
    how: str

    @abstractmethod
    def launch(self, server: Server, directory: Path) -> None:
        """Spawn the broker's processes, with all their files in the directory."""

    def absent(self) -> str | None:
        """Reason why the broker can't be measured here; ``None`` if it can."""
        if shutil.which(self.program) is None:
            return f"no {self.program}; 'make brokers', or install {self.package}"
        return None

    def version(self) -> str:
        """Version of the package."""
        asked = ["dpkg-query", "-W", "-f", "${Version}", self.package]
        try:
            return subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return "of unknown version"

    @contextmanager
    def running(self, directory: Path) -> Iterator[Server]:
        """Run the server until the end of the block.

        :raises RuntimeError: it did not start.
        """
        kept = directory / "broker"
        kept.mkdir(parents=True)
        server = Server(free_port(), directory / "broker.log")
        try:
            self.launch(server, kept)
            server.wait()
            yield server
        finally:
            server.stop()


class PythonBroker(Broker):
    """Broker that is measured with its usual Python client.

    :cvar script: prefix of the names of its Python programs.
    """

    script: str

    def absent(self) -> str | None:
        """Reason why the broker, or its client, can't be measured here; ``None`` if it can."""
        if (reason := super().absent()) is not None:
            return reason
        try:
            BROKERS.python()
        except (OSError, subprocess.CalledProcessError) as error:
            return f"its Python client could not be installed: {error}"
        return None
