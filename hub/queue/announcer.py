"""Announces changes of a queue: to the store, the listener, the buses, and whoever watches positions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from hub.queue.ack_state import AckState
from hub.queue.tied import Tied
from hub.queue.waiters import Waiters
from hub.store import Range, Store

Told = Callable[[Sequence[Range]], object]
"""Called with settled ranges, in any thread."""


class Announcer:
    """The announcer of one queue.

    Positions are watched for a sender that is told of settled messages. While nobody watches, this costs nothing.

    :param lock: the queue's. :param on_room: called when a full queue has room again.
    :ivar name: the queue's name in the store.
    :ivar excused: whether nothing is waited for: the queue is deleted, or on the disk without anybody who takes its
        messages.
    :ivar holds_up: why a sender that is told of settled messages sends no more: too many of them are put off; empty: it
        sends. Set by :class:`hub.held_places.HeldPlaces`.
    """

    def __init__(
        self,
        name: str,
        store: Store,
        lock: threading.Lock,
        acks: AckState,
        waiters: Waiters,
        on_room: Callable[[], None],
    ) -> None:
        self.name = name
        self.excused = False
        self.holds_up = ""
        self._store = store
        self._lock = lock
        self._acks = acks
        self._waiters = waiters
        self._on_room = on_room
        self._told: Told | None = None
        self._watched_to = 0

    def announce(self, room: bool, journal: bool) -> None:
        """Announce a change. Not under the lock.

        :param room: whether the buses may be resumed. :param journal: whether the journal has changed.
        """
        if journal:
            self._store.changed(self.name)
        if self._waiters.ringing:
            self._waiters.ring()
        if self._acks.noted or self._acks.noted_ties:
            self._tell()
        if room:
            self._on_room()

    def _tell(self) -> None:
        """Tell of what needs no commit at once: if the store should not learn of its end, the message is at most
        handled again. A dead letter or an outgoing message must be committed before its sender forgets the message, and
        so must the message itself where the store keeps it."""
        with self._lock:
            told = self._told
            free, bound = self._acks.take_noted()
        if told is None:
            return
        if self._store.keeps:
            free, bound = [], free + bound
        if free:
            told(free)
        if bound:
            self._store.when_stored(partial(told, bound), at_once=False)

    def sent(self, tied: Tied) -> None:
        """Announce settled positions whose outgoing messages the bus has. In the reactor's thread."""
        with self._lock:
            self._acks.untie(tied)
        self.announce(False, False)

    def watch(self, start: int, stop: int, told: Told) -> list[Range]:
        """Have settled positions told from now on; a queue has one watcher. It watches after ``offer``.

        :param told: called in any thread with the ranges that were settled, once what must outlive the hub is
            committed.
        :returns: ranges of ``start`` up to ``stop`` that are not settled, or whose outgoing messages wait in memory. If
            there are none, nothing changes.
        """
        with self._lock:
            ranges = [] if self.excused else list(self._acks.waiting(start, stop))
            if ranges:
                self._told = told
                self._watched_to = max(self._watched_to, stop)
                self._acks.note(True)
            return ranges

    def unwatch(self) -> None:
        """Undo ``watch``."""
        with self._lock:
            self._told = None
            self._acks.note(False)

    def excuse(self) -> None:
        """Tell the watcher of all positions that it watches by now, once everything is stored: nobody will settle them.
        Those that come after :meth:`expect` are not among them, though it may be told later."""
        with self._lock:
            told, self.excused, stop = self._told, True, self._watched_to
        if told is not None:
            self._store.when_stored(partial(told, [(0, stop)]), at_once=False)

    def expect(self) -> None:
        """Undo ``excuse``, for messages that come from now on: somebody takes them."""
        with self._lock:
            self.excused = False
