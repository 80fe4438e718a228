"""All messages of a queue that no worker has: ready, unread, sorted into lanes, or aside until a retry. Pure: no lock.

A queue *follows* while the messages that arrive fit into its ready window; they stay in memory, shared by all queues.
When it is full the queue is *behind*: what arrives is only counted, and read from the store later, until it has caught
up.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from hub.message import Message
from hub.queue.lanes import Item, Lanes
from hub.queue.ready import Ready
from hub.queue.resumed import Resumed
from hub.queue.schedule import Delays, Entry
from hub.queue.taken import Taken

SORT_AHEAD = 64
"""Messages that are sorted into lanes at a time: enough to find work for other threads, few enough for a lock."""

MOST_IN_LANES = 1 << 20
"""Messages behind others of their key, of which at least the position is in memory: some 40 MiB."""

POSITION = attrgetter("position")

LaneOf = Callable[[Message], Hashable]


@dataclass(frozen=True)
class Window:
    """How much of a queue may be in memory, where the rest is in the store."""

    count: int
    size: int
    """Bytes of bodies."""


class Waiting:
    """Hands out what is due: retries, then lanes (where there are any), then the ready window.

    Retries and the ready window take turns, so that neither starves the other; but nothing passes what is suspected of
    having killed the hub.

    :param window: ``None``: everything is in memory.
    :param loaded: positions below it are in memory, aside or settled; those from it on are unread.
    :ivar next_position: of the next message that arrives.
    :ivar unread_size: bytes of what is unread, nearly: what was settled since is still in it.
    :ivar oldest_unread: epoch seconds at which the first of what is unread was received, or before.
    :ivar resumed: what waited for a retry when the hub ended.
    """

    def __init__(self, window: Window | None = None, loaded: int = 0, next_position: int = 0) -> None:
        self.ready = Ready()
        self.loaded = loaded
        self.next_position = next_position
        self.unread_size = 0
        self.oldest_unread: float | None = None
        self.resumed = Resumed()
        self._window = window
        self._lanes = Lanes(window.count, window.size, self._let_go) if window else Lanes()
        self._delays: Delays[Entry] = Delays()
        self._aside: dict[int, Entry] = {}
        self._aside_size = 0
        self._delayed_size = 0
        self._sorting = False
        self._turn_of_fresh = False

    @property
    def size(self) -> int:
        """Bytes of bodies in memory; those in lanes and those that wait for a retry count too."""
        return self.ready.size + self._aside_size

    @property
    def _in_turn(self) -> int:
        """Bytes of what is ready or in a free lane. What waits for a retry, or behind one, does not count: it must not
        keep others out."""
        return self.ready.size + self._lanes.ready_size

    @property
    def delayed(self) -> int:
        """Messages that wait for a retry outside of lanes, and lanes that wait for one."""
        return len(self._delays) + self._lanes.held + len(self.resumed)

    @property
    def behind(self) -> bool:
        """Whether some are unread."""
        return self.loaded < self.next_position

    @property
    def first_unread(self) -> int:
        """The first position that may have to be read from the store: what was let go of in lanes may lie anywhere."""
        return 0 if self._lanes.let_go else self.loaded

    @property
    def next_due(self) -> float | None:
        """When the next of what is delayed is due."""
        times = [time for time in (self._delays.next_due, self._lanes.next_due) if time is not None]
        return min(times, default=None)

    # -- what comes in

    def arrive(self, start: int, messages: Sequence[Message], size: int) -> None:
        """A batch, whose first message has the position ``start``."""
        self.next_position = start + len(messages)
        window = self._window
        if self.loaded < start or (
            window and (len(self.ready) + len(messages) > window.count or self._in_turn + size > window.size)
        ):
            if self.loaded == start and messages:
                self.oldest_unread = messages[0].received_at
            self.unread_size += size
        else:
            self.ready.append(start, messages, size)
            self.loaded = self.next_position

    def wants(self) -> int:
        """How many messages should be read from the store now: none while half the window is full."""
        window = self._window
        if window is None or self.loaded >= self.next_position:
            return 0
        if len(self.ready) > window.count // 2 or self._in_turn > window.size // 2:
            return 0
        held = len(self.ready) + self._lanes.ready
        return max(0, min(window.count - held, self.next_position - self.loaded))

    def room(self) -> int:
        """Bytes that may be read from the store now."""
        return max(1, self._window.size - self._in_turn) if self._window else 0

    def passed(self, position: int, size: int) -> None:
        """What lies before is no longer unread."""
        self.loaded = max(self.loaded, position)
        self.unread_size = max(0, self.unread_size - size) if self.behind else 0

    def learn(self, start: int, messages: Sequence[Message]) -> None:
        """When messages that are unread, or wait for a retry, were received. :param messages: what was read."""
        for position in self.resumed.among(start, start + len(messages)):
            if (entry := self.entry(position)) is not None:
                entry.received_at = messages[position - start].received_at
        self.oldest_unread = messages[-1].received_at

    def resume(self, entries: Mapping[int, Entry], in_lanes: bool) -> None:
        """At the start: what waited for a retry when the hub ended."""
        self.resumed.add(entries, in_lanes)
        for entry in entries.values() if not in_lanes else ():
            self._set_aside([entry])
            self._delays.add(entry.due, entry)

    def spare(self, start: int, stop: int) -> None:
        """Set aside what waits for a retry among positions that are dropped."""
        self._set_aside(self.resumed.spare(start, stop))

    def bring_back(self, entry: Entry, message: Message | None) -> None:
        """The first of what was spared, to its place. :param message: ``None``: it is lost."""
        self.resumed.spared.remove(entry)
        self._no_longer_aside(entry)
        if message is not None:
            self.resumed.put_back(entry)
            self.ready.put_back(entry.position, [message])

    # -- what goes out

    def take(self, limit: int, now: float, in_lanes: bool) -> Taken | None:
        """What is due now, or ``None``. A message that must be read from the store comes alone, as ``None``.

        :param in_lanes: whether the ready window may be handed out only by way of ``unsorted`` and ``sort``.
        """
        fresh = self._turn_of_fresh and self.ready and not in_lanes and not len(self._lanes)
        if not fresh and (run := self._due(limit, now)):
            self._delayed_size -= sum([entry.size for entry in run])
            self._turn_of_fresh = not run[0].kills
            return self._taken(run, None)
        self._turn_of_fresh = False
        if (found := self._lanes.take(limit, now)) is not None:
            key, run = found
            return self._taken(run, (key,))
        if in_lanes or len(self._lanes) or not self.ready:
            return None
        if self.resumed.in_turn:
            return self._take_resumed(limit)
        positions, messages = self.ready.take(limit)
        return Taken(messages, positions)

    def _take_resumed(self, limit: int) -> Taken:
        """While there is something that was tried before the hub ended, when there were lanes."""
        assert self.ready.head is not None
        positions, messages = self.ready.take(self.resumed.alone(self.ready.head[0], limit))
        entry = self.resumed.pop(positions[0])
        if entry is None:
            return Taken(messages, positions)
        return Taken(messages, positions, entry.attempts, entry.failures, entry.kills)

    def _due(self, limit: int, now: float) -> list[Entry]:
        """Retries that are due and alike: what failed as a batch comes again as a batch."""
        run: list[Entry] = []
        while len(run) < limit and (entry := self._delays.first(now)) is not None:
            if run and not entry.may_follow(run[-1]):
                break
            run.append(entry)
            self._delays.pop(now)
        if run and run[0].message is None:
            run.sort(key=POSITION)
        return run

    def _taken(self, run: list[Entry], lane: tuple[Hashable] | None) -> Taken:
        for entry in run:
            self._no_longer_aside(entry)
        first, messages = run[0], [entry.message for entry in run]
        positions = [entry.position for entry in run]
        tries = (first.attempts, first.failures, first.kills)
        return Taken(messages, positions, *tries, lane, since=first.received_at)  # type: ignore[arg-type]

    def unsorted(self) -> list[Entry]:
        """Messages to be sorted into lanes. One thread sorts at a time, or their order would be lost: what this
        returns must be brought to ``sort``; until then it returns nothing more."""
        if self._sorting or self._crowded or not self.ready or self.resumed.spared:
            return []
        self._sorting = True
        positions, messages = self.ready.take(SORT_AHEAD)
        entries = [self._entry(position, message) for position, message in zip(positions, messages, strict=True)]
        self._set_aside(entries)
        return entries

    @property
    def _crowded(self) -> bool:
        """Whether there is enough in lanes: something to do, or more than can be remembered."""
        window, lanes = self._window, self._lanes
        if window is None:
            return False
        return lanes.ready >= window.count or lanes.ready_size >= window.size or len(lanes) >= MOST_IN_LANES

    def unread_in_lane(self) -> tuple[Hashable, list[Item]] | None:
        """A lane whose next messages are to be read again, and which; they must be brought to ``read_in_lane``."""
        return self._lanes.unread()

    def read_in_lane(self, key: Hashable, items: Sequence[Item], messages: Mapping[int, Message]) -> list[int]:
        """So many of them were looked for. Returns the positions of those that can't be read: they wait no more."""
        for item in items:
            if isinstance(item, Entry) and (message := messages.get(item.position)) is not None:
                self._aside_size += len(message.body)
        missing = self._lanes.read(key, items, messages, self._entry_read)
        for position in missing:
            self._aside.pop(position, None)
        return missing

    def _entry_read(self, position: int, message: Message) -> Entry:
        entry = Entry(position, message)
        self._set_aside([entry])
        return entry

    def _let_go(self, entry: Entry) -> None:
        """Of the message of an entry in a lane; one that was never tried is forgotten but for its position."""
        if entry.attempts:
            self._aside_size -= entry.size
        else:
            self._no_longer_aside(entry)

    def _entry(self, position: int, message: Message) -> Entry:
        entry = self.resumed.pop(position) or Entry(position, message)
        entry.message = message
        return entry

    def sort(self, entries: Sequence[Entry], keys: Sequence[Hashable]) -> None:
        """Into the lanes of these keys."""
        for entry, key in zip(entries, keys, strict=True):
            self._lanes.add(key, entry)
        self._sorting = False

    def release(self, taken: Taken) -> None:
        """All of it is settled: its lane goes on."""
        if taken.lane is not None:
            self._lanes.release(taken.lane[0])

    def put_back(self, taken: Taken, entries: Sequence[Entry], due: float) -> None:
        """The rest of what was taken, to be handed out again, before all others, when it is due."""
        if not taken.lane and not entries[0].attempts:
            self.ready.put_back(entries[0].position, taken.messages[taken.done :])
            return
        for entry in entries:
            entry.due = due
        if taken.lane is not None:
            self._set_aside(entries)
            self._lanes.put_back(taken.lane[0], entries, due)
            return
        for entry in entries:
            if self._window and self._delayed_size > self._window.size:
                entry.let_go()
            self._set_aside([entry])
            self._delayed_size += len(entry.message.body) if entry.message else 0
            self._delays.add(due, entry)

    def _set_aside(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._aside[entry.position] = entry
            self._aside_size += len(entry.message.body) if entry.message else 0

    def _no_longer_aside(self, entry: Entry) -> None:
        del self._aside[entry.position]
        self._aside_size -= len(entry.message.body) if entry.message else 0

    def since(self, position: int) -> float | None:
        """When the message at that position was received, if it is aside, in a lane, or the next that is ready."""
        if (entry := self._aside.get(position)) is not None:
            return entry.since
        head = self.ready.head
        return head[1].received_at if head is not None and head[0] == position else None

    def entry(self, position: int) -> Entry | None:
        """What is known of the message at that position, if it is aside, in a lane, or was tried before."""
        return self._aside.get(position) or self.resumed.get(position)

    def drop_lanes(self) -> list[int]:
        """The positions of what is in lanes and was never tried: it is there no more."""
        entries, positions = self._lanes.drop()
        for entry in entries:
            self._no_longer_aside(entry)
        return [*(entry.position for entry in entries), *positions]

    def aside(self) -> list[Entry]:
        """All that are aside or in a lane."""
        return list(self._aside.values())
