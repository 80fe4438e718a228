"""A real carbon, Graphite's receiver, unprivileged, in a directory of its own."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from tests.support import free_port
from tests.system.server import Server, listens, program

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


class Carbon(Server):
    """It listens on ``port``, by UDP and by TCP, and keeps a value a second."""

    def __init__(self, directory: Path) -> None:
        carbon, self._fetch = program("carbon-cache", "graphite-carbon"), program("whisper-fetch", "graphite-carbon")
        self.port = free_port()
        configuration = directory / "carbon.conf"
        super().__init__(directory, [carbon, "--nodaemon", "--config", str(configuration), "start"])
        configuration.write_text(CONFIGURATION.format(directory=directory, port=self.port, query_port=free_port()))
        (directory / "storage-schemas.conf").write_text(SCHEMAS)

    def answers(self) -> bool:
        return listens(self.port)

    def values(self, path: str, since: float = 0.0) -> list[float]:
        """What its whisper file has of the last minute, or since that time (epoch seconds); empty without a file."""
        file = self.directory / "whisper" / f"{path.replace('.', '/')}.wsp"
        if not file.exists():
            return []
        begin = int(max(since, time.time() - 60))
        command = [self._fetch, "--json", f"--from={begin}", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [value for value in json.loads(done.stdout)["values"] if value is not None]
