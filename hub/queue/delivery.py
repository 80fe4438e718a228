"""Delivery: the messages that a worker has in flight. Entry: one message with its attempts. Pure: no lock."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import msgspec

from hub.message import DEFAULT_PRIORITY, Message


class Entry(msgspec.Struct):
    """One message outside the ready window: it waits for a retry, or in key order.

    :ivar message: ``None``: it is read from the store when it is due.
    :ivar attempts: number of deliveries. :ivar failures: number of those that count towards ``max_attempts``.
    :ivar kills: number of times that its process was killed while it was in flight.
    :ivar due: monotonic seconds; it is not delivered before.
    :ivar received_at: epoch seconds, if ``message`` is ``None``. A lower bound for a message that was not read since
        the hub started; ``None``: unknown.
    :ivar priority: one of ``PRIORITIES``.
    """

    position: int
    message: Message | None
    attempts: int = 0
    failures: int = 0
    kills: int = 0
    due: float = 0.0
    received_at: float | None = None
    priority: int = DEFAULT_PRIORITY

    @property
    def since(self) -> float | None:
        """Epoch seconds of receipt; ``None``: unknown."""
        return self.received_at if self.message is None else self.message.received_at

    @property
    def size(self) -> int:
        """Bytes of the body in memory."""
        return len(self.message.body) if self.message is not None else 0

    def unload(self) -> None:
        """Remove the message from memory. The store keeps it."""
        self.received_at, self.message = self.since, None

    def may_follow(self, before: Entry) -> bool:
        """Tell whether one delivery may have both. A message that is suspected of a kill is delivered alone."""
        alike = (before.attempts, before.failures, before.priority) == (self.attempts, self.failures, self.priority)
        if not alike or before.kills or self.kills:
            return False
        if before.message is None:
            return self.message is None  # they are sorted, and read together
        return self.message is not None and before.position < self.position


class Delivery(msgspec.Struct, eq=False):
    """Messages that one worker has in flight, in ascending positions; the first ``done`` are settled. A msgspec struct,
    because a reader may have one for each message.

    The worker is at index ``at``. Messages between ``done`` and ``at`` are finished and not reported yet; the status
    counts them as finished.

    :ivar attempts: number of earlier deliveries of the messages.
    :ivar failures: number of those that count towards ``max_attempts``.
    :ivar kills: number of times that their process was killed while they were in flight.
    :ivar key: the key of the messages, in a tuple; ``None``: they have none.
    :ivar over: whether the trial of a suspect has ended.
    :ivar since: epoch seconds at which the first message was received, while it is read from the store.
    :ivar scheduled: whether the messages were delayed or given back, so that ``max_age`` does not apply.
    :ivar priority: that of all its messages.
    """

    messages: Sequence[Message]
    positions: Sequence[int]
    attempts: int = 0
    failures: int = 0
    kills: int = 0
    key: tuple[Hashable] | None = None
    done: int = 0
    at: int = 0
    over: bool = False
    since: float | None = None
    scheduled: bool = False
    priority: int = DEFAULT_PRIORITY

    @classmethod
    def of(cls, run: Sequence[Entry], key: tuple[Hashable] | None) -> Delivery:
        """Make a delivery of entries with equal attempts. Messages that are not in memory are ``None``."""
        first, messages = run[0], [entry.message for entry in run]
        positions = [entry.position for entry in run]
        tries = (first.attempts, first.failures, first.kills)
        more = {"since": first.received_at, "scheduled": key is None, "priority": first.priority}
        return cls(messages, positions, *tries, key, **more)  # type: ignore[arg-type]

    @property
    def unread(self) -> bool:
        """True if its messages must be read from the store first."""
        return self.messages[0] is None

    @property
    def unreported(self) -> int:
        """Number of messages that are finished and not reported."""
        return max(0, self.at - self.done)

    @property
    def current(self) -> Message:
        """The message that is being consumed, or the last one."""
        return self.messages[min(self.at, len(self.messages) - 1)]

    @property
    def position(self) -> int:
        """The position of the first message."""
        return self.positions[0]

    @property
    def left(self) -> int:
        """Number of messages that are not settled."""
        return len(self.messages) - self.done

    def split(self, first: int) -> Delivery:
        """Keep the messages before the index ``first``. Returns the others as a new delivery."""
        rest = msgspec.structs.replace(
            self, messages=self.messages[first:], positions=self.positions[first:], done=0, at=0
        )
        self.messages, self.positions = self.messages[:first], self.positions[:first]
        return rest

    def rest(self, count: int) -> list[Entry]:
        """Make entries of the next ``count`` messages that are not settled."""
        tries = (self.attempts, self.failures, self.kills)
        return [
            Entry(self.positions[at], self.messages[at], *tries, received_at=self.since, priority=self.priority)
            for at in range(self.done, self.done + count)
        ]
