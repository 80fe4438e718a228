"""Key order: messages with the same key are delivered in order, keys in parallel. Pure: no lock, no clock."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import islice, takewhile

import msgspec

from hub.message import Message
from hub.queue.delivery import Entry
from hub.queue.schedule import Delays

READ_BACK = 256
"""Most messages of one key that are read from the store at a time."""

Item = Entry | int
"""A message of a key: its entry, or only the position if it was unloaded and never tried."""


class _Lane(msgspec.Struct):
    """Messages of one key. :ivar count: those in memory. :ivar size: bytes of their bodies."""

    items: deque[Item] = msgspec.field(default_factory=deque)
    free: bool = True
    count: int = 0
    size: int = 0


class KeyOrder:
    """A lane for each key: its messages are delivered in order, one run at a time.

    A lane is busy from ``take`` to ``release``, and held while its first message waits for a retry. Those of busy and
    held lanes must not keep other keys out of memory: beyond the bounds they are unloaded, and read from the store when
    it is their turn.

    :param most: most messages of busy and held lanes in memory. :param most_size: most bytes of them.
    :param on_unload: called for each entry before its message is unloaded. An entry that was never tried is then
        replaced by its position.
    :ivar ready: number of messages of free lanes in memory. :ivar ready_size: their bytes.
    """

    def __init__(
        self,
        most: int = sys.maxsize,
        most_size: int = sys.maxsize,
        on_unload: Callable[[Entry], None] = lambda entry: None,
    ) -> None:
        self.ready = self.ready_size = 0
        self._kept = self._kept_size = 0  # of lanes that are not free
        self._most, self._most_size, self._on_unload = most, most_size, on_unload
        self._lanes: dict[Hashable, _Lane] = {}
        self._free: deque[Hashable] = deque()
        self._unread: deque[Hashable] = deque()
        self._held: Delays[tuple[Hashable]] = Delays()
        self._count = 0

    def __len__(self) -> int:
        """Messages in all lanes."""
        return self._count

    @property
    def held(self) -> int:
        """Number of lanes whose first message waits for a retry."""
        return len(self._held)

    @property
    def next_due(self) -> float | None:
        """Monotonic seconds at which the first held lane is due."""
        return self._held.next_due

    def add(self, key: Hashable, entry: Entry) -> None:
        """Append an entry to its key."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
            self._free.append(key)
        self._count += 1
        if lane.free:
            size = entry.size
            lane.items.append(entry)
            lane.count += 1
            lane.size += size
            self.ready += 1
            self.ready_size += size
        elif self._over:
            lane.items.append(self._unload(entry))
        else:
            lane.items.append(entry)
            self._weigh(lane, 1, entry.size)

    def take(self, limit: int, now: float) -> tuple[Hashable, list[Entry]] | None:
        """Take a run of messages from a free lane, which becomes busy. A message that was tried before comes alone."""
        while (held := self._held.pop(now)) is not None:
            self._set_free(held[0])
        while self._free:
            key = self._free.popleft()
            lane = self._lanes[key]
            head = lane.items[0]
            if isinstance(head, int) or head.message is None:
                self._unread.append(key)
            elif head.due > now:
                self._held.add(head.due, (key,))
            else:
                run = self._run(lane, limit)
                self._weigh(lane, -len(run), -sum([entry.size for entry in run]))
                self._block(lane)
                self._count -= len(run)
                return key, run
            self._block(lane)
        return None

    def _run(self, lane: _Lane, limit: int) -> list[Entry]:
        items = lane.items
        run = [items.popleft()]
        assert isinstance(run[0], Entry)
        while len(run) < limit and items and not run[0].attempts:
            head = items[0]
            if isinstance(head, int) or head.attempts or head.message is None:
                break
            run.append(items.popleft())
        return run  # type: ignore[return-value]

    def release(self, key: Hashable) -> None:
        """Free a lane whose run is settled; delete it if it is empty."""
        if self._lanes[key].items:
            self._set_free(key)
        else:
            del self._lanes[key]

    def put_back(self, key: Hashable, entries: Sequence[Entry], due: float) -> None:
        """Return the rest of a run to the front of its lane. The lane is held until ``due`` if the rest was tried."""
        lane = self._lanes[key]
        lane.items.extendleft(reversed(entries))
        self._weigh(lane, len(entries), sum([entry.size for entry in entries]))
        self._count += len(entries)
        if not entries[0].attempts:
            self._set_free(key)
            return
        self._held.add(due, (key,))
        if self._over:
            self._empty(lane)

    # -- unloaded messages

    @property
    def unloaded(self) -> int:
        """Number of messages that are not in memory."""
        return self._count - self.ready - self._kept

    def unread(self) -> tuple[Hashable, list[Item]] | None:
        """Take a key whose next messages must be read from the store. The caller passes them to ``read``."""
        if not self._unread:
            return None
        key = self._unread.popleft()
        first = islice(self._lanes[key].items, READ_BACK)
        return key, list(takewhile(lambda item: isinstance(item, int) or item.message is None, first))

    def read(
        self,
        key: Hashable,
        items: Sequence[Item],
        messages: Mapping[int, Message],
        entry_of: Callable[[int, Message], Entry],
    ) -> list[int]:
        """Return messages of ``unread`` to their lane, and free it. Messages dropped meanwhile are left out.

        :param items: the requested messages. :param entry_of: makes the entry of a position.
        :returns: the positions that can't be read; they are removed.
        """
        lane = self._lanes[key]
        found: list[Entry] = []
        missing: list[int] = []
        for item in items:
            if not lane.items or lane.items[0] is not item:
                continue
            lane.items.popleft()
            position = item if isinstance(item, int) else item.position
            if (message := messages.get(position)) is None:
                missing.append(position)
                continue
            entry = entry_of(position, message) if isinstance(item, int) else item
            entry.message = message
            found.append(entry)
        lane.items.extendleft(reversed(found))
        self._count -= len(missing)
        self._weigh(lane, len(found), sum([entry.size for entry in found]))
        self.release(key)
        return missing

    @property
    def _over(self) -> bool:
        return self._kept >= self._most or self._kept_size >= self._most_size

    def _unload(self, entry: Entry) -> Item:
        self._on_unload(entry)
        if not entry.attempts:
            return entry.position
        entry.unload()
        return entry

    def _empty(self, lane: _Lane) -> None:
        """Unload all messages of a lane."""
        self._weigh(lane, -lane.count, -lane.size)
        items: deque[Item] = deque()
        for item in lane.items:
            items.append(item if isinstance(item, int) or item.message is None else self._unload(item))
        lane.items = items

    def _weigh(self, lane: _Lane, count: int, size: int) -> None:
        lane.count += count
        lane.size += size
        self._sum(lane, count, size)

    def _sum(self, lane: _Lane, count: int, size: int) -> None:
        if lane.free:
            self.ready += count
            self.ready_size += size
        else:
            self._kept += count
            self._kept_size += size

    def _block(self, lane: _Lane) -> None:
        """Mark a lane as not free."""
        self._sum(lane, -lane.count, -lane.size)
        lane.free = False
        self._sum(lane, lane.count, lane.size)

    def _set_free(self, key: Hashable) -> None:
        lane = self._lanes[key]
        self._sum(lane, -lane.count, -lane.size)
        lane.free = True
        self._sum(lane, lane.count, lane.size)
        self._free.append(key)

    def drop(self) -> tuple[list[Entry], list[int]]:
        """Remove all messages that were never tried. Returns their entries and the unloaded positions, unordered."""
        entries: list[Entry] = []
        positions: list[int] = []
        for lane in self._lanes.values():
            kept: deque[Item] = deque()
            before = len(entries)
            for item in lane.items:
                if isinstance(item, int):
                    positions.append(item)
                elif item.attempts:
                    kept.append(item)
                else:
                    entries.append(item)
            lane.items = kept
            gone = entries[before:]
            self._weigh(lane, -len(gone), -sum([entry.size for entry in gone]))
        self._count -= len(entries) + len(positions)
        for waiting in (self._free, self._unread):
            self._forget_empty(waiting)
        return entries, positions

    def _forget_empty(self, waiting: deque[Hashable]) -> None:
        """Delete the empty lanes in a list of waiting keys."""
        keys = list(waiting)
        waiting.clear()
        for key in keys:
            if self._lanes[key].items:
                waiting.append(key)
            else:
                del self._lanes[key]
