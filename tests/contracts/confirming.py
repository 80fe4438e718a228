"""A hub's way in and out for one message bus: the memory backend, two queues, and the store, without threads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from hub.backends.memory import Memory
from hub.configuration.schema import BackendSettings, Part
from hub.deadletter import DeadLetter
from hub.duplicates import Duplicates
from hub.enqueuer import Enqueuer
from hub.parts.backends import Backends
from hub.parts.flow_control import FlowControl
from hub.plugins import Plugin
from hub.queue.delivery import Delivery
from hub.queue.policy import QueuePolicy, Window
from hub.queue.queue import Queue
from hub.router import Router
from hub.settings import Settings
from hub.store import Outgoing
from hub.store.durable import DurableStore
from hub.store.memory import MemoryStore
from hub.testing.stand_ins import declared_queues
from tests.unit.doubles import FakeReactor, RecordingLog

Confirm = Literal["stored", "settled"]
POLICY = QueuePolicy(None, None, window=Window(8, 1 << 20))


class Confirming:
    """Messages with the topic ``x.KEY`` go to the queue ``mine``, those with ``both.KEY`` to it and to ``other``, which
    is on the disk. Nothing is committed before :meth:`commit`.

    :param durable: whether ``mine`` is on the disk. :param keep: seconds that the store keeps messages.
    :ivar outgoing: messages that consumers published, and no store keeps.
    """

    def __init__(
        self,
        directory: Path,
        confirm: Confirm = "settled",
        durable: bool = True,
        policy: QueuePolicy = POLICY,
        deduplicate: bool = False,
        keep: float = 0.0,
    ) -> None:
        self.outgoing: list[Outgoing] = []
        self.reactor = FakeReactor()
        self.reactor.advance(1000.0)
        clock = self.reactor.seconds
        self.store = DurableStore(directory, RecordingLog(), wall=clock, monotonic=clock, threaded=False, keep=keep)
        memory = MemoryStore()
        memory.watch(lambda state, reason: None, lambda first, outbox: self.outgoing.extend(outbox))
        self.mine = Queue("mine", policy, self.store if durable else memory, clock, clock)
        self.other = Queue("other", POLICY, self.store, clock, clock)
        router: Router[Queue] = Router([(["x.#", "both.#"], self.mine), (["both.#"], self.other)])
        duplicates = Duplicates(600.0, clock) if deduplicate else None
        self.enqueuer = Enqueuer(router, self.store, clock, lambda: None, duplicates)
        declared = declared_queues(self.enqueuer, self.store)
        self.backends = Backends(FlowControl(), self.reactor, self.enqueuer, clock, declared)
        self.confirm = confirm
        self.bus = self.start_backend()

    def start_backend(self) -> Memory:
        """Start a backend; it replaces the one before."""
        part = Part("bus", Plugin(Memory, "v1"), BackendSettings(type="memory", confirm=self.confirm), Settings())
        backend: Any = self.backends.prepare(part)
        self.backends.start(part, backend)
        return backend  # type: ignore[no-any-return]

    def replace_backend(self) -> Memory:
        """What a reload does. Returns the old one."""
        old = self.bus
        self.retire_backend()
        self.bus = self.start_backend()
        return old

    def retire_backend(self) -> None:
        """Stop it, in good order."""
        retired = self.backends.retire(["bus"])
        self.commit()
        assert retired.called
        self.backends.remove(["bus"])

    def commit(self) -> None:
        """Commit all that is pending."""
        assert self.store.writer.step()

    def deliver(self, count: int = 1, topic: str = "x.k", first: int = 0) -> list[int]:
        """Deliver messages, in one batch, with the ids ``m0``, ``m1`` ... Returns their tokens."""
        self.bus.pause()
        tokens = [self.bus.deliver(topic, b"{}", id=f"m{number}") for number in range(first, first + count)]
        self.bus.resume()
        return tokens

    @property
    def confirmed(self) -> list[int]:
        return self.bus.confirmed

    @property
    def unconfirmed(self) -> int:
        """As the status has it."""
        return int(self.backends.status()["bus"]["unconfirmed"])

    def take(self, limit: int = 100, queue: Queue | None = None) -> Delivery:
        delivery = (queue or self.mine).take(limit, timeout=0)
        assert delivery is not None
        return delivery

    def finish(self, limit: int = 100, queue: Queue | None = None) -> Sequence[str]:
        """Finish what one worker takes. Returns the ids."""
        delivery = self.take(limit, queue)
        ids = [message.id for message in delivery.messages]
        (queue or self.mine).finish(delivery, len(ids))
        return ids

    def bury(self) -> None:
        delivery = self.take(1)
        self.mine.bury(delivery, True, DeadLetter(delivery.messages[0], "no", 1, 0.0))

    def close(self) -> None:
        assert self.store.close()

    def kill(self) -> None:
        """End without a last commit."""
        self.store.tables.close()
