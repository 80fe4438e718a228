"""One consistent reading of a queue, from what it has under its lock. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from heapq import nsmallest

from hub.message import Message
from hub.queue.books import Books
from hub.queue.schedule import Entry
from hub.queue.taken import Taken
from hub.queue.waiting import Waiting
from hub.stats.counters import QueueStats
from hub.store import Range, Run


def reading(books: Books, waiting: Waiting, in_flight: Iterable[Taken]) -> QueueStats:
    """The numbers. What a worker has finished and not reported yet counts as finished."""
    hands = list(in_flight)
    unreported = sum(taken.unreported for taken in hands)
    counters = replace(books.counters, finished=books.counters.finished + unreported)
    held = sum(taken.left for taken in hands) - unreported
    return QueueStats(counters, held, waiting.delayed, _oldest(books, waiting, hands))


Held = tuple[int, str, Message, int]
"""Position, state (``in flight``, ``retry`` or ``waiting``), message, attempts so far."""


def oldest(found: Iterable[Held], count: int) -> list[Held]:
    """Of these."""
    return nsmallest(count, found, key=lambda one: one[0])


def in_hand(in_flight: Iterable[Taken], count: int) -> list[Held]:
    """What workers have; at most so many of each. One that is being read for a worker is told of when it is there."""
    found: list[Held] = []
    for taken in in_flight:
        first = max(taken.done, taken.at)
        for at in range(first, min(len(taken.messages), first + count)):
            if (message := taken.messages[at]) is not None:
                found.append((taken.positions[at], "in flight", message, taken.attempts))
    return found


def ready(waiting: Waiting, count: int) -> list[Held]:
    """The oldest that nobody has taken."""
    return [_held(waiting, position, message) for position, message in zip(*waiting.ready.first(count), strict=True)]


def aside(entries: Iterable[Entry]) -> Iterator[Held]:
    """What is in a lane, or waits for a retry; but for what is to be read from the store again."""
    for entry in entries:
        if entry.message is not None:
            yield entry.position, "retry" if entry.attempts else "waiting", entry.message, entry.attempts


def unread(waiting: Waiting, run: Run, ranges: Iterable[Range], known: Collection[int]) -> Iterator[Held]:
    """What the store has, at these positions. :param known: what is told of already."""
    for first, after in ranges if not run.damaged else ():
        for position in range(first, after):
            if position not in known:
                yield _held(waiting, position, run.messages[position - run.start])


def _held(waiting: Waiting, position: int, message: Message) -> Held:
    entry = waiting.entry(position)
    attempts = entry.attempts if entry is not None else 0
    return position, "retry" if attempts else "waiting", message, attempts


def _oldest(books: Books, waiting: Waiting, hands: list[Taken]) -> float | None:
    """Positions rise with arrival, so the first one that is not settled, the floor, is the oldest."""
    since = waiting.since(books.floor)
    for taken in hands:
        if taken.left and taken.positions[taken.done] == books.floor:
            message: Message | None = taken.messages[max(taken.done, taken.at)]
            since = taken.since if message is None else message.received_at
    if since is None and books.counters.backlog:
        return waiting.oldest_unread
    return since
