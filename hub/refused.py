"""Refused messages: bodies that are not in the bus's format, or too large. They are kept apart from dead letters,
because anybody who can send to a bus can send any number of them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from hub.deadletter import DeadLetter
from hub.message import Message
from hub.store import Journal, Store

PREFIX = "refused by "
"""Prefix of a backend's name; the store has a queue of that name for each. No consumer has such a name: names have no
blanks."""
MOST = 1000
"""Messages kept per backend."""
MOST_BYTES = 1 << 20
"""Bytes kept per backend."""
CUT = 4096
"""Bytes kept of a body."""
LONGEST_TEXT = 1000
"""Characters kept of an id, a topic, and a header's name or value."""
MOST_HEADERS = 32
AT_ONCE = 50
"""Messages written in one commit. Of a flood the last ones are written: the others would be dropped for them
immediately."""


class Ring:
    """The last refused messages of one backend. ``add`` belongs to the reactor's thread."""

    def __init__(self, store: Store, backend: str) -> None:
        self.name = PREFIX + backend
        self._store = store
        self._lock = threading.Lock()
        self._waiting: deque[DeadLetter] = deque(maxlen=AT_ONCE)
        self._counters = store.open(self.name).counters
        store.limit_dead_letters(self.name, MOST, MOST_BYTES)
        store.attach(self.name, self._take_journal)

    @property
    def total(self) -> int:
        """Number of messages refused so far; it survives a restart."""
        return self._counters.dead

    def add(self, letter: DeadLetter) -> None:
        """Add a message, truncated to what helps to find its sender."""
        with self._lock:
            self._counters.received += 1
            self._counters.dead += 1
            self._waiting.append(replace(letter, message=cut(letter.message)))
        self._store.changed(self.name)

    def _take_journal(self) -> Journal:
        with self._lock:
            letters = list(self._waiting)
            self._waiting.clear()
            return Journal(letters=letters, counters=replace(self._counters))


class RefusedRings:
    """The rings of all backends, made when needed. Belongs to the reactor's thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rings: dict[str, Ring] = {}

    def add(self, letter: DeadLetter) -> None:
        """Add a message to the ring of its backend."""
        self.ring(letter.message.backend).add(letter)

    def ring(self, backend: str) -> Ring:
        """The ring of a backend."""
        if backend not in self._rings:
            self._rings[backend] = Ring(self._store, backend)
        return self._rings[backend]

    def backends(self) -> list[str]:
        """Names of backends with refused messages; some may no longer be configured."""
        stored = [name.removeprefix(PREFIX) for name in self._store.queues() if name.startswith(PREFIX)]
        return sorted({*stored, *self._rings})

    def totals(self) -> Mapping[str, int]:
        """Number of refused messages, by backend."""
        return {backend: self.ring(backend).total for backend in self.backends()}


def cut(message: Message) -> Message:
    """Truncate a message to what is kept."""
    headers = {
        name[:LONGEST_TEXT]: value[:LONGEST_TEXT] if isinstance(value, str) else value
        for name, value in list(message.headers.items())[:MOST_HEADERS]
    }
    short = {"id": message.id[:LONGEST_TEXT], "topic": message.topic[:LONGEST_TEXT], "body": message.body[:CUT]}
    return msgspec.structs.replace(message, headers=headers, **short)
