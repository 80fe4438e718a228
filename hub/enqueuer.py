"""Between the backends and the queues: routes each batch, and gives each queue its share in one piece."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.deadletter import DeadLetter
from hub.duplicates import Duplicates
from hub.interfaces import Clock
from hub.message import Message
from hub.queue.queue import Queue
from hub.refused import Refused
from hub.router import Router
from hub.store import RoutedBatch, Share, Store

PAGE_BYTES = 512 << 10
"""Of bodies in one batch; a larger one is halved. A store finds room for a page in one piece."""

CAREFUL_TIMEOUT = 5.0
"""Seconds that the reactor waits for a commit, in the rare times when it does."""

Offer = tuple[Queue, int, Sequence[Message], int]
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
    """Received with a body that can't be used: given to no consumer."""


class Enqueuer:
    """In the reactor's thread, all of it.

    :ivar router: swapped at a reload.
    :ivar taps: are shown every batch, whatever becomes of it (``hubbub tail``).
    :ivar refused: the last messages that could not be used.
    :ivar duplicates: which messages came before; ``None``: nobody asks.
    :param later: makes a call in the next turn of the reactor, after all that it was asked before: the sender is told
        before the message, which may kill the hub, is given to anybody.
    :param hold_back: called when a queue that blocks is full; whoever made the enqueuer pauses the backends.
    """

    def __init__(
        self,
        router: Router[Queue],
        store: Store,
        wall: Clock,
        hold_back: Callable[[], None],
        duplicates: Duplicates | None = None,
        later: Callable[[Callable[[], None]], object] = lambda call: call(),
    ) -> None:
        self.router = router
        self.duplicates = duplicates
        self.counters = IntakeCounters()
        self.refused = Refused(store)
        self.taps: list[Tap] = []
        self._store = store
        self._wall = wall
        self._hold_back = hold_back
        self._later = later
        self._postponed = 0

    def receive(self, messages: list[Message], confirm: Callable[[], None] | None) -> None:
        """Route a batch, store it, offer it.

        :param confirm: called when the store has it; in any thread. ``None``: nobody waits for that.
        """
        if self.duplicates is not None:
            messages = self.duplicates.fresh(messages)
        if not messages:
            if confirm is not None:  # in its turn: what this is a duplicate of may be on its way to the disk
                self._store.append(RoutedBatch([], []), confirm)
            return
        self._receive(messages, confirm)

    def _receive(self, messages: list[Message], confirm: Callable[[], None] | None) -> None:
        size = sum([len(message.body) for message in messages])
        if size > PAGE_BYTES and len(messages) > 1:
            middle = len(messages) // 2
            self._receive(messages[:middle], None)
            self._receive(messages[middle:], confirm)  # batches are stored in order, so the last one tells of both
            return
        self.counters.received += len(messages)
        self.counters.received_bytes += size
        self.deliver(messages, self._routed(messages), size, confirm)
        for tap in self.taps:
            tap(messages)

    def when_stored(self, call: Callable[[], object]) -> None:
        """Have it called, in any thread, once all that was received so far is stored, and confirmed before."""
        self._store.when_stored(call)

    def deliver(
        self,
        messages: Sequence[Message],
        routes: Sequence[tuple[Queue, Sequence[int] | None]],
        size: int,
        confirm: Callable[[], None] | None,
        copy: bool = False,
    ) -> None:
        """Have these queues take them, and those of them that are durable store them first.

        :param routes: for each queue, which of the messages; ``None``: all. :param size: bytes of all their bodies.
        :param copy: they were received before, and are kept elsewhere until a queue takes them: what does not fit into
            one is not given to it.
        """
        shares: list[Share] = []
        offers: list[Offer] = []
        for queue, indexes in routes:
            mine = messages if indexes is None else [messages[index] for index in indexes]
            my_size = size if indexes is None else sum([len(message.body) for message in mine])
            start, kept, kept_size = queue.admit(mine, my_size, copy)
            offers.append((queue, start, kept, kept_size))
            if len(kept) < len(mine):
                queue.store.changed(queue.name)  # what it dropped is counted
            if kept and queue.store.durable:
                if len(kept) < len(mine):
                    indexes = list(indexes or range(len(mine)))[: len(kept)]
                shares.append(Share(queue.name, start, indexes, kept))
        if shares or confirm is not None or self._store.keeps:
            self._store.append(RoutedBatch(messages, shares, copy), confirm)
        if self._store.careful or self._postponed:
            self._postponed += 1
            self._store.flush(CAREFUL_TIMEOUT)
            self._later(lambda: self._offer_late(offers))
        else:
            self._offer(offers)

    def _offer_late(self, offers: list[Offer]) -> None:
        self._postponed -= 1
        self._offer(offers)

    def _offer(self, offers: list[Offer]) -> None:
        full = [queue.offer(start, kept, size) for queue, start, kept, size in offers]
        if True in full:
            self._hold_back()

    def _routed(self, messages: Sequence[Message]) -> list[tuple[Queue, Sequence[int] | None]]:
        """Each queue that wants some of them, and which."""
        cache = self.router.cache
        routes = [cache[message.topic] for message in messages]
        if routes.count(routes[0]) == len(routes):
            self.counters.unrouted += 0 if routes[0] else len(messages)
            return [(queue, None) for queue in routes[0]]
        wanted: dict[Queue, list[int]] = {}
        for index, queues in enumerate(routes):
            self.counters.unrouted += not queues
            for queue in queues:
                wanted.setdefault(queue, []).append(index)
        return [(queue, None if len(indexes) == len(messages) else indexes) for queue, indexes in wanted.items()]

    def refuse(self, message: Message, reason: str) -> None:
        """Keep it, cut, for who wants to know who sends such things; it is given to nobody."""
        self.counters.refused += 1
        self.refused.add(DeadLetter(message, reason, attempts=0, buried_at=self._wall()))


class BackendIntake:
    """An enqueuer as one backend sees it: see :class:`hub.interfaces.Intake`."""

    def __init__(self, enqueuer: Enqueuer, confirm: Confirm) -> None:
        self._enqueuer = enqueuer
        self._confirm = confirm

    def receive(self, messages: list[Message], tokens: Sequence[Any] = ()) -> None:
        """Pass it on; its sender is told when the store has it."""
        self._enqueuer.receive(messages, (lambda: self._confirm(tokens)) if tokens else None)

    def refuse(self, message: Message, reason: str) -> None:
        """Pass it on."""
        self._enqueuer.refuse(message, reason)
