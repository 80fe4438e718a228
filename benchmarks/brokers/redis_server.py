"""Redis streams with an append-only file."""

from __future__ import annotations

from pathlib import Path

from benchmarks.brokers.broker import Broker, Server


class Redis(Broker):
    """One server with its own defaults but for the append-only file.

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
        """Snapshots are off: the append-only file is what it is measured with."""
        command = [self.program, "--bind", "127.0.0.1", "--port", str(server.port), "--dir", str(directory)]
        server.spawn([*command, "--appendonly", "yes", "--appendfsync", self.fsync, "--save", ""])
