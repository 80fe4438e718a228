"""Expiry: drops messages that wait too long, without a worker: older than ``max_age``, or past a time of their own."""

from __future__ import annotations

import math
from functools import partial

from hub.headers import overdue
from hub.queue.ages import AgeLimit
from hub.queue.delivery import Delivery
from hub.queue.next_read import next_head
from hub.queue.priority_level import PriorityLevel
from hub.queue.ready import ReadyWindow, first_kept
from hub.queue.work import READ_AT_ONCE, Shared

EXPIRE_ROUNDS = 32
"""Most times that the lock is taken to drop old messages in one call."""
MESSAGES_AT_ONCE = 1000
"""Messages that are dropped one by one under the queue's lock."""


class ExpireReady:
    """Work: drop ready and unread messages that are too old, in bounded time. Key order is not searched."""

    reads = True

    def __init__(self, queue: Shared, max_age: float) -> None:
        self._queue, self._max_age = queue, max_age

    def run(self) -> None:
        """Drop the messages."""
        queue = self._queue
        with queue.lock:
            limit = queue.ages.limit(self._max_age)
        for _ in range(EXPIRE_ROUNDS):
            with queue.lock:
                backlog = queue.backlog
                dropped = sum([one.drop_expired(limit) for one in backlog.waiting])
                aside = backlog.aside.drop(partial(_too_old, limit), MESSAGES_AT_ONCE)
                queue.acks.counters.dropped_expired += aside
            if not dropped:
                break
        for one in queue.backlog.waiting:
            self._expire_unread(limit, one)
        with queue.changing(journal=True, wake=False):
            pass  # what was dropped so far is announced once

    def _expire_unread(self, limit: AgeLimit, waiting: ReadyWindow | PriorityLevel) -> None:
        with self._queue.lock:
            known = waiting.oldest_unread
            start, stop = waiting.unread_span
            stop = min(stop, limit.upto)
            if waiting.batches or start >= stop or (known is not None and known >= limit.oldest):
                return
        first = first_kept(self._received_at, start, stop, limit.oldest)
        since = min(self._received_at(first), self._queue.wall())
        with self._queue.lock:
            waiting.drop_expired_unread(first, since)

    def _received_at(self, position: int) -> float:
        """Time of receipt of the first readable message from ``position`` on; infinite if there is none."""
        runs = self._queue.store.read(self._queue.name, position, READ_AT_ONCE, 1)
        return next((run.messages[0].received_at for run in runs if run.messages), math.inf)


def _too_old(limit: AgeLimit, delivery: Delivery) -> bool:
    return not delivery.attempts and limit.exceeded(delivery.position, delivery.current.received_at)


def drop_overdue(queue: Shared, reads: bool = True) -> bool:
    """Drop the oldest ready messages of each priority while they are overdue, in bounded time. One behind a message
    that is not keeps its place until its turn comes.

    :param reads: whether it may read the store. :returns: whether it did.
    """
    backlog, ready, dropped = queue.backlog, queue.backlog.ready, 0
    if not (ready.batches or ready.behind or backlog.levels.used or len(backlog.aside)):
        return False  # without the lock: what comes now is looked at the next time
    with queue.lock:
        now = queue.wall()
        for one in backlog.waiting:
            while dropped < MESSAGES_AT_ONCE and (head := one.batches.head) is not None and overdue(head[1], now):
                dropped += one.drop_loaded(1)
        dropped += backlog.aside.drop(lambda one: overdue(one.current, now), MESSAGES_AT_ONCE)
        queue.acks.counters.dropped_expired += dropped
        load = next_head(queue) if reads and not queue.loading else None
    if load is not None:
        load.run()
    elif dropped:
        with queue.changing(journal=True, wake=False):
            pass  # it is announced
    return load is not None
