"""Where one message of a queue is: waiting, in hand, aside until a retry, or settled. Pure: no lock."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from hub.message import Message
from hub.queue.books import Books
from hub.queue.taken import Taken
from hub.queue.waiting import Waiting

MOST_RANGES = 10_000
"""Ranges of settled positions that are added up, under the queue's lock: a millisecond."""

Kind = Literal["waiting", "in flight", "retry", "settled"]


@dataclass(frozen=True, slots=True)
class Place:
    """Of one position.

    :ivar before: how many messages before it are not settled; ``None``: it is settled, or they lie too scattered to be
        counted in passing.
    :ivar attempts: how often it was given to the consumer before.
    :ivar due: monotonic seconds before which it is not tried again.
    :ivar taken: what it is in hand with. :ivar at: where in it.
    """

    kind: Kind
    before: int | None = None
    attempts: int = 0
    due: float | None = None
    taken: Taken | None = None
    at: int = 0


SETTLED = Place("settled")


def place_of(position: int, books: Books, waiting: Waiting, in_flight: Iterable[Taken], now: float) -> Place:
    """What the queue knows of that position, in bounded time. :param now: monotonic seconds."""
    if not list(books.unsettled(position, position + 1)):
        return SETTLED
    before = _before(position, books)
    for taken in in_flight:
        at = _index(taken.positions, position)
        if at >= taken.done:
            if at < taken.at:  # it is finished, and not reported yet
                return SETTLED
            return Place("in flight", before, taken.attempts, taken=taken, at=at)
    entry = waiting.entry(position)
    if entry is None:
        return Place("waiting", before)
    delayed = entry.attempts > 0 and entry.due > now
    return Place("retry" if delayed else "waiting", before, entry.attempts, entry.due if delayed else None)


def _before(position: int, books: Books) -> int | None:
    ranges = list(islice(books.unsettled(books.floor, position), MOST_RANGES + 1))
    return sum([stop - start for start, stop in ranges]) if len(ranges) <= MOST_RANGES else None


def _index(positions: Sequence[int], position: int) -> int:
    """In ascending positions; -1: it is not among them."""
    at = bisect_left(positions, position)
    return at if at < len(positions) and positions[at] == position else -1


Piece = tuple[Sequence[int], Sequence[Message | None]]
"""Positions, and the messages at them."""


def in_memory(waiting: Waiting, in_flight: Iterable[Taken]) -> list[Piece]:
    """All that the queue holds in memory, as references: its batches, not its messages, are copied."""
    pieces: list[Piece] = [(taken.positions, taken.messages) for taken in in_flight]
    entries = waiting.aside()
    pieces.append(([entry.position for entry in entries], [entry.message for entry in entries]))
    pieces += waiting.ready.pieces()
    return pieces


def positions_of(id_: str, pieces: Iterable[Piece], step: int) -> Iterator[list[tuple[int, Message]]]:
    """Where messages of that id are among them; after each ``step`` messages the caller may do other things."""
    found: list[tuple[int, Message]] = []
    count = 0
    for positions, messages in pieces:
        for at, message in enumerate(messages):
            if message is not None and message.id == id_:
                found.append((positions[at], message))
            count += 1
            if count % step == 0:
                yield found
                found = []
    yield found
