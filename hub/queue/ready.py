"""The messages of a queue that no worker has taken yet, in memory. Pure: no lock, no clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from hub.message import Message


@dataclass(slots=True)
class _Chunk:
    start: int
    messages: Sequence[Message]
    size: int
    taken: int = 0


class Ready:
    """A window of messages, held as the batches they came in.

    The list of a batch is shared by all queues that want the whole of it, so offering a batch costs the same for one
    message and for five hundred. The price: bytes are counted by batch, and a batch counts until its last message
    is taken. ``size`` is therefore never less than what is held.
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
        return chunk.start + chunk.taken, chunk.messages[chunk.taken]

    def first(self, count: int) -> tuple[list[int], list[Message]]:
        """The positions and messages of the oldest ones, at most so many; they stay."""
        positions: list[int] = []
        messages: list[Message] = []
        for chunk in self._chunks:
            more = chunk.messages[chunk.taken : chunk.taken + count - len(messages)]
            positions += range(chunk.start + chunk.taken, chunk.start + chunk.taken + len(more))
            messages += more
            if len(messages) >= count:
                break
        return positions, messages

    def pieces(self) -> list[tuple[range, Sequence[Message]]]:
        """All batches, with the positions in them, whole: of the oldest one some messages may have been taken."""
        return [(range(c.start, c.start + len(c.messages)), c.messages) for c in self._chunks]

    def append(self, start: int, messages: Sequence[Message], size: int) -> None:
        """Add a batch whose first message has the position ``start``. The list must not change afterwards."""
        if messages:
            self._chunks.append(_Chunk(start, messages, size))
            self._count += len(messages)
            self.size += size

    def take(self, limit: int) -> tuple[range, Sequence[Message]]:
        """The oldest ones, at most ``limit``; fewer than there are only before a gap in the positions.

        :raises IndexError: there is none.
        """
        positions, messages = self._take_of_one(limit)
        if len(positions) == limit or not self._chunks:
            return positions, messages
        stop, together = positions.stop, list(messages)
        while len(together) < limit and self._chunks and self._chunks[0].start == stop:
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
