"""Redis streams with an append-only file."""

from __future__ import annotations

from pathlib import Path

from benchmarks.brokers.broker import PythonBroker, Server


class Redis(PythonBroker):
    """Redis server with its defaults, except for the append-only file.

    :ivar fsync: ``everysec`` or ``always``.
    """

    package = "redis-server"
    program = "/usr/bin/redis-server"
    script = "redis"

    def __init__(self, fsync: str) -> None:
        self.name = f"redis-{fsync}"
        self.fsync = fsync
        synced = {"everysec": "written, synced every second", "always": "synced"}[fsync]
        self.how = f"appendfsync {fsync}; confirmed once {synced}; a pipeline of 500 XADD at a time"

    def launch(self, server: Server, directory: Path) -> None:
        """Start the server. Snapshots are off: durability is measured with the append-only file."""
        command = [self.program, "--bind", "127.0.0.1", "--port", str(server.port), "--dir", str(directory)]
        server.spawn([*command, "--appendonly", "yes", "--appendfsync", self.fsync, "--save", ""])
