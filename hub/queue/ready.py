"""The messages of a queue that no worker has taken yet, in memory. Pure: no lock, no clock."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter

from hub.message import Message
from hub.queue.ages import AgeLimit

received_at = attrgetter("received_at")
"""Of a message, epoch seconds: a key to sort and to search by."""


@dataclass(slots=True)
class _Chunk:
    start: int
    messages: Sequence[Message]
    size: int
    taken: int = 0
    uncounted: int = 0
    """How many of those that are taken are in ``size`` no more."""

    @property
    def next(self) -> int:
        return self.start + self.taken


class Ready:
    """A window of messages, held as the batches they came in.

    The list of a batch is shared by all queues that want the whole of it, so offering a batch costs the same for one
    message and for five hundred. The price: bytes are counted by batch, and a batch counts until its last message
    is taken, unless somebody calls ``recount``. ``size`` is therefore never less than what is held.
    """

    def __init__(self) -> None:
        self._chunks: deque[_Chunk] = deque()
        self._count = 0
        self.size = 0
        """Bytes of bodies."""

    def __len__(self) -> int:
        return self._count

    @property
    def head(self) -> tuple[int, Message] | None:
        """The oldest one's position and message."""
        if not self._chunks:
            return None
        chunk = self._chunks[0]
        return chunk.next, chunk.messages[chunk.taken]

    def first(self, count: int) -> tuple[list[int], list[Message]]:
        """The positions and messages of the oldest ones, at most so many; they stay."""
        positions: list[int] = []
        messages: list[Message] = []
        for chunk in self._chunks:
            more = chunk.messages[chunk.taken : chunk.taken + count - len(messages)]
            positions += range(chunk.next, chunk.next + len(more))
            messages += more
            if len(messages) >= count:
                break
        return positions, messages

    def pieces(self) -> list[tuple[range, Sequence[Message]]]:
        """All batches, with the positions in them, whole: some of their messages may have been taken."""
        return [(range(c.start, c.start + len(c.messages)), c.messages) for c in self._chunks]

    def append(self, start: int, messages: Sequence[Message], size: int) -> None:
        """Add a batch whose first message has the position ``start``. The list must not change afterwards."""
        if messages:
            self._chunks.append(_Chunk(start, messages, size))
            self._count += len(messages)
            self.size += size

    def put_back(self, start: int, messages: Sequence[Message]) -> None:
        """In their place, some that were taken and follow each other; those before it are few."""
        self.recount()
        at = 0
        while at < len(self._chunks) and self._chunks[at].next < start:
            at += 1
        size = sum([len(message.body) for message in messages])
        self._chunks.insert(at, _Chunk(start, messages, size))
        self._count += len(messages)
        self.size += size

    def recount(self) -> None:
        """What was taken of the oldest batch counts no more."""
        if self._chunks:
            chunk = self._chunks[0]
            size = sum([len(message.body) for message in chunk.messages[chunk.uncounted : chunk.taken]])
            chunk.uncounted = chunk.taken
            chunk.size -= size
            self.size -= size

    def holding(self, size: int) -> int:
        """How many of the oldest batch have so many bytes together, or all that are left of it."""
        count, left = 0, self._chunks[0] if self._chunks else None
        while left and size > 0 and left.taken + count < len(left.messages):
            size -= len(left.messages[left.taken + count].body)
            count += 1
        return count

    def older(self, limit: AgeLimit, batches: int) -> int:
        """How many are too old, of so many batches: positions rise with arrival."""
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
        """The oldest ones, at most ``limit``; fewer than there are only before a gap in the positions.

        :raises IndexError: there is none.
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
