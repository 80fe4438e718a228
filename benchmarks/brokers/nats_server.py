"""NATS JetStream with file storage."""

from __future__ import annotations

from pathlib import Path

from benchmarks.brokers.broker import PythonBroker, Server


class Nats(PythonBroker):
    """NATS server with its defaults."""

    name = "nats"
    package = "nats-server"
    program = "/usr/sbin/nats-server"
    script = "nats"
    how = "file storage; confirmed once written, synced every 2 minutes (default); 4,000 unconfirmed"

    def launch(self, server: Server, directory: Path) -> None:
        """Start the server; all its settings are on the command line."""
        server.spawn([self.program, "-a", "127.0.0.1", "-p", str(server.port), "-js", "-sd", str(directory)])
