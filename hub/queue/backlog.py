"""Backlog of a queue: all messages that are not in flight, and their order of delivery. Pure: no lock."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from hub.message import DEFAULT_PRIORITY, Message
from hub.queue.ack_state import AckState
from hub.queue.aside import Aside
from hub.queue.batches import Batches
from hub.queue.delivery import Delivery, Entry
from hub.queue.key_order import Item, KeyOrder
from hub.queue.levels import Levels
from hub.queue.policy import Window
from hub.queue.priority_level import PriorityLevel
from hub.queue.ready import ReadyWindow
from hub.queue.schedule import AT_FRONT, Schedule, rank
from hub.store import CommittedState

SORT_AHEAD = 64
"""Messages that are sorted by key at a time: enough to keep other threads busy, few enough to hold a lock."""

MOST_IN_KEY_ORDER = 1 << 20
"""Most messages in key order. At least their positions are in memory, some 40 MiB."""


class _Fresh:
    """Messages of one priority that are next, without those in the schedule.

    :param unread: position of the first one that is not in memory.
    :ivar position: of the first one. :ivar rank: of the first one, among all messages of the queue.
    """

    def __init__(self, priority: int, batches: Batches, unread: int) -> None:
        self.priority, self.batches = priority, batches
        self.position = batches.head[0] if batches.head is not None else unread
        self.rank = rank(self.position, priority)


class Backlog:
    """Waiting messages, delivered in this order: due retries, messages in key order (if there are keys), ready window.

    Retries and the ready window take turns, so that neither starves the other. No message overtakes one that is
    suspected of having killed the hub.

    Messages of another priority than the default are in ``levels``. Once there are some, a message comes before all of
    lower priorities, and those of one priority in the order of their positions, also retries that are due: backoff
    bounds what they take.

    :param acks: settles dropped messages.
    :param window: ``None``: all messages are in memory.
    :param loaded: all positions below it are settled. :param next_position: position of the next arrival.
    """

    def __init__(self, acks: AckState, window: Window | None = None, loaded: int = 0, next_position: int = 0) -> None:
        self.schedule = Schedule(window.size) if window else Schedule()
        unloading = self.schedule.unloading
        self.keys = KeyOrder(window.count, window.size, unloading) if window else KeyOrder()
        self.levels = Levels(acks, self.schedule, window)
        self.ready = ReadyWindow(acks, self.schedule, self.keys, self.levels, window, loaded, next_position)
        self.aside = Aside(acks)
        self._acks = acks
        self._window = window
        self._batches = self.ready.batches
        self._sorting = False
        self._turn_of_fresh = False

    @property
    def waiting(self) -> Sequence[ReadyWindow | PriorityLevel]:
        """The ready window, and the level of each other priority: messages that wait in order."""
        return (self.ready, *self.levels)

    @property
    def size(self) -> int:
        """Bytes of all bodies in memory."""
        return self._batches.size + self.schedule.size + self.levels.size + self.aside.size

    @property
    def total_size(self) -> int:
        """Bytes of all bodies: those in memory, and an estimate for the unread ones."""
        return self.size + self.ready.unread_size + self.levels.unread_size

    def recount(self) -> None:
        """Correct ``size``, which counts a batch until its last message is taken."""
        for one in self.waiting:
            one.batches.recount()

    @property
    def delayed(self) -> int:
        """Number of messages, and of keys, that wait for a retry."""
        return self.schedule.delayed + self.keys.held

    @property
    def first_unread(self) -> int:
        """First position that may have to be read from the store. 0 if messages in key order were unloaded."""
        unread = self.levels.first_unread
        first = self.ready.loaded if unread is None else min(unread, self.ready.loaded)
        return 0 if self.keys.unloaded else first

    @property
    def next_due(self) -> float | None:
        """Monotonic seconds at which the next delayed message is due."""
        times = [time for time in (self.schedule.next_due, self.keys.next_due) if time is not None]
        return min(times, default=None)

    # -- arrivals

    def arrive(self, start: int, messages: Sequence[Message], size: int, priority: int) -> None:
        """Add a batch that arrives, whose first message has the position ``start``. :param size: bytes of its bodies.

        :param priority: of all its messages.
        """
        if priority == DEFAULT_PRIORITY:
            self.ready.arrive(start, messages, size)
        elif messages:
            self.levels.of(priority).arrive(start, messages, size)
            self.ready.skip_level(start, len(messages))

    def restore(self, state: CommittedState, entries: Mapping[int, Entry], with_keys: bool) -> None:
        """Restore the sizes and the levels, at the start. :param entries: messages that were tried."""
        ready, levels = self.ready, self.levels
        ready.oldest_unread = state.oldest
        levels.restore(state.levels, state.oldest)
        waiting = self._acks.unsettled(ready.loaded, ready.next_position)
        ready.unread_size = levels.share_size(state.unread_bytes, sum([stop - start for start, stop in waiting]))
        for entry in entries.values() if levels.used else ():
            entry.priority = levels.priority_at(entry.position, state.levels)
        self.schedule.recover(entries, with_keys)
        ready.skip_restored()

    # -- deliveries

    def take(self, limit: int, now: float, with_keys: bool) -> Delivery | None:
        """Take a delivery of messages that are due, at most ``limit``.

        :param now: monotonic seconds.
        :param with_keys: whether messages of the ready window have to be sorted by key first.
        """
        if self.levels.used:
            return self._take_by_priority(limit, now)
        fresh = self._turn_of_fresh and self._batches and not with_keys and not len(self.keys)
        fresh = fresh and self.schedule.next_due != AT_FRONT
        if not fresh and (run := self.schedule.due(limit, now)):
            self._turn_of_fresh = not run[0].kills
            return Delivery.of(run, None)
        self._turn_of_fresh = False
        if (found := self.keys.take(limit, now)) is not None:
            key, run = found
            for entry in run:
                self.schedule.remove(entry)
            return Delivery.of(run, (key,))
        if with_keys or len(self.keys) or not self._batches:
            return None
        if self.schedule.recovered.in_turn:
            return self._take_recovered(limit)
        positions, messages = self._batches.take(limit)
        return Delivery(messages, positions)

    def _take_by_priority(self, limit: int, now: float) -> Delivery | None:
        self.schedule.ripen(now)
        front, fresh = self.schedule.front, self._fresh()
        if front is not None and (fresh is None or rank(front.position, front.priority) < fresh.rank):
            return Delivery.of(self.schedule.due(limit, now, None if fresh is None else fresh.rank), None)
        if fresh is None or not fresh.batches:  # there are none, or they are being read
            return None
        if front is not None and front.priority == fresh.priority:
            limit = min(limit, front.position - fresh.position)
        positions, messages = fresh.batches.take(limit)
        return Delivery(messages, positions, priority=fresh.priority)

    def _fresh(self) -> _Fresh | None:
        """The messages of the highest priority that are not in the schedule."""
        level = self.levels.highest()
        if level is None or level.priority < DEFAULT_PRIORITY:
            if self._batches or self.ready.behind:
                return _Fresh(DEFAULT_PRIORITY, self._batches, self.ready.loaded)
            if level is None:
                return None
        return _Fresh(level.priority, level.batches, level.unread.first if level.unread else 0)

    def overtakes(self, delivery: Delivery) -> bool:
        """Tell whether waiting messages come before those of a delivery that was read ahead."""
        if self.schedule.front_before(delivery.positions[0], delivery.priority):
            return True
        fresh = self._fresh() if self.levels.used else None
        return fresh is not None and fresh.rank < rank(delivery.positions[0], delivery.priority)

    @property
    def halted(self) -> bool:
        """True if the next messages must be read before any other is delivered."""
        fresh = self._fresh() if self.levels.used else None
        return fresh is not None and not fresh.batches

    def _take_recovered(self, limit: int) -> Delivery:
        """Take from a ready window that holds recovered messages. A recovered message is delivered alone."""
        recovered = self.schedule.recovered
        assert self._batches.head is not None
        positions, messages = self._batches.take(recovered.alone(self._batches.head[0], limit))
        entry = recovered.pop(positions[0])
        if entry is None:
            return Delivery(messages, positions)
        return Delivery(messages, positions, entry.attempts, entry.failures, entry.kills)

    def put_back(self, delivery: Delivery, entries: Sequence[Entry], due: float) -> None:
        """Return the next messages of a delivery. They are delivered before all others, once they are due."""
        if not delivery.key and not delivery.scheduled and not entries[0].attempts:
            priority = delivery.priority
            batches = self._batches if priority == DEFAULT_PRIORITY else self.levels.of(priority).batches
            batches.put_back(entries[0].position, delivery.messages[delivery.done :])
            return
        for entry in entries:
            entry.due = due
        if delivery.key is not None:
            self.schedule.add(entries)
            self.keys.put_back(delivery.key[0], entries, due)
        else:
            self.schedule.delay(entries, due)

    def put_in_front(self, entries: Sequence[Entry]) -> None:
        """Return messages without keys to the front, in the order of positions."""
        for entry in entries:
            entry.due = AT_FRONT
        self.schedule.delay(entries, AT_FRONT)

    # -- key order

    def unsorted(self) -> list[Entry]:
        """Take messages to be sorted by key. The caller must pass them to ``sort``; until then this returns no more.

        Only one thread sorts at a time, to keep the order.
        """
        if self._sorting or self.crowded or not self._batches or self.schedule.recovered.exempted:
            return []
        self._sorting = True
        positions, messages = self._batches.take(SORT_AHEAD)
        entries = [self._entry(position, message) for position, message in zip(positions, messages, strict=True)]
        self.schedule.add(entries)
        return entries

    @property
    def crowded(self) -> bool:
        """True if key order holds enough messages: a full window of ready ones, or the maximum of all."""
        window, keys = self._window, self.keys
        if window is None:
            return False
        return keys.ready >= window.count or keys.ready_size >= window.size or len(keys) >= MOST_IN_KEY_ORDER

    def _entry(self, position: int, message: Message) -> Entry:
        entry = self.schedule.recovered.pop(position) or Entry(position, message)
        entry.message = message
        return entry

    def sort(self, entries: Sequence[Entry], keys: Sequence[Hashable]) -> None:
        """Append entries of ``unsorted`` to their keys."""
        for entry, key in zip(entries, keys, strict=True):
            self.keys.add(key, entry)
        self._sorting = False

    def load_key(self, key: Hashable, items: Sequence[Item], messages: Mapping[int, Message]) -> list[int]:
        """Add messages of ``keys.unread`` that were read from the store. Returns the positions that can't be read.

        :param items: the requested messages.
        """
        for item in items:
            if isinstance(item, Entry) and (message := messages.get(item.position)) is not None:
                self.schedule.loaded(len(message.body))
        missing = self.keys.read(key, items, messages, self._entry_read)
        for position in missing:
            self.schedule.lost(position)
            self._acks.settle(position, position + 1)
        self._acks.counters.dropped_damaged += len(missing)
        return missing

    def _entry_read(self, position: int, message: Message) -> Entry:
        entry = Entry(position, message)
        self.schedule.add([entry])
        return entry

    # -- inspection

    def received_at(self, position: int) -> float | None:
        """Epoch seconds of receipt, if the message is in the schedule or is the next ready one; else ``None``."""
        if (entry := self.schedule.outside(position)) is not None:
            return entry.since
        if (delivery := self.aside.get(position)) is not None:
            return delivery.current.received_at
        for one in self.waiting:
            if (head := one.batches.head) is not None and head[0] == position:
                return head[1].received_at
        return None

    def oldest_unread(self) -> float | None:
        """Epoch seconds before which no unread message was received; ``None``: it is not known."""
        oldest = self.levels.oldest_unread() if self.levels.used else None
        if oldest is None or (self.ready.behind and self.ready.oldest_unread is None):
            return self.ready.oldest_unread
        return min(oldest, self.ready.oldest_unread or oldest) if self.ready.behind else oldest
