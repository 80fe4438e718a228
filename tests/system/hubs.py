"""A real hub in a process of its own, run by the command that users run."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hub.control.client import Client
from hub.errors import HubError
from tests.support import PATIENCE, wait_until

HUBBUB = Path(sys.executable).with_name("hubbub")


class RunningHub:
    """``with RunningHub(directory, text) as hub:``. The configuration's state and its files are in ``directory``.

    :param output: a file descriptor in the place of its log file.
    :param program: the ``hubbub`` to run.
    :param arguments: of ``hubbub run``, in that directory.
    """

    def __init__(
        self,
        directory: Path,
        configuration: str,
        ready: bool = True,
        output: int | None = None,
        program: Path = HUBBUB,
        arguments: Sequence[str] = (),
    ) -> None:
        self.directory = directory
        self.file = directory / "hub.conf"
        self.file.write_text(configuration)
        self.log_file = directory / "hub.log"
        self.client = Client(directory / "state" / "hub.sock", timeout=10 * PATIENCE)
        self._ready = ready
        self._output = output
        self._program = str(program)
        self._arguments = arguments or ("-c", str(self.file))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def __enter__(self) -> Self:
        with self.log_file.open("ab") as log:
            command = [self._program, "run", *self._arguments]
            output = log if self._output is None else self._output
            self._process = subprocess.Popen(command, stdout=output, stderr=output, cwd=self.directory)
        if self._ready:
            wait_until(self._is_running, 30, lambda: f"the hub to run; its log: {self.log}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if kind is not None:
            sys.stderr.write(self.log[-5000:])

    def _is_running(self) -> bool:
        assert self.process.poll() is None, f"the hub ended with {self.process.returncode}: {self.log}"
        try:
            return bool(self.client.get("/status")["hub"]["state"] == "running")
        except HubError:
            return False

    def status(self) -> dict[str, Any]:
        snapshot: dict[str, Any] = self.client.get("/status")
        return snapshot

    def consumer(self, name: str) -> dict[str, Any]:
        row: dict[str, Any] = self.status()["consumers"][name]
        return row

    def wait_for(self, consumer: str, key: str, value: int, timeout: float = 60) -> None:
        """Until that number is reached, or passed."""
        wait_until(lambda: self.consumer(consumer)[key] >= value, timeout, f"{consumer}.{key} >= {value}")

    def logs(self, text: str) -> None:
        """Wait until that is in its log, which a thread of its own writes."""
        wait_until(lambda: text in self.log, 20, lambda: f"{text!r} in the log: {self.log[-2000:]}")

    def stop(self, number: signal.Signals = signal.SIGTERM, timeout: float = 30) -> int:
        """Send the signal; the exit code. See ``PATIENCE``."""
        self.process.send_signal(number)
        return self.process.wait(timeout * PATIENCE)

    def command(self, *arguments: str, check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run ``hubbub VERB ... -c FILE``."""
        command = [self._program, *arguments, "-c", str(self.file)]
        timeout *= PATIENCE
        return subprocess.run(command, capture_output=True, text=True, check=check, cwd=self.directory, timeout=timeout)
