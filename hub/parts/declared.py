"""Declared queues: those that a backend declares, fills and reads itself; see :mod:`hub.declarations`.

The declaration of a durable one is kept in the store with the queue itself. It is reopened when the hub starts, with
its bindings, before any message arrives, whether or not the backend is still configured.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import msgspec

from hub import queue_name
from hub.declarations import NO_LIMITS, QueueLimits
from hub.enqueuer import Enqueuer
from hub.errors import HubError
from hub.partlog import part_log
from hub.parts.declaration import Declaration, policy_of
from hub.parts.declared_queue import MOST_BINDINGS, OwnedQueue, Owner, Role
from hub.parts.queue_entry import QueueEntry
from hub.parts.queues import Queues
from hub.queue.poison import Trial
from hub.queue.queue import Queue
from hub.store import Store
from hub.workers.runtime import Runtime


class DeclaredQueues:
    """All declared queues of a hub. Belongs to the reactor's thread.

    :param memory: for queues that are not durable. :param on_room: called when no queue is full any more.
    :ivar running: backends by name: a queue of one that does not run may be declared by another.
    """

    def __init__(
        self,
        queues: Queues,
        enqueuer: Enqueuer,
        reactor: Any,
        runtime: Runtime,
        store: Store,
        memory: Store,
        on_room: Callable[[], None] = lambda: None,
        running: Collection[str] = (),
    ) -> None:
        self.queues, self.enqueuer, self.reactor = queues, enqueuer, reactor
        self.running = running
        self._runtime, self._store, self._memory = runtime, store, memory
        self._on_room = on_room
        self._trial = Trial(runtime.monotonic)
        self._declared: dict[str, OwnedQueue] = {}
        self._log = part_log("hub", "queues")

    def reopen(self) -> None:
        """Open the durable queues that were declared before. One whose declaration can't be read stays an orphan."""
        for name, content in self._store.declarations().items():
            try:
                told = msgspec.json.decode(content, type=Declaration)
            except msgspec.DecodeError as error:
                text = "the declaration of the queue %s can't be read, it is an orphan now: %s"
                self._log.error(text, name, error, extra={"action": "start"})
                continue
            declared = self._open(name, True, Owner(told.backend), Role(told.kind, told.crowd), told.limits)
            declared.route(told.topics)

    def of(self, owner: Owner) -> Declarations:
        """The declarations of one instance of a backend."""
        return Declarations(self, owner)

    def end(self, instance: object) -> None:
        """End the declarations of a backend that has stopped. Its queues in memory are deleted, others wait unread."""
        for declared in [*self._declared.values()]:
            if declared.owner.instance is instance:
                declared.leave()

    def named(self, name: str) -> OwnedQueue | None:
        """The declared queue of a name."""
        return self._declared.get(name)

    def all(self) -> Mapping[str, OwnedQueue]:
        """All declared queues by name."""
        return self._declared

    def declare(self, name: str, durable: bool, owner: Owner, role: Role, limits: QueueLimits) -> OwnedQueue:
        """Make a queue, or let the owner have the one of that name; see ``QueueDeclarations.declare``."""
        declared = self._declared.get(name)
        if declared is None:
            self._check(name)
            if durable:  # the queue is never on the disk without its declaration
                self._keep(name, Declaration(owner.backend, role.kind, role.crowd, (), limits))
            return self._open(name, durable, owner, role, limits)
        if declared.owner.backend != owner.backend and declared.owner.backend in self.running:
            raise HubError(f"the queue {name!r} is declared by backend {declared.owner.backend!r}")
        if declared.durable != durable:
            is_, wanted = ("durable", "in memory") if declared.durable else ("in memory", "durable")
            raise HubError(f"the queue {name!r} is {is_}, it can't be declared {wanted}: delete it first")
        declared.adopt(owner, role, limits, policy_of(limits, durable))
        return declared

    def _check(self, name: str) -> None:
        """:raises HubError: no queue can be declared with that name."""
        if found := queue_name.flaw(name):
            raise HubError(f"{name[: queue_name.LONGEST]!r} can't be the name of a queue: it {found}")
        if name in self.queues.members:
            raise HubError(f"{name!r} is the queue of a consumer: nobody else can declare it")
        if name in self.queues.orphans or (name in self._store.queues() and name not in self._store.declarations()):
            raise HubError(f"there is a queue {name!r} of a former consumer: delete it first ('hubbub queue delete')")

    def _open(self, name: str, durable: bool, owner: Owner, role: Role, limits: QueueLimits) -> OwnedQueue:
        store = self._store if durable else self._memory
        policy, clocks = policy_of(limits, durable), (self._runtime.monotonic, self._runtime.wall)
        made_room = partial(self.reactor.callFromThread, self.tell_room)
        queue = Queue(name, policy, store, *clocks, made_room, self._trial)
        declared = self._declared[name] = OwnedQueue(self, queue, owner, role, limits)
        self.queues.add(declared.entry, self._runtime.monotonic())
        return declared

    def keep(self, declared: OwnedQueue) -> None:
        """Keep the present declaration of a durable queue."""
        if declared.durable:
            backend, role, topics = declared.owner.backend, declared.role, [*declared.bindings]
            self._keep(declared.name, Declaration(backend, role.kind, role.crowd, topics, declared.limits))

    def _keep(self, name: str, declaration: Declaration) -> None:
        self._store.declare(name, msgspec.json.encode(declaration))

    def move(self, entry: QueueEntry, crowd: str | None) -> None:
        """Count a queue to another crowd."""
        self.queues.move(entry, crowd)

    def forget(self, name: str, full: bool) -> None:
        """Forget a queue that is being deleted. :param full: whether it may hold the buses back."""
        del self._declared[name]
        self.queues.remove(name)
        self.queues.holds.forget(name)
        if full:
            self.tell_room()

    def tell_room(self) -> None:
        """Release the buses if no queue is full now."""
        if not self.queues.full():
            self._on_room()

    def elsewhere(self, call: Callable[[], None]) -> None:
        """Run a call that reads the store, in a thread of the reactor's pool."""
        self.reactor.callInThread(call)


class Declarations:
    """The declarations of one instance of a backend; see :class:`hub.declarations.QueueDeclarations`."""

    def __init__(self, declared: DeclaredQueues, owner: Owner) -> None:
        self._all = declared
        self._owner = owner

    def declare(
        self,
        name: str,
        *,
        durable: bool,
        topics: Collection[str] = (),
        limits: QueueLimits = NO_LIMITS,
        kind: str | None = None,
        crowd: str | None = None,
        on_deleted: Callable[[], None] | None = None,
    ) -> OwnedQueue:
        """Declare a queue."""
        if len(topics) > MOST_BINDINGS:
            raise HubError(f"the queue {name!r} has more than {MOST_BINDINGS} bindings")
        role = Role(kind or self._owner.kind, crowd)
        declared = self._all.declare(name, durable, self._owner, role, limits)
        declared.on_deleted = on_deleted
        for pattern in topics:
            declared.bind(pattern)
        return declared

    def get(self, name: str) -> OwnedQueue | None:
        """A queue of this backend. It becomes this instance's."""
        declared = self._all.named(name)
        if declared is None or declared.owner.backend != self._owner.backend:
            return None
        declared.owner = self._owner
        return declared

    def names(self) -> list[str]:
        """Names of this backend's queues."""
        return [name for name, one in self._all.all().items() if one.owner.backend == self._owner.backend]
