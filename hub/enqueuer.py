"""Between the backends and the queues: routes each batch, and gives each queue its share in one piece."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.deadletter import DeadLetter
from hub.interfaces import Clock
from hub.message import Message
from hub.queue import Queue
from hub.router import Router
from hub.store import RoutedBatch, Store

Confirm = Callable[[Sequence[Any]], None]
Tap = Callable[[Sequence[Message]], None]


@dataclass
class IntakeCounters:
    """What came from the backends; only grows."""

    received: int = 0
    received_bytes: int = 0
    unrouted: int = 0
    """Received, and wanted by no consumer."""
    refused: int = 0
    """Received with a body that can't be used."""


class Enqueuer:
    """In the reactor's thread, all of it.

    :ivar router: swapped at a reload.
    :ivar taps: are shown every batch, whatever becomes of it (``hubbub tail``).
    :param hold_back: called when a queue that blocks is full; whoever made the enqueuer pauses the backends.
    """

    def __init__(self, router: Router[Queue], store: Store, wall: Clock, hold_back: Callable[[], None]) -> None:
        self.router = router
        self.counters = IntakeCounters()
        self.taps: list[Tap] = []
        self._store = store
        self._wall = wall
        self._hold_back = hold_back

    def receive(self, messages: list[Message], confirm: Callable[[], None]) -> None:
        """Route a batch, store it, offer it.

        :param confirm: called when the store has it; in any thread.
        """
        if not messages:
            return
        size = sum([len(message.body) for message in messages])
        self.counters.received += len(messages)
        self.counters.received_bytes += size
        shares = self._shares(messages, size)
        self._store.append(RoutedBatch(messages, [(queue.name, share) for queue, share, _ in shares]), confirm)
        full = [queue.offer(share, share_size) for queue, share, share_size in shares]
        if True in full:
            self._hold_back()
        for tap in self.taps:
            tap(messages)

    def _shares(self, messages: list[Message], size: int) -> list[tuple[Queue, Sequence[Message], int]]:
        """Each queue that wants some of them, with these and their bytes."""
        cache = self.router.cache
        routes = [cache[message.topic] for message in messages]
        if routes.count(routes[0]) == len(routes):
            self.counters.unrouted += 0 if routes[0] else len(messages)
            return [(queue, messages, size) for queue in routes[0]]
        shares: dict[Queue, list[Message]] = {}
        for message, queues in zip(messages, routes, strict=True):
            self.counters.unrouted += not queues
            for queue in queues:
                shares.setdefault(queue, []).append(message)
        return [(queue, share, sum([len(m.body) for m in share])) for queue, share in shares.items()]

    def refuse(self, message: Message, reason: str) -> None:
        """Bury it in each queue that wants its topic."""
        self.counters.refused += 1
        for queue in self.router.route(message.topic):
            self._store.bury(queue.name, DeadLetter(message, reason, attempts=0, buried_at=self._wall()))
            queue.refuse()


class BackendIntake:
    """An enqueuer as one backend sees it: see :class:`hub.interfaces.Intake`."""

    def __init__(self, enqueuer: Enqueuer, confirm: Confirm) -> None:
        self._enqueuer = enqueuer
        self._confirm = confirm

    def receive(self, messages: list[Message], tokens: Sequence[Any] = ()) -> None:
        """Pass it on; its sender is told when the store has it."""
        self._enqueuer.receive(messages, (lambda: self._confirm(tokens)) if tokens else _nobody)

    def refuse(self, message: Message, reason: str) -> None:
        """Pass it on."""
        self._enqueuer.refuse(message, reason)


def _nobody() -> None:
    """Who is told where the bus has no acknowledgements."""
