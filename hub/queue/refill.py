"""What is unread: how it comes into the ready window, and how it is dropped without being read. Pure: no lock."""

from __future__ import annotations

from collections.abc import Sequence

from hub.queue.books import Books
from hub.queue.waiting import Waiting
from hub.store import Run

EXPIRE_AT_ONCE = 256


def take_in(waiting: Waiting, books: Books, position: int, stop: int, runs: Sequence[Run]) -> None:
    """Put what was read, and is not settled, into the ready window.

    What the store should have and has not, or can't read, is lost, and counted: it must not be asked for for ever.

    :param position: from which on was read. :param stop: up to which there should be something.
    """
    for run in runs:
        if run.start >= waiting.next_position:
            _lose(
                waiting, books, position, waiting.next_position
            )  # what follows is stored already, but not offered yet
            waiting.passed(waiting.next_position, 0)
            return
        _lose(waiting, books, position, run.start)
        position = min(run.start + run.count, waiting.next_position)
        if position <= waiting.loaded:
            continue
        if run.damaged:
            _lose(waiting, books, run.start, position)
        for first, after in waiting.not_aside(books.unsettled(max(run.start, waiting.loaded), position)):
            messages = run.messages[first - run.start : after - run.start]
            size = run.size if len(messages) == run.count else sum([len(message.body) for message in messages])
            waiting.ready.append(first, messages, size)
        waiting.passed(position, run.size)
    if not runs:
        _lose(waiting, books, position, stop)
        waiting.passed(stop, 0)


def _lose(waiting: Waiting, books: Books, start: int, stop: int) -> None:
    books.counters.dropped_damaged += books.settle_all(waiting.not_aside(books.unsettled(start, stop)))


def drop_unread(waiting: Waiting, books: Books, count: int) -> int:
    """Settle the first ``count`` positions that are unread. Returns how many of them were not settled before."""
    start, stop = waiting.loaded, min(waiting.loaded + count, waiting.next_position)
    size = waiting.unread_size * (stop - start) // (waiting.next_position - start)
    dropped = books.settle_all(waiting.not_aside(books.unsettled(start, stop)))
    waiting.passed(stop, size)
    return dropped


def drop_ready(waiting: Waiting, books: Books, count: int) -> int:
    """Settle the oldest ``count`` of the ready window, or fewer. Returns how many."""
    positions, _ = waiting.ready.take(count)
    books.settle(positions.start, positions.stop)
    return len(positions)


def drop_expired(waiting: Waiting, books: Books, oldest: float) -> None:
    """Settle what is ready and was received before ``oldest``, epoch seconds; a bounded number at a time."""
    for _ in range(EXPIRE_AT_ONCE):
        head = waiting.ready.head
        if head is None or head[1].received_at >= oldest:
            return
        books.counters.dropped_expired += drop_ready(waiting, books, 1)


def drop_all(waiting: Waiting, books: Books) -> int:
    """Settle all that is ready or unread. Returns how many."""
    purged = 0
    while waiting.ready:
        purged += drop_ready(waiting, books, len(waiting.ready))
    if waiting.behind:
        purged += drop_unread(waiting, books, waiting.next_position)
    books.counters.dropped_purged += purged
    return purged
