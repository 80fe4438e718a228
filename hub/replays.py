"""Protocols of replays: a backend reads the hub's log from a place on, and goes on with what comes, for clients of its
own. This module holds no behaviour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import msgspec

from hub.message import DEFAULT_PRIORITY, Message


class ReplayStart(msgspec.Struct, frozen=True):
    """Place in the log at which a replay begins.

    :ivar place: the ``first`` message that is kept; the ``last`` one that is wanted; the ``next`` one to come; that
        with an ``offset``, or the first after it; the first that was received at a ``time`` or later.
    :ivar number: the offset, or epoch seconds.
    """

    place: Literal["first", "last", "next", "offset", "time"]
    number: float = 0


class ReplayedMessage(msgspec.Struct, frozen=True):
    """A message of a replay. It has the attributes of :class:`hub.declarations.Taken`, and needs no settlement.

    :ivar position: its offset: its place in the log. Offsets rise, and not by one.
    """

    current: Message
    position: int
    attempts: int = 0
    failures: int = 0
    priority: int = DEFAULT_PRIORITY


class ReplayReader(Protocol):
    """A running replay. Belongs to the reactor's thread. It holds a bounded number of messages, and reads further ones
    in a thread, once these are taken."""

    def take(self, limit: int) -> Sequence[ReplayedMessage]:
        """Take the next messages, at most ``limit``. Empty: there are none now; ``on_ready`` is called then."""

    def give_back(self, messages: Sequence[ReplayedMessage]) -> None:
        """Return the messages that were taken last, in order: the next ``take`` has them again."""

    def close(self) -> None:
        """End; idempotent."""


class ReplaySource(Protocol):
    """Makes replays. Belongs to the reactor's thread."""

    def open(
        self,
        pattern: str,
        start: ReplayStart,
        on_ready: Callable[[], None],
        on_failed: Callable[[str], None],
        wanted: Callable[[Message], bool] | None = None,
    ) -> ReplayReader:
        """Begin a replay: messages of the log whose topics match a pattern, from ``start`` on, each once, and then
        those that come, when they are stored. The buses are subscribed to the pattern. Where the log has been deleted
        faster than it was read, the replay goes on with the oldest message that there is.

        :param on_ready: called in the reactor's thread when there may be messages.
        :param on_failed: called with the reason, at most once: the offset is beyond the end of the log, or the log
            can't be read, or there is a bug. Nothing comes after that.
        :param wanted: which of them it has; ``None``: all. Called in a thread.
        """
