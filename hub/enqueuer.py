"""The enqueuer routes each batch from a backend, has it stored, and offers each queue its share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from hub.deadletter import DeadLetter
from hub.duplicates import Duplicates
from hub.interfaces import Clock, Receipt, Sink
from hub.message import DEFAULT_PRIORITY, Message
from hub.placements import Placements
from hub.queue import delayed
from hub.queue.queue import Queue
from hub.refused import RefusedRings
from hub.router import Router
from hub.store import RoutedBatch, Share, Store
from hub.subscriptions import Subscriptions

PAGE_BYTES = 512 << 10
"""Bytes of bodies in one batch; a larger batch is halved, because the store needs contiguous room for a page."""

Offer = tuple[Queue, int, Sequence[Message], int, int]


class IntakeCounters(msgspec.Struct):
    """Counters of received messages; they only grow."""

    received: int = 0
    """Messages taken in: without duplicates and refused ones, with those put into declared queues."""
    received_bytes: int = 0
    unrouted: int = 0
    """Messages that no queue matched."""
    refused: int = 0
    """Messages with a body that can't be used."""

    def count(self, messages: Sequence[Message], size: int) -> None:
        """Count a batch that goes to queues. :param size: bytes of its bodies."""
        self.received += len(messages)
        self.received_bytes += size


