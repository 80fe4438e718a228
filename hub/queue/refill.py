"""What is unread: how it comes into the ready window, and how it is dropped without being read. Pure: no lock."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from hub.message import Message
from hub.queue.ages import AgeLimit
from hub.queue.books import Books
from hub.queue.schedule import Entry
from hub.queue.waiting import Waiting
from hub.store import Run

EXPIRE_AT_ONCE = 1000
"""Batches that are looked at, under the queue's lock: less than a millisecond."""


def take_in(waiting: Waiting, books: Books, position: int, stop: int, runs: Sequence[Run]) -> None:
    """Put what was read, and is not settled, into the ready window.

    What the store should have and has not, or can't read, is lost, and counted: it must not be asked for for ever.

    :param position: from which on was read. :param stop: up to which there should be something.
    """
    for run in runs:
        if run.start >= waiting.next_position:
            # What follows is stored already, but not offered yet.
            _lose(waiting, books, position, waiting.next_position)
            waiting.passed(waiting.next_position, 0)
            return
        _lose(waiting, books, position, run.start)
        position = min(run.start + run.count, waiting.next_position)
        if position <= waiting.loaded:
            continue
        if run.damaged:
            _lose(waiting, books, run.start, position)
        else:
            waiting.learn(run.start, run.messages)
        for first, after in waiting.resumed.leave_out(books.unsettled(max(run.start, waiting.loaded), position)):
            messages = run.messages[first - run.start : after - run.start]
            size = run.size if len(messages) == run.count else sum([len(message.body) for message in messages])
            waiting.ready.append(first, messages, size)
        waiting.passed(position, run.size)
    if not runs:
        _lose(waiting, books, position, stop)
        waiting.passed(stop, 0)


def _lose(waiting: Waiting, books: Books, start: int, stop: int) -> None:
    books.counters.dropped_damaged += _drop(waiting, books, start, stop)


def bring_back(waiting: Waiting, books: Books, entry: Entry, message: Message | None) -> None:
    """Into the ready window, what was spared and then read. :param message: ``None``: it can't be read."""
    waiting.bring_back(entry, message)
    if message is None:
        books.settle(entry.position, entry.position + 1)
        books.counters.dropped_damaged += 1


def _drop(waiting: Waiting, books: Books, start: int, stop: int) -> int:
    """Settle those that nobody has begun. Returns how many."""
    waiting.spare(start, stop)
    return books.settle_all(waiting.resumed.leave_out(books.unsettled(start, stop)))


def drop_unread(waiting: Waiting, books: Books, count: int) -> int:
    """Settle the first ``count`` positions that are unread. Returns how many of them were not settled before."""
    start, stop = waiting.loaded, min(waiting.loaded + count, waiting.next_position)
    size = waiting.unread_size * (stop - start) // (waiting.next_position - start)
    dropped = _drop(waiting, books, start, stop)
    waiting.passed(stop, size)
    return dropped


def drop_ready(waiting: Waiting, books: Books, count: int) -> int:
    """Settle the oldest ``count`` of the ready window, but for what waits for a retry. Returns how many."""
    dropped = 0
    while count > 0 and waiting.ready:
        positions, _ = waiting.ready.take(count)
        count -= len(positions)
        if waiting.resumed.in_turn:
            dropped += _drop(waiting, books, positions.start, positions.stop)
        else:
            books.settle(positions.start, positions.stop)
            dropped += len(positions)
    return dropped


def drop_expired(waiting: Waiting, books: Books, limit: AgeLimit) -> int:
    """Settle what is ready and too old. Returns how many, a bounded number."""
    dropped = drop_ready(waiting, books, waiting.ready.older(limit, EXPIRE_AT_ONCE))
    books.counters.dropped_expired += dropped
    return dropped


def drop_expired_unread(waiting: Waiting, books: Books, first: int, since: float) -> None:
    """Settle what is unread before the position ``first``. :param since: when that one was received, or before."""
    if waiting.loaded < first:
        books.counters.dropped_expired += drop_unread(waiting, books, first - waiting.loaded)
    if waiting.loaded == first:
        waiting.oldest_unread = since


def first_kept(received_at: Callable[[int], float], start: int, stop: int, oldest: float) -> int:
    """The first of these positions that was received at ``oldest`` or later. Positions rise with arrival; of few the
    time is asked for, and those are near the start where the answer is."""
    step = 1
    while start + step < stop and received_at(start + step) < oldest:
        start, step = start + step, 2 * step
    return bisect_left(range(stop), oldest, start, min(start + step, stop), key=received_at)


def drop_all(waiting: Waiting, books: Books) -> int:
    """Settle all that is ready, unread, or in a lane and was never tried. Returns how many."""
    purged = drop_ready(waiting, books, len(waiting.ready))
    for position in sorted(waiting.drop_lanes()):
        books.settle(position, position + 1)
        purged += 1
    if waiting.behind:
        purged += drop_unread(waiting, books, waiting.next_position)
    books.counters.dropped_purged += purged
    return purged
