"""A declared queue; see :class:`hub.declarations.DeclaredQueue`."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

import msgspec

from hub.deadletter import DeadLetter
from hub.declarations import QueueLimits
from hub.enqueuer import Enqueuer
from hub.errors import HubError
from hub.intakes import Confirm, check_tokens
from hub.message import DEFAULT_PRIORITY, PRIORITIES, Message
from hub.parts.declared_reader import DeclaredReader
from hub.parts.queue_entry import NOBODY, QueueEntry
from hub.placements import Placement, Placements
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.receipt import Answer, Receipt
from hub.topics import is_pattern

MOST_BINDINGS = 1000
"""Most bindings of one queue: its declaration has all of them."""


def nobody(tokens: Sequence[Any]) -> None:
    """Confirm to nobody: the backend does not run."""


class Owner(msgspec.Struct):
    """The owner of declared queues: one instance of a backend.

    :ivar backend: name of the backend. :ivar kind: its type.
    :ivar instance: ``None``: it does not run. :ivar confirm: confirms tokens to its senders.
    :ivar wait: confirms them when their messages are settled; ``None``: they are confirmed when these are stored.
    """

    backend: str
    kind: str | None = None
    instance: object = None
    confirm: Confirm = nobody
    wait: Callable[[Sequence[Any], Sequence[Placement]], None] | None = None


class Role(NamedTuple):
    """Role of a declared queue for its owner. :ivar kind: its type. :ivar crowd: as in ``QueueEntry``."""

    kind: str | None = None
    crowd: str | None = None


class Registry(Protocol):
    """All declared queues, as one of them sees them."""

    enqueuer: Enqueuer
    reactor: Any

    def keep(self, declared: OwnedQueue) -> None:
        """Keep the present declaration of a durable queue."""

    def move(self, entry: QueueEntry, crowd: str | None) -> None:
        """Count a queue to another crowd."""

    def forget(self, name: str, full: bool) -> None:
        """Forget a queue that is being deleted. :param full: whether it may hold the buses back."""

    def elsewhere(self, call: Callable[[], None]) -> None:
        """Run a call that reads the store in another thread."""


class OwnedQueue:
    """A declared queue. Belongs to the reactor's thread.

    :ivar entry: its entry in the registry of all queues. :ivar owner: who declared it last. :ivar role: what it is for
        that owner.
    :ivar on_deleted: called after an operator has deleted it; ``None``: nobody cares.
    """

    def __init__(self, registry: Registry, queue: Queue, owner: Owner, role: Role, limits: QueueLimits) -> None:
        self.name, self.durable = queue.name, queue.durable
        self.owner, self.role, self.limits = owner, role, limits
        self.on_deleted: Callable[[], None] | None = None
        self._registry = registry
        self._queue = queue
        self._bindings: dict[str, None] = {}
        self._reader: DeclaredReader | None = None
        self._deleted = False
        self.entry = QueueEntry.of(queue, NOBODY, self._bindings.keys(), role.kind)
        self.entry.delete, self.entry.crowd, self.entry.readers = self._deleted_by_operator, role.crowd, 0
        self._excuse()

    @property
    def bindings(self) -> Collection[str]:
        """Its topic patterns."""
        return self._bindings.keys()

    @property
    def backlog(self) -> int:
        """Number of messages that are not settled."""
        return self._queue.stats().counters.backlog

    @property
    def draining(self) -> bool:
        """True while an operator drains it."""
        return self._queue.draining

    def adopt(self, owner: Owner, role: Role, limits: QueueLimits, policy: QueuePolicy) -> None:
        """Let an owner have it, with new limits."""
        changed = (owner.backend, role, limits) != (self.owner.backend, self.role, self.limits)
        self.owner, self.role, self.entry.kind = owner, role, role.kind
        self._registry.move(self.entry, role.crowd)
        if changed:
            self.limits = limits
            self._queue.adopt(policy)
            self._registry.keep(self)

    # -- bindings

    def bind(self, pattern: str) -> None:
        """Add a binding."""
        self._check()
        if pattern in self._bindings:
            return
        if not is_pattern(pattern):
            raise HubError(f"{pattern!r} is no topic pattern")
        if len(self._bindings) >= MOST_BINDINGS:
            raise HubError(f"the queue {self.name!r} has {MOST_BINDINGS} bindings, and can't have more")
        self.route([pattern])
        self._registry.keep(self)

    def route(self, patterns: Collection[str]) -> None:
        """Add bindings without keeping them."""
        for pattern in patterns:
            self._bindings[pattern] = None
            self._registry.enqueuer.router.add(pattern, self._queue)
            self._registry.enqueuer.subscriptions.follow([pattern], [])

    def unbind(self, pattern: str) -> None:
        """Remove a binding."""
        self._check()
        if pattern in self._bindings:
            self._unroute(pattern)
            self._registry.keep(self)

    def _unroute(self, pattern: str) -> None:
        del self._bindings[pattern]
        self._registry.enqueuer.router.remove(pattern, self._queue)
        self._registry.enqueuer.subscriptions.follow([], [pattern])

    # -- messages

    def put(
        self,
        messages: Sequence[Message],
        tokens: Sequence[Any] = (),
        answer: Answer | None = None,
        delays: Sequence[float] = (),
        priorities: Sequence[int] = (),
    ) -> None:
        """Put messages into the queue: first those without a delay."""
        self._check()
        wait = self.owner.wait if tokens else None
        if wait is not None:
            check_tokens(messages, tokens)
        if delays and (len(delays) != len(messages) or not all(map(math.isfinite, delays))):
            raise ValueError(f"expected {len(messages)} delays in seconds, not {delays}")
        if priorities and (len(priorities) != len(messages) or not {*priorities} <= {*PRIORITIES}):
            raise ValueError(f"expected {len(messages)} priorities from 0 to 9, not {priorities}")
        full: list[int] = []
        parts = _alike(len(messages), delays, priorities)
        for number, (is_later, priority, indexes) in enumerate(parts, 1):
            part = messages if len(parts) == 1 else [messages[at] for at in indexes]
            # Without ``wait``, the confirmation of the last part covers all: they are stored in order.
            mine = [tokens[at] for at in indexes] if wait else tokens if number == len(parts) else ()
            if is_later:
                found = self._put_later(part, mine, [delays[at] for at in indexes], priority)
            else:
                found = self._put(part, mine, priority)
            full += [indexes[at] for at in found]
        if answer is not None:
            answer(Receipt(len(messages), full=sorted(full)))

    def _put_later(
        self, messages: Sequence[Message], tokens: Sequence[Any], delays: Sequence[float], priority: int
    ) -> Collection[int]:
        """Put messages that are delivered later. :returns: indexes of those that did not fit."""
        confirm = partial(self.owner.confirm, tokens) if tokens else None
        return self._registry.enqueuer.put_later(self._queue, messages, delays, confirm, priority)

    def _put(self, messages: Sequence[Message], tokens: Sequence[Any], priority: int) -> Collection[int]:
        """Put messages that are delivered now. :returns: indexes of those that did not fit."""
        wait = self.owner.wait if tokens else None
        confirm = partial(self.owner.confirm, tokens) if tokens and wait is None else None
        placements = None if wait is None else Placements()
        full = self._registry.enqueuer.put(self._queue, messages, confirm, placements, priority) if messages else ()
        if wait is not None and placements is not None:
            wait(tokens, placements.all)
        return full

    def reader(self, on_ready: Callable[[], None]) -> DeclaredReader:
        """Read the queue."""
        self._check()
        self._reader = DeclaredReader(
            self._queue, self._registry.reactor, self._registry.elsewhere, on_ready, self._unread, self._read_by
        )
        self.entry.drained_by = self.owner.backend
        self._read_by(1)
        self._queue.announcer.expect()
        return self._reader

    def _read_by(self, count: int) -> None:
        self.entry.readers = count

    def _unread(self) -> None:
        self._read_by(0)
        self._reader, self.entry.drained_by = None, NOBODY
        self._excuse()

    def _excuse(self) -> None:
        """Let no bus wait for what nobody reads; it is on the disk."""
        if self.durable:
            self._queue.announcer.excuse()

    def dead_letters(self, after: int, size: int) -> Sequence[DeadLetter]:
        """Dead letters of the queue."""
        return self._queue.stored.dead_letters(after, size)

    def remove_letters(self, numbers: Sequence[int]) -> None:
        """Remove dead letters."""
        self._queue.stored.remove_letters(numbers)

    # -- its end

    def leave(self) -> None:
        """Let the queue wait unread, because its owner has stopped; one in memory is deleted."""
        if self._reader is not None:
            self._reader.close()
        self.on_deleted, self.owner = None, Owner(self.owner.backend)
        if not self.durable:
            self.delete()

    def delete(self) -> None:
        """Delete the queue. The messages of one in memory go at once, whoever still knows it."""
        self._check()
        self._deleted = True
        if self._reader is not None:
            self._reader.close()
        for pattern in [*self._bindings]:
            self._unroute(pattern)
        full = self._queue.full
        self._queue.close()
        if not self.durable:
            self._queue.purge()
        self._registry.forget(self.name, full)
        self._queue.stored.delete()
        self.entry.delete = None  # a cycle

    def _deleted_by_operator(self) -> None:
        self.delete()
        if self.on_deleted is not None:
            self.on_deleted()

    def _check(self) -> None:
        if self._deleted:
            raise HubError(f"the queue {self.name!r} was deleted")


def _alike(count: int, delays: Sequence[float], priorities: Sequence[int]) -> list[tuple[bool, int, Sequence[int]]]:
    """Group messages that are put alike, in order, those without a delay first.

    :returns: for each group, whether its messages come later, their priority, and their indexes.
    """
    later = any(delay > 0 for delay in delays)
    if not later and not any(priority != DEFAULT_PRIORITY for priority in priorities):
        return [(False, DEFAULT_PRIORITY, range(count))]
    groups: dict[tuple[bool, int], list[int]] = {}
    for at in range(count):
        groups.setdefault((later and delays[at] > 0, priorities[at] if priorities else DEFAULT_PRIORITY), []).append(at)
    return sorted(((*key, indexes) for key, indexes in groups.items()), key=itemgetter(0))
