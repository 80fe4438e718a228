"""One consistent reading of a queue, from what it has under its lock. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hub.books import Books
from hub.counters import QueueStats
from hub.waiting import Taken, Waiting


def reading(books: Books, waiting: Waiting, in_flight: Iterable[Taken], oldest_unread: float | None) -> QueueStats:
    """The numbers. What a worker has finished and not reported yet counts as finished.

    :param oldest_unread: epoch seconds at which the first of what is unread was received.
    """
    hands = list(in_flight)
    unreported = sum(taken.unreported for taken in hands)
    counters = replace(books.counters, finished=books.counters.finished + unreported)
    held = sum(taken.left for taken in hands) - unreported
    return QueueStats(counters, held, waiting.delayed, _oldest(books, waiting, hands, oldest_unread))


def _oldest(books: Books, waiting: Waiting, hands: list[Taken], oldest_unread: float | None) -> float | None:
    """Positions rise with arrival, so the first one that is not settled, the floor, is the oldest."""
    message = waiting.at(books.floor)
    for taken in hands:
        if taken.left and taken.positions[taken.done] == books.floor:
            message = taken.messages[max(taken.done, taken.at)]
    if message is not None:
        return message.received_at
    return oldest_unread if books.counters.backlog else None
