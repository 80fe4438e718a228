"""Declared queues of a hub that has backends and consumers, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from hub.declarations import QueueLimits
from hub.enqueuer import Enqueuer
from hub.message import Message
from hub.parts.backends import Backends
from hub.parts.declared import DeclaredQueues
from hub.parts.declared_queue import OwnedQueue
from hub.parts.declared_reader import DeclaredReader
from hub.parts.flow_control import FlowControl
from hub.parts.replay import LogReplays
from hub.receipt import Receipt
from hub.router import Router
from hub.snapshot import consumers_status
from hub.status.consumers import ConsumerStatus
from hub.store import Store
from hub.store.durable import DurableStore
from hub.store.memory import MemoryStore
from hub.workers.runtime import Runtime
from hub.workers.supervisor import Supervisor
from tests.unit.doubles import FakeReactor, RecordingBackend, RecordingLog, backend_part, make_consumers, most


class PoolReactor(FakeReactor):
    """Runs calls of the thread pool at once."""

    def callInThread(self, call: Any, *arguments: Any) -> None:
        """Now."""
        call(*arguments)


class Hall:
    """The parts of a hub around its declared queues, on a store in a directory, or in memory.

    :ivar receipts: what the answers were. :ivar ready: how often readers were called back. :ivar deleted: names of
        queues whose owner was told that they were deleted.
    """

    def __init__(
        self,
        directory: Path | None = None,
        backends: Sequence[str] = ("stomp",),
        keep: float = 0.0,
        confirm: Literal["stored", "settled"] = "stored",
    ) -> None:
        self.reactor, self.flow = PoolReactor(), FlowControl()
        self.reactor.advance(1000.0)
        seconds = self.reactor.seconds
        self.memory = MemoryStore(seconds)
        self.store: Store = MemoryStore(seconds)
        if directory is not None:
            log = RecordingLog()
            self.store = DurableStore(directory, log, threaded=False, wall=seconds, keep=keep, monotonic=seconds)
        runtime = Runtime(seconds, seconds, most)
        self.consumers = make_consumers(runtime, self.store, self.memory, reactor=self.reactor)
        self.queues = self.consumers.queues
        hold_back, release = self.flow.source("queues")
        self.enqueuer = Enqueuer(Router([]), self.store, seconds, lambda: hold_back("full"))
        running = self.flow.backends.keys()
        stores = (self.store, self.memory)
        self.declared = DeclaredQueues(self.queues, self.enqueuer, self.reactor, runtime, *stores, release, running)
        replays = LogReplays.of(self.store, self.enqueuer, self.reactor)
        self.backends = Backends(self.flow, self.reactor, self.enqueuer, seconds, self.declared, replays)
        self.supervisor = Supervisor(self.consumers.crews, seconds)
        self.receipts: list[Receipt] = []
        self.ready = 0
        self.deleted: list[str] = []
        self.declared.reopen()
        for name in backends:
            part = backend_part(name)
            part = replace(part, settings=part.settings.model_copy(update={"confirm": confirm}))
            self.backends.start(part, self.backends.prepare(part))

    def backend(self, name: str = "stomp") -> Any:
        backend: Any = self.flow.backends[name]
        assert isinstance(backend, RecordingBackend)
        return backend

    def declare(
        self, name: str = "q", durable: bool = True, backend: str = "stomp", limits: Mapping[str, Any] = {}, **more: Any
    ) -> OwnedQueue:
        queues = self.backend(backend).context.queues
        told = lambda: self.deleted.append(name)  # noqa: E731
        declared: OwnedQueue = queues.declare(
            name, durable=durable, limits=QueueLimits(**limits), on_deleted=told, **more
        )
        return declared

    def reader(self, queue: OwnedQueue) -> DeclaredReader:
        def ready() -> None:
            self.ready += 1

        return queue.reader(ready)

    def put(self, queue: OwnedQueue, *ids: object, tokens: Sequence[Any] = (), delays: Sequence[float] = ()) -> Receipt:
        now = self.reactor.seconds()
        batch = [Message(str(one), queue.name, b"{}", {}, now, "stomp") for one in ids]
        queue.put(batch, tokens, self.receipts.append, delays)
        return self.receipts[-1]

    def receive(self, topic: str, *ids: object) -> None:
        """From a bus."""
        self.enqueuer.receive([Message(str(one), topic, b"{}", {}, self.reactor.seconds(), "bus") for one in ids], None)

    def commit(self) -> None:
        if isinstance(self.store, DurableStore):
            assert self.store.writer.step()

    def retire(self, backend: str = "stomp") -> None:
        retired = self.backends.retire([backend])
        self.commit()
        SynchronousTestCase().successResultOf(retired)

    def confirmed(self, backend: str = "stomp") -> list[Any]:
        return [token for what, tokens in self.backend(backend).calls if what == "confirm" for token in tokens]

    def rows(self) -> dict[str, ConsumerStatus]:
        rows = consumers_status(self.queues, self.supervisor, lambda name: None, self.reactor.seconds())
        return msgspec.convert(rows, dict[str, ConsumerStatus])

    def row(self, name: str = "q") -> ConsumerStatus:
        return self.rows()[name]

    def kill(self) -> None:
        """As kill -9 does: what is not committed is lost."""
        if isinstance(self.store, DurableStore):
            self.store.tables.close()

    def end(self) -> None:
        self.store.close()


def ids(taken: Sequence[Any]) -> list[str]:
    return [one.current.id for one in taken]
