"""Messages of an outbox that are set aside: the bus refuses the place that they go to, and takes others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.backoff import Uniform, delay_after
from hub.message import Message
from hub.store.values import content_size
from hub.unsent import UnsentMessage

MOST_ASIDE, MOST_ASIDE_BYTES = 1000, 16 << 20
"""Messages that are set aside at most, and their bytes: they are in memory. Beyond that the outbox waits for them."""
MOST_TOLD = 100
"""Reasons that are logged while any is set aside."""


class UnsentAside:
    """Messages set aside, until it is time to try them again, all at once. Belongs to the reactor's thread.

    :param due: called when it is time; it takes them. :ivar reason: of the last one that was set aside, until the bus
        has taken one and no other waits; empty: there is none.
    """

    def __init__(self, reactor: Any, uniform: Uniform, due: Callable[[], None]) -> None:
        self.reason = ""
        self._reactor = reactor
        self._uniform = uniform
        self._due = due
        self._entries: list[UnsentMessage] = []
        self._bytes = 0
        self._rounds = 0
        self._told: set[str] = set()
        self._timer: Any = None

    def __len__(self) -> int:
        """Number of messages."""
        return len(self._entries)

    @property
    def first(self) -> Message | None:
        """The oldest one."""
        found = min(self._entries, key=lambda one: one.sequence, default=None)
        return None if found is None else found.message

    @property
    def retry_in(self) -> float | None:
        """Seconds until they are tried again; ``None``: there are none."""
        return None if self._timer is None else float(self._timer.getTime() - self._reactor.seconds())

    def has_room(self, entry: UnsentMessage) -> bool:
        """True if this message can be set aside, too."""
        return len(self._entries) < MOST_ASIDE and self._bytes + content_size(entry.message) <= MOST_ASIDE_BYTES

    def add(self, entry: UnsentMessage, reason: str) -> None:
        """Set a message aside."""
        self.reason = reason
        entry.was_aside = True
        self._entries.append(entry)
        self._bytes += content_size(entry.message)
        if self._timer is None:
            self._rounds += 1
            self._timer = self._reactor.callLater(delay_after(self._rounds, self._uniform), self._time_is_up)

    def is_news(self, reason: str) -> bool:
        """True if a reason is to be logged: it was not since none was set aside."""
        is_new = reason not in self._told and len(self._told) < MOST_TOLD
        if is_new:
            self._told.add(reason)
        return is_new

    def take(self) -> list[UnsentMessage]:
        """Take all that are not settled meanwhile."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        taken, self._entries, self._bytes = [one for one in self._entries if not one.settled], [], 0
        return taken

    def reset(self) -> bool:
        """Note that one that was set aside is settled, or that the bus is another one: the next delay is a short one.
        :returns: whether what was told is of the past, as none is set aside."""
        self._rounds = 0
        ended = bool(self.reason) and not self._entries
        if ended:
            self.reason = ""
            self._told.clear()
        return ended

    def _time_is_up(self) -> None:
        self._timer = None
        self._due()
