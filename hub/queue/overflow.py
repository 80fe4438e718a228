"""Overflow of a queue: its bounds, and the handling of messages when it is full. Pure: no lock."""

from __future__ import annotations

from collections.abc import Sequence

from hub.message import Message
from hub.queue.ack_state import AckState
from hub.queue.backlog import Backlog
from hub.queue.oldest import Oldest
from hub.queue.policy import QueuePolicy


class Overflow:
    """The bounds of one queue, and its overflow mode.

    :ivar draining: whether new messages are dropped.
    :ivar over_quota: whether the store exceeds ``max_disk``: the queue then counts as full.
    :ivar full: whether the buses were asked to hold back, and no room was made since.
    :ivar oldest: what is dropped in the mode ``drop_oldest``.
    """

    def __init__(self, policy: QueuePolicy, acks: AckState, backlog: Backlog) -> None:
        self.policy = policy
        self.draining = False
        self.over_quota = False
        self.full = False
        self._acks = acks
        self._backlog = backlog
        self.oldest = Oldest(acks, backlog)

    def over(self, count: int, size: int) -> bool:
        """Tell whether ``count`` more messages of ``size`` bytes would exceed a bound."""
        return self.over_quota or self._beyond(count, size)

    def _beyond(self, count: int, size: int) -> bool:
        policy, backlog = self.policy, self._backlog
        if policy.max_backlog is not None and self._acks.counters.backlog + count > policy.max_backlog:
            return True
        if policy.max_bytes is None or backlog.total_size + size <= policy.max_bytes:
            return False
        backlog.recount()
        return backlog.total_size + size > policy.max_bytes

    def admit(self, messages: Sequence[Message], size: int, if_room: bool) -> tuple[Sequence[Message], int]:
        """Count a batch as received, and messages that do not fit as dropped. Returns the others and their bytes.

        :param size: bytes of all. :param if_room: admit only what fits: the caller keeps the rest, which is not
            counted, and nothing is dropped.
        """
        kept, kept_size = self.fitting(messages, size, if_room)
        self._count(*((kept, kept_size) if if_room else (messages, size)), len(kept))
        return kept, kept_size

    def admit_bounded(self, messages: Sequence[Message], size: int) -> Sequence[Message]:
        """Count a batch as received, and what does not fit as dropped, whatever the overflow mode. Returns the rest."""
        kept, _ = self.fitting(messages, size, if_room=True)
        self._count(messages, size, len(kept))
        return kept

    def _count(self, messages: Sequence[Message], size: int, kept: int) -> None:
        counters = self._acks.counters
        counters.received += len(messages)
        counters.received_bytes += size
        if self.draining:
            counters.dropped_drained += len(messages)
        else:
            counters.dropped_newest += len(messages) - kept

    def fitting(self, messages: Sequence[Message], size: int, if_room: bool = False) -> tuple[Sequence[Message], int]:
        """The messages that would be admitted, and their bytes.

        :param size: bytes of all. :param if_room: only those that need no drop and no holding back.
        """
        if self.draining:
            return (), 0
        bounded = if_room or self.policy.overflow == "drop_newest"
        if not bounded or not self.over(len(messages), size):
            return messages, size
        kept, size = 0, 0
        while kept < len(messages) and not self.over(kept + 1, size + len(messages[kept].body)):
            size += len(messages[kept].body)
            kept += 1
        return messages[:kept], size

    def arrived(self, count: int) -> None:
        """Handle the arrival of ``count`` messages: mark the queue as full, or drop the oldest."""
        if self.draining or self.policy.overflow == "drop_newest" or not self.over(0, 0):
            return
        if self.policy.overflow == "block":
            self.full = True
        else:
            self._drop_oldest(count if self.over_quota else 0)

    def _drop_oldest(self, count: int) -> None:
        """Drop the oldest ``count`` messages of the lowest priorities, and more until the bounds are met; never one
        that was tried."""
        acks, backlog = self._acks, self._backlog
        limit, most = self.policy.max_backlog, self.policy.max_bytes
        while (count > 0 or self._beyond(0, 0)) and self.oldest:
            backlog.recount()
            many = acks.counters.backlog - limit if limit is not None else 0
            large = backlog.total_size - most if most is not None else 0
            dropped = self.oldest.drop(max(count, many), large)
            acks.counters.dropped_oldest += dropped
            count -= dropped

    def made_room(self) -> bool:
        """Update ``full`` after messages were settled. Returns whether the queue is no longer full.

        That needs a quarter of free room, so that a bus is not held back and resumed for every message.
        """
        if not self.full:
            return False
        policy = self.policy
        many = policy.max_backlog is not None and self._acks.counters.backlog > policy.max_backlog * 3 // 4
        large = policy.max_bytes is not None and self._backlog.total_size > policy.max_bytes * 3 // 4
        self.full = policy.overflow == "block" and not self.draining and (self.over_quota or many or large)
        return not self.full
