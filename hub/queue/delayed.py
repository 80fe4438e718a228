"""Delayed messages: they arrive now, and are delivered once they are due. Until then they are in the schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.message import DEFAULT_PRIORITY, Message
from hub.queue.delivery import Entry
from hub.queue.work import Shared
from hub.store import Try


def admit(queue: Shared, messages: Sequence[Message], size: int) -> tuple[int, Sequence[Message]]:
    """Admit a batch of delayed messages, which are delivered after ``offer``. What does not fit is dropped, in any
    overflow mode: a delayed message waits for its time, and can't be dropped for newer ones.

    :param size: bytes of its bodies. :returns: the first position, and the messages that fit.
    """
    with queue.lock:
        kept = queue.overflow.admit_bounded(messages, size)
        start = queue.next_position
        queue.next_position += len(kept)
        return start, kept


def tries_of(queue: Shared, start: int, delays: Sequence[float]) -> Mapping[int, Try]:
    """Tries without an attempt, with which the store keeps the delays. :param delays: seconds from now."""
    now = queue.wall()
    return {position: Try(0, 0, now + delay, delay) for position, delay in enumerate(delays, start)}


def offer(queue: Shared, start: int, messages: Sequence[Message], delays: Sequence[float], priority: int) -> None:
    """Offer admitted messages for delivery; a durable queue's were appended before. :param priority: of all."""
    now = queue.clock()
    entries = [
        Entry(start + at, message, due=now + delays[at], priority=priority) for at, message in enumerate(messages)
    ]
    with queue.lock:
        queue.backlog.ready.skip(start, len(entries))
        if priority != DEFAULT_PRIORITY:
            queue.backlog.levels.of(priority)  # from now on the order is by priority
        for entry in entries:
            queue.backlog.schedule.delay([entry], entry.due)
        queue.waiters.wake(len(entries))
    queue.announce(False, False)
