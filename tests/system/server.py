"""A real server that tests talk to: a program in the foreground, unprivileged, in a directory of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.support import PATIENCE, require, wait_until


def program(name: str, package: str) -> str:
    """Where it is. It is required, and ``package`` is what brings it on Debian."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    require(found is not None, f"{name} is not installed (Debian's {package})")
    return str(found)


def listens(port: int, address: str = "127.0.0.1") -> bool:
    """True if somebody does, by TCP."""
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


class Server:
    """``with Subclass(...) as server:``. It may be entered again, and then it runs again as it did.

    A subclass prepares the directory, gives the command, and says when the server answers.

    :param log_file: where it logs to; if nowhere, what it prints is its log.
    """

    def __init__(
        self,
        directory: Path,
        command: Sequence[str],
        log_file: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.environment = {**os.environ, **(environment or {})}
        self._command = command
        self._output = directory / "output"
        self._log_file = log_file or self._output
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self._log_file.read_text(errors="replace") if self._log_file.exists() else ""

    def answers(self) -> bool:
        raise NotImplementedError

    def __enter__(self) -> Self:
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output, env=self.environment)
        wait_until(self._ready, 30, f"{self._command[0]} to answer")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20 * PATIENCE)

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20 * PATIENCE)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"{self._command[0]} ended: {self._output.read_text()}{self.log}"
        return self.answers()
