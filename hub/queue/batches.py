"""Batches of messages in memory, in order of arrival. Pure: no lock, no clock."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from itertools import islice
from operator import attrgetter

import msgspec

from hub.message import Message
from hub.queue.ages import AgeLimit
from hub.store import Range

received_at = attrgetter("received_at")
"""Key for sorting and searching: a message's time of receipt, in epoch seconds."""


class _Chunk(msgspec.Struct):
    start: int
    messages: Sequence[Message]
    size: int
    taken: int = 0
    uncounted: int = 0
    """Number of the taken messages that ``size`` no longer includes."""

    @property
    def next(self) -> int:
        return self.start + self.taken


class Batches:
    """Messages, held as the batches in which they arrived.

    The list of a batch is shared by all queues that want the whole of it, so offering a batch costs the same for one
    message and for five hundred. The price: bytes are counted by batch, and a batch counts until its last message
    is taken, or until ``recount``. So ``size`` is never less than the bytes that are held.

    :ivar size: bytes of bodies.
    """

    def __init__(self) -> None:
        self._chunks: deque[_Chunk] = deque()
        self._count = 0
        self.size = 0

    def __len__(self) -> int:
        return self._count

    @property
    def head(self) -> tuple[int, Message] | None:
        """Position and message of the oldest."""
        if not self._chunks:
            return None
        chunk = self._chunks[0]
        return chunk.next, chunk.messages[chunk.taken]

    def first(self, count: int) -> tuple[list[int], list[Message]]:
        """Positions and messages of the oldest ``count``. They stay."""
        positions: list[int] = []
        messages: list[Message] = []
        for chunk in self._chunks:
            more = chunk.messages[chunk.taken : chunk.taken + count - len(messages)]
            positions += range(chunk.next, chunk.next + len(more))
            messages += more
            if len(messages) >= count:
                break
        return positions, messages

    def all(self) -> list[tuple[range, Sequence[Message]]]:
        """All batches with their positions, including messages that were taken."""
        return [(range(c.start, c.start + len(c.messages)), c.messages) for c in self._chunks]

    def append(self, start: int, messages: Sequence[Message], size: int) -> None:
        """Add a batch whose first message has the position ``start``. The list must not change afterwards."""
        if messages:
            self._chunks.append(_Chunk(start, messages, size))
            self._count += len(messages)
            self.size += size

    def put_back(self, start: int, messages: Sequence[Message]) -> None:
        """Return consecutive messages that were taken to their place, near the front."""
        self.recount()
        at = 0
        while at < len(self._chunks) and self._chunks[at].next < start:
            at += 1
        size = sum([len(message.body) for message in messages])
        self._chunks.insert(at, _Chunk(start, messages, size))
        self._count += len(messages)
        self.size += size

    def recount(self) -> None:
        """Subtract the taken messages of the oldest batch from ``size``."""
        if self._chunks:
            chunk = self._chunks[0]
            size = sum([len(message.body) for message in chunk.messages[chunk.uncounted : chunk.taken]])
            chunk.uncounted = chunk.taken
            chunk.size -= size
            self.size -= size

    def holding(self, size: int) -> int:
        """Number of messages of the oldest batch that have ``size`` bytes together; at most all that are left."""
        count, left = 0, self._chunks[0] if self._chunks else None
        while left and size > 0 and left.taken + count < len(left.messages):
            size -= len(left.messages[left.taken + count].body)
            count += 1
        return count

    def older(self, limit: AgeLimit, batches: int) -> int:
        """Number of messages of the first ``batches`` batches that are too old. Positions rise with arrival."""
        count = 0
        for chunk in islice(self._chunks, batches):
            reached = max(0, min(len(chunk.messages), limit.upto - chunk.start) - chunk.taken)
            if limit.oldest <= chunk.messages[-1].received_at <= limit.now:
                first = chunk.taken
                return count + min(reached, bisect_left(chunk.messages, limit.oldest, first, key=received_at) - first)
            count += reached
            if reached < len(chunk.messages) - chunk.taken:
                break
        return count

    def take(self, limit: int) -> tuple[range, Sequence[Message]]:
        """Take the oldest messages, at most ``limit``. Their positions have no gap.

        :raises IndexError: there are none.
        """
        positions, messages = self._take_of_one(limit)
        if len(positions) == limit or not self._chunks:
            return positions, messages
        stop, together = positions.stop, list(messages)
        while len(together) < limit and self._chunks and self._chunks[0].next == stop:
            more, messages = self._take_of_one(limit - len(together))
            stop = more.stop
            together.extend(messages)
        return range(positions.start, stop), together

    def take_below(self, stop: int) -> list[Range]:
        """Take the oldest messages that are before a position, up to one that is not. Returns their positions."""
        found: list[Range] = []
        while self._chunks and (start := self._chunks[0].next) < stop:
            positions, _ = self._take_of_one(stop - start)
            found.append((positions.start, positions.stop))
        return found

    def _take_of_one(self, limit: int) -> tuple[range, Sequence[Message]]:
        chunk = self._chunks[0]
        first, left = chunk.taken, len(chunk.messages) - chunk.taken
        count = min(limit, left)
        messages = chunk.messages if count == len(chunk.messages) else chunk.messages[first : first + count]
        if count == left:
            self._chunks.popleft()
            self.size -= chunk.size
        else:
            chunk.taken += count
        self._count -= count
        start = chunk.start + first
        return range(start, start + count), messages
