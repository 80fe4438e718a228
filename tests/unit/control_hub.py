"""A hub that is only what the control socket needs of it, on a real reactor and a real socket."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from hub.configuration.schema import Configuration, HubSettings
from hub.control.audit import AUDIT_FILE, Audit
from hub.control.client import Client
from hub.control.holds import Holds
from hub.control.socket import ControlSocket
from hub.deadletter import DeadLetter
from hub.enqueuer import Enqueuer
from hub.http.mounts import PluginMounts
from hub.message import Message
from hub.parts.changes import Outcome
from hub.parts.flow_control import FlowControl
from hub.parts.policies import crew_policy
from hub.parts.queue_entry import Member
from hub.publisher import Publisher
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.router import Router
from hub.stats.rates import Rates
from hub.store import Store
from hub.store.memory import MemoryStore
from hub.workers.crew import Crew
from hub.workers.runtime import Runtime
from hub.workers.supervisor import Supervisor
from tests.conftest import ReactorThread
from tests.unit.doubles import RecordingBackend, RecordingLog, Scripted, consumer_part, make_consumers, most


class ControlledHub:
    """See the module; ``reload_answer`` is what a reload fires with."""

    def __init__(self, reactor_thread: ReactorThread, path: Path, mode: int = 0o660) -> None:
        self.thread = reactor_thread
        self.reactor = reactor_thread.reactor
        self.path = path
        self.configuration = Configuration(None, HubSettings(), path.parent, path)
        self.store: Store = MemoryStore()
        self.enqueuer = Enqueuer(Router([]), self.store, lambda: 0.0, lambda: None)
        self.holds = Holds(None, lambda: 0.0)
        around = Runtime(lambda: 0.0, lambda: 0.0, most)
        self.consumers = make_consumers(around, self.store, directory=path.parent, holds=self.holds)
        self.flow = FlowControl()
        self.supervisor, self.wall = Supervisor(self.consumers.crews, lambda: 0.0), lambda: 0.0
        self.queues = self.consumers.queues
        self.mounts = PluginMounts()
        self.audit = Audit(path.parent / AUDIT_FILE, lambda: 0.0)
        for name in ("c", "a/é"):
            self.add(name)
        self.backend = RecordingBackend(None)  # type: ignore[arg-type]
        self.publisher = Publisher({"bus": self.backend}, self.reactor, self.store, lambda: 0.0)
        self.publisher.open()
        self.reload_answer: Outcome | Exception = Outcome([], [])
        self.socket = ControlSocket(self, path, mode)

    def add(self, name: str) -> None:
        """A consumer whose threads are not started."""
        part, queue = consumer_part(name), Queue(name, QueuePolicy(), self.store, lambda: 0.0, lambda: 0.0)
        surroundings = Runtime(lambda: 0.0, lambda: 0.0, most)
        crew = Crew(Scripted(), queue, crew_policy(part), surroundings, RecordingLog())
        self.consumers.members[name] = Member(part, queue, crew, Rates())

    def bury(self, name: str, letter: DeadLetter) -> None:
        """In that consumer's queue."""
        self.consumers.members[name].queue.bury_unqueued(letter)

    def snapshot(self) -> dict[str, Any]:
        """A small status."""
        return {"hub": {"state": "running"}, "consumers": {"c": {"backlog": 3, "oldest_age": None}, "a/é": {}}}

    def reload(self) -> Deferred[Outcome]:
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