class Enqueuer:
    """Routes messages from all backends. Belongs to the reactor's thread.

    :ivar router: from topics to queues.
    :ivar subscriptions: sinks that are shown messages as they arrive, without a queue.
    :ivar refused: the last refused messages.
    :ivar reserved: sinks by topic, of messages that intakes take out before they come here; see :mod:`hub.reserved`.
    :ivar duplicates: detects duplicates; ``None``: they are not looked for.
    :param later: schedules a call for the next turn of the reactor, in order: the sender is confirmed before the
        message, which may kill the hub, is handed out.
    :param hold_back: called when a blocking queue is full, to pause the backends.
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
        self.refused = RefusedRings(store)
        self.subscriptions = Subscriptions()
        self.reserved: dict[str, Sink] = {}
        self._store = store
        self._wall = wall
        self._hold_back = hold_back
        self._later = later
        self._postponed = 0

    def receive(
        self, messages: list[Message], confirm: Callable[[], None] | None, placements: Placements | None = None
    ) -> Receipt:
        """Route a batch, store it, offer it.

        :param confirm: called when the store has the batch, in any thread; ``None``: the sender expects no
            confirmation.
        :param placements: is given the placements of the messages that are no duplicates, in order.
        """
        count = len(messages)
        places: Sequence[int] | None = None
        again: Sequence[int] = ()
        if self.duplicates is not None:
            placements = placements or Placements()
            fresh = self.duplicates.fresh(messages, placements)
            if len(fresh) < count:
                places, again = _parted(messages, fresh)
                messages = fresh
        if not messages:
            if confirm is not None:  # in order: the first copy may not be on disk yet
                self._store.append(RoutedBatch([], []), confirm)
            return Receipt(count, again)
        full = self._receive(messages, confirm, placements)
        if not full and not again:
            return Receipt(count)
        return Receipt(count, again, sorted(full) if places is None else [places[index] for index in sorted(full)])

    def _receive(
        self, messages: Sequence[Message], confirm: Callable[[], None] | None, placements: Placements | None
    ) -> set[int]:
        full: set[int] = set()
        for first, part, size, stored in _parts(messages, confirm):
            self.counters.count(part, size)
            missed = self.deliver(part, self._routed(part), size, stored, placements=placements)
            full.update([first + index for index in missed])
            if placements is not None:
                placements.next_part(len(part))
            if self.subscriptions:
                self.subscriptions.show(part)
        return full

    def when_stored(self, call: Callable[[], object], at_once: bool = True) -> None:
        """Make a call, in any thread, once all messages received so far are stored and confirmed.

        :param at_once: as in :meth:`hub.store.interface.Log.when_stored`.
        """
        self._store.when_stored(call, at_once)

    def put(
        self,
        queue: Queue,
        messages: Sequence[Message],
        confirm: Callable[[], None] | None,
        placements: Placements | None = None,
        priority: int = DEFAULT_PRIORITY,
    ) -> set[int]:
        """Put messages into one queue alone. They are not routed, no subscription shows them, and a replay leaves them
        out.

        :param confirm: called when the store has them, in any thread; for a queue in memory at once.
        :param placements: is given their placements. :param priority: of all of them.
        :returns: indexes of messages that did not fit.
        """
        full: set[int] = set()
        for first, part, size, stored in _parts(messages, confirm if queue.durable else None):
            self.counters.count(part, size)
            missed = self.deliver(part, [(queue, None)], size, stored, placements, routed=False, priority=priority)
            full.update([first + index for index in missed])
            if placements is not None:
                placements.next_part(len(part))
        if confirm is not None and not queue.durable:
            confirm()
        return full

    def put_later(
        self,
        queue: Queue,
        messages: Sequence[Message],
        delays: Sequence[float],
        confirm: Callable[[], None] | None,
        priority: int = DEFAULT_PRIORITY,
    ) -> set[int]:
        """Put messages into one queue alone, which delivers them later. :param delays: seconds for each message. The
        others as in ``put``."""
        full: set[int] = set()
        for first, part, size, stored in _parts(messages, confirm if queue.durable else None):
            self.counters.count(part, size)
            mine = delays[first : first + len(part)]
            start, kept = delayed.admit(queue, part, size)
            if len(kept) < len(part):
                queue.stored.changed()  # its count of dropped messages
                full.update(range(first + len(kept), first + len(part)))
            if queue.durable:
                tries = delayed.tries_of(queue, start, mine[: len(kept)])
                shares = [Share(queue.name, start, None, kept, tries)] if kept else []
                self._store.append(RoutedBatch(kept, shares, copy=True, priority=priority), stored)
            delayed.offer(queue, start, kept, mine, priority)
        if confirm is not None and not queue.durable:
            confirm()
        return full

    def deliver(
        self,
        messages: Sequence[Message],
        routes: Sequence[tuple[Queue, Sequence[int] | None]],
        size: int,
        confirm: Callable[[], None] | None,
        placements: Placements | None = None,
        routed: bool = True,
        if_room: bool = False,
        priority: int = DEFAULT_PRIORITY,
    ) -> set[int]:
        """Deliver messages to queues. Durable queues have them stored first.

        :param routes: indexes of the messages for each queue; ``None``: all. :param size: bytes of all bodies.
        :param routed: false for copies: messages that are put into queues, not routed, and that a replay leaves out.
        :param if_room: the caller keeps the messages: those that do not fit into a queue are not delivered to it, and
            nothing is dropped. :param priority: of the messages in these queues.
        :returns: indexes of messages that some queue had no room for.
        """
        missed: set[int] = set()
        shares: list[Share] = []
        offers: list[Offer] = []
        for queue, indexes in routes:
            mine = messages if indexes is None else [messages[index] for index in indexes]
            my_size = size if indexes is None else sum([len(message.body) for message in mine])
            start, kept, kept_size = queue.admit(mine, my_size, if_room)
            offers.append((queue, start, kept, kept_size, priority))
            if len(kept) < len(mine):
                queue.stored.changed()  # its count of dropped messages
                all_ = range(len(mine)) if indexes is None else indexes
                missed.update(all_[len(kept) :])
                indexes = [*all_[: len(kept)]]
            if placements is not None:
                placements.add(queue, start, range(len(messages)) if indexes is None else indexes)
            if kept and queue.durable:
                shares.append(Share(queue.name, start, indexes, kept))
        wanted = shares or confirm is not None or (self._store.keeps and routed)
        late = wanted and self._store.append(RoutedBatch(messages, shares, not routed, priority=priority), confirm)
        self._offer_in_turn(offers, bool(late))
        return missed

    def _offer_in_turn(self, offers: list[Offer], late: bool) -> None:
        if late or self._postponed:  # after the reactor has sent the confirmation, and in order
            self._postponed += 1
            self._later(lambda: self._offer_late(offers))
        else:
            self._offer(offers)

    def _offer_late(self, offers: list[Offer]) -> None:
        self._postponed -= 1
        self._offer(offers)

    def _offer(self, offers: list[Offer]) -> None:
        full = [queue.offer(start, kept, size, priority) for queue, start, kept, size, priority in offers]
        if True in full:
            self._hold_back()

    def _routed(self, messages: Sequence[Message]) -> list[tuple[Queue, Sequence[int] | None]]:
        """Matching queues, each with the indexes of its messages; ``None``: all."""
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
        """Count an unusable message and keep a truncated copy, to find its sender. It is not delivered."""
        self.counters.refused += 1
        self.refused.add(DeadLetter(message, reason, attempts=0, buried_at=self._wall()))

    def bury(self, message: Message, reason: str) -> None:
        """Make a message a dead letter of each matching queue; if none matches, it is refused."""
        queues = self.router.route(message.topic)
        for queue in queues:
            queue.bury_unqueued(DeadLetter(message, reason, attempts=0, buried_at=self._wall()))
        if not queues:
            self.refuse(message, reason)


def _parts(
    messages: Sequence[Message], confirm: Callable[[], None] | None
) -> list[tuple[int, Sequence[Message], int, Callable[[], None] | None]]:
    """Parts of a batch that fit into a page each: the index of the first message, the messages, the bytes of their
    bodies, and the function to call when the part is stored. Parts are stored in order, so that of the last covers
    all."""
    size = sum([len(message.body) for message in messages])
    if size <= PAGE_BYTES or len(messages) <= 1:
        return [(0, messages, size, confirm)]
    middle = len(messages) // 2
    second = _parts(messages[middle:], confirm)
    return _parts(messages[:middle], None) + [(middle + first, part, size, told) for first, part, size, told in second]


def _parted(messages: Sequence[Message], fresh: Sequence[Message]) -> tuple[list[int], list[int]]:
    """Indexes of the fresh messages, and indexes of the others."""
    known = {id(message) for message in fresh}
    places: tuple[list[int], list[int]] = ([], [])
    for index, message in enumerate(messages):
        places[id(message) not in known].append(index)
    return places
