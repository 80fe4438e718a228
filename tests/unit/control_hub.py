"""A hub that is only what the control socket needs of it, on a real reactor and a real socket."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from hub.client import Client
from hub.config import Configuration, HubSettings
from hub.control import ControlSocket
from hub.enqueuer import Enqueuer
from hub.message import Message
from hub.publisher import Publisher
from hub.router import Router
from hub.store import Store
from hub.store.memory import MemoryStore
from tests.conftest import ReactorThread
from tests.unit.doubles import RecordingBackend


class ControlledHub:
    """See the module; ``reload_answer`` is what a reload fires with."""

    def __init__(self, reactor_thread: ReactorThread, path: Path, mode: int = 0o660) -> None:
        self.thread = reactor_thread
        self.reactor = reactor_thread.reactor
        self.path = path
        self.configuration = Configuration(None, HubSettings(), path.parent, path)
        self.store: Store = MemoryStore()
        self.enqueuer = Enqueuer(Router([]), self.store, lambda: 0.0, lambda: None)
        self.backend = RecordingBackend(None)  # type: ignore[arg-type]
        self.publisher = Publisher({"bus": self.backend}, self.reactor.callFromThread, lambda: 0.0)
        self.reload_answer: list[str] | Exception = []
        self.socket = ControlSocket(self, path, mode)

    def snapshot(self) -> dict[str, Any]:
        """A small status."""
        return {"hub": {"state": "running"}, "consumers": {"c": {"backlog": 3, "oldest_age": None}, "a/é": {}}}

    def reload(self) -> Deferred[list[str]]:
        """As told."""
        if isinstance(self.reload_answer, Exception):
            return fail(self.reload_answer)
        return succeed(self.reload_answer)

    def listen(self) -> None:
        """In the reactor's thread."""
        self.thread.call(self.socket.listen)

    def close(self) -> None:
        """In the reactor's thread."""
        self.thread.call(self.socket.close)

    def receive(self, batch: Sequence[Message]) -> None:
        """One turn of a backend's reader."""
        self.thread.call(self.enqueuer.receive, list(batch), lambda: None)

    def client(self, timeout: float = 10.0) -> Client:
        """One that talks to it."""
        return Client(self.path, timeout)
