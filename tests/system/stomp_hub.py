"""A real hub that is only a STOMP server, as ``hubbub stomp`` runs it."""

from __future__ import annotations

from pathlib import Path

from tests.support import free_port
from tests.system.hubs import HUBBUB
from tests.system.server import Server, listens


class StompHub(Server):
    """It speaks STOMP on ``port``, and asks nobody who they are."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        listen = f"127.0.0.1:{self.port}"
        super().__init__(directory, [str(HUBBUB), "stomp", "--listen", listen, "--state-dir", str(directory / "state")])

    def answers(self) -> bool:
        return listens(self.port)
