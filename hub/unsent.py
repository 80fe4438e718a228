"""Unsent messages of one backend, in order: some in memory, the others in the store."""

from __future__ import annotations

import itertools
from bisect import insort
from collections import deque
from collections.abc import Iterable

import msgspec
from twisted.internet.defer import Deferred

from hub.message import Message
from hub.store import Store
from hub.store.values import content_size

MOST_READY = 1000
"""Stored messages that wait in memory; further ones are read as these are sent."""
MOST_READY_BYTES = 16 << 20
"""Bytes of their bodies and headers."""
MOST_UNSTORED = 10_000
"""Messages in no store that may wait in memory. A bus that is away must not fill the memory. What was published for
messages that are finished already comes on top: the threads' last ones."""
MOST_UNSTORED_BYTES = 64 << 20
LOOKED_AT = 1000
"""Rows of the store's outbox read in one turn of the reactor; most may be for other backends."""

DROPPED = 100
"""Rows of the store's outbox read in one step of a drop, with their bodies."""


class UnsentMessage(msgspec.Struct, eq=False):
    """An outgoing message.

    :ivar number: its number in the store's outbox; ``None``: it is in no store.
    :ivar done: fires when the bus has confirmed it, fails if it will never be sent; ``None``: nobody waits.
    :ivar tries: attempts to send it. :ivar was_aside: whether it was ever set aside; see :mod:`hub.unsent_aside`.
    """

    sequence: int
    number: int | None
    message: Message
    done: Deferred[None] | None = None
    tries: int = 0
    settled: bool = False
    was_aside: bool = False


class Unsent:
    """Unsent messages of one backend. Belongs to the reactor's thread.

    Stored messages stay in the store until they are settled, so that only the first few need memory; the others are
    read later. The number of messages in no store is bounded.

    :ivar unread: true if the store has messages that are not in memory.
    """

    def __init__(self, backend: str, store: Store) -> None:
        self.unread = False
        self._backend = backend
        self._store = store
        self._sequence = itertools.count()
        self._ready: deque[UnsentMessage] = deque()
        self._returned: list[UnsentMessage] = []
        self._stored = self._stored_ready = self._stored_bytes = 0
        self._unstored = self._unstored_bytes = 0
        self._counted = self._read = 0

    def __len__(self) -> int:
        """Number of unsettled messages, including those handed out."""
        return self._stored + self._unstored

    @property
    def stored(self) -> int:
        """Number of unsettled messages in the store."""
        return self._stored

    @property
    def full(self) -> bool:
        """True if no further message without a store can wait."""
        return self._unstored >= MOST_UNSTORED or self._unstored_bytes >= MOST_UNSTORED_BYTES

    @property
    def first(self) -> Message | None:
        """The next message, if it is in memory."""
        entries: Iterable[UnsentMessage] = self._returned or self._ready
        return next((entry.message for entry in entries), None)

    def resume(self, count: int, highest: int) -> None:
        """Start with the messages in the store.

        :param count: messages for this backend. :param highest: highest number of all messages.
        """
        self._stored, self._counted, self._read = count, highest, 0
        self.unread = count > 0

    def arrive(self, number: int, message: Message) -> None:
        """Add a stored message. Numbers rise; a message that was read already may be added again."""
        if number > self._counted:
            self._stored += 1
            self._counted = number
        if number <= self._read:
            return
        if self.unread or self._stored_ready >= MOST_READY or self._stored_bytes >= MOST_READY_BYTES:
            self.unread = True
            return
        self._make_ready(number, message)

    def add(self, message: Message, done: Deferred[None] | None = None) -> UnsentMessage:
        """Add a message that is in no store."""
        entry = UnsentMessage(next(self._sequence), None, message, done)
        self._ready.append(entry)
        self._unstored += 1
        self._unstored_bytes += content_size(message)
        return entry

    def next(self) -> UnsentMessage | None:
        """Hand out the next message. ``None`` while ``unread`` is set: one may be ready in the next turn."""
        if self._returned:
            return self._returned.pop(0)
        if self.unread and self._stored_ready <= MOST_READY // 2 and self._stored_bytes <= MOST_READY_BYTES // 2:
            self._refill()
        if not self._ready:
            return None
        entry = self._ready.popleft()
        if entry.number is not None:
            self._stored_ready -= 1
            self._stored_bytes -= content_size(entry.message)
        return entry

    def put_back(self, entry: UnsentMessage) -> None:
        """Return a message that was handed out to its old place, to be tried again."""
        insort(self._returned, entry, key=lambda one: one.sequence)

    def settle(self, entry: UnsentMessage) -> None:
        """Settle a message that was sent, or never will be; it leaves the store too."""
        if entry in self._returned:  # confirmed after it was put back
            self._returned.remove(entry)
        entry.settled = True
        if entry.number is None:
            self._unstored -= 1
            self._unstored_bytes -= content_size(entry.message)
        else:
            self._stored -= 1
            self._store.sent(entry.number)

    def leave_stored(self) -> None:
        """Stop handing out stored messages, as the hub stops; they stay for the next start."""
        self.unread = False
        self._returned = [entry for entry in self._returned if entry.number is None]
        self._ready = deque(entry for entry in self._ready if entry.number is None)
        self._stored_ready = self._stored_bytes = 0

    def unload_stored(self) -> None:
        """Forget stored messages in memory, as if they had not been read yet."""
        for entry in (*self._returned, *self._ready):
            entry.settled = entry.number is not None  # the bus may still confirm it
        self.leave_stored()
        self._read, self.unread = 0, self._stored > 0

    def drop_some(self) -> int:
        """Drop some of the stored messages, of which none is in memory; ``unread`` tells if there may be more.

        :returns: the number dropped.
        """
        rows, last, self.unread = self._store.outbox(self._backend, self._read, DROPPED)
        for number, _ in rows:
            if number > self._counted:
                self._stored += 1
                self._counted = number
            self._stored -= 1
            self._store.sent(number)
        self._read = max(self._read, last)
        return len(rows)

    def take_unstored(self) -> list[UnsentMessage]:
        """Remove and return messages that are in no store; the caller settles them."""
        mine = [entry for entry in (*self._returned, *self._ready) if entry.number is None]
        self._returned = [entry for entry in self._returned if entry.number is not None]
        self._ready = deque(entry for entry in self._ready if entry.number is not None)
        return mine

    def _refill(self) -> None:
        rows, last, self.unread = self._store.outbox(self._backend, self._read, LOOKED_AT)
        for number, message in rows:
            if number > self._counted:
                self._stored += 1
                self._counted = number
            self._make_ready(number, message)
        self._read = max(self._read, last)

    def _make_ready(self, number: int, message: Message) -> None:
        self._ready.append(UnsentMessage(next(self._sequence), number, message))
        self._stored_ready += 1
        self._stored_bytes += content_size(message)
        self._read = number
