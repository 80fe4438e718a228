"""Input that can't be used: bodies that are not of the bus's format, or too large. Kept apart from dead letters, for
whoever can send to a bus can send as much of it as he likes."""

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
"""Before a backend's name: the store has a queue of that name for each. No consumer is called so: names have no
blanks."""
MOST = 1000
"""Messages that are kept of one backend."""
MOST_BYTES = 1 << 20
"""Of all of them."""
CUT = 4096
"""Bytes of a body that are kept."""
LONGEST_TEXT = 1000
"""Characters of an id, a topic, and a header's name or value."""
MOST_HEADERS = 32
AT_ONCE = 50
"""Written in one commit; of a flood the last ones, for the others would go for them right away."""


class Ring:
    """What one backend refused last. ``add`` belongs to the reactor's thread."""

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
        """How many there were; it outlives the hub."""
        return self._counters.dead

    def add(self, letter: DeadLetter) -> None:
        """One more, cut to what helps to find who sent it."""
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


class Refused:
    """The rings of all backends, each made when it is needed. In the reactor's thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rings: dict[str, Ring] = {}

    def add(self, letter: DeadLetter) -> None:
        """To the ring of the backend that it came from."""
        self.ring(letter.message.backend).add(letter)

    def ring(self, backend: str) -> Ring:
        """Of that backend."""
        if backend not in self._rings:
            self._rings[backend] = Ring(self._store, backend)
        return self._rings[backend]

    def backends(self) -> list[str]:
        """Those that have refused something, as far as that is known; some may be configured no more."""
        stored = [name.removeprefix(PREFIX) for name in self._store.queues() if name.startswith(PREFIX)]
        return sorted({*stored, *self._rings})

    def totals(self) -> Mapping[str, int]:
        """How many each has refused."""
        return {backend: self.ring(backend).total for backend in self.backends()}


def cut(message: Message) -> Message:
    """As much of it as is kept."""
    headers = {
        name[:LONGEST_TEXT]: value[:LONGEST_TEXT] for name, value in list(message.headers.items())[:MOST_HEADERS]
    }
    short = {"id": message.id[:LONGEST_TEXT], "topic": message.topic[:LONGEST_TEXT], "body": message.body[:CUT]}
    return msgspec.structs.replace(message, headers=headers, **short)
