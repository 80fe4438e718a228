"""A real carbon, Graphite's receiver, unprivileged, in a directory of its own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from tests.support import free_port, require, wait_until

CONFIGURATION = """
[cache]
STORAGE_DIR = {directory}
CONF_DIR = {directory}
LOG_DIR = {directory}
PID_DIR = {directory}
LOCAL_DATA_DIR = {directory}/whisper
WHITELISTS_DIR = {directory}
USER =
MAX_CREATES_PER_MINUTE = inf
MAX_UPDATES_PER_SECOND = inf
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {port}
ENABLE_UDP_LISTENER = True
UDP_RECEIVER_INTERFACE = 127.0.0.1
UDP_RECEIVER_PORT = {port}
PICKLE_RECEIVER_PORT = 0
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {query_port}
CARBON_METRIC_INTERVAL = 0
ENABLE_TAGS = False
"""
SCHEMAS = """
[all]
pattern = .*
retentions = 1s:10m
"""


class Carbon:
    """``with Carbon(directory) as carbon:``; it listens on ``port``, by UDP and by TCP, and keeps a value a second.

    It may be entered again, and then listens on the same port.
    """

    def __init__(self, directory: Path) -> None:
        program, self._fetch = shutil.which("carbon-cache"), shutil.which("whisper-fetch")
        require(program is not None and self._fetch is not None, "carbon is not installed (graphite-carbon)")
        self.port = free_port()
        self.directory = directory
        directory.mkdir()
        configuration = directory / "carbon.conf"
        configuration.write_text(CONFIGURATION.format(directory=directory, port=self.port, query_port=free_port()))
        (directory / "storage-schemas.conf").write_text(SCHEMAS)
        self._command = [str(program), "--nodaemon", "--config", str(configuration), "start"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.directory / "output").read_text(errors="replace")

    def __enter__(self) -> Carbon:
        with (self.directory / "output").open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output)
        wait_until(self._listens, 20, f"carbon; its log: {self.log}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"carbon ended with {self._process.returncode}: {self.log}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def values(self, path: str, since: float = 0.0) -> list[float]:
        """What its whisper file has of the last minute, or since that time (epoch seconds); empty without a file."""
        file = self.directory / "whisper" / f"{path.replace('.', '/')}.wsp"
        if not file.exists():
            return []
        begin = int(max(since, time.time() - 60))
        command = [str(self._fetch), "--json", f"--from={begin}", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [value for value in json.loads(done.stdout)["values"] if value is not None]
