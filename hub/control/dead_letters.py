"""Dead letters in bulk: retries or deletes them in steps of bounded size."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from typing import NamedTuple

from hub.control.hub import Hub
from hub.control.redelivery import redeliver
from hub.deadletter import DeadLetter
from hub.store.letters import size_of

PIECE = 256 << 10
"""Bytes of dead letters read and written in one step: some 2 ms of the reactor."""
LOOK_UP = 512
"""Bytes counted for finding a dead letter, also for a missing one."""


class Requeued(NamedTuple):
    """Dead letters that were put back into their queue so far.

    :ivar start: position of the first one. :ivar stop: position after the last one; new messages may lie between.
    :ivar not_taken: number that a full queue did not take.
    """

    start: int
    stop: int
    taken: int
    not_taken: int


def retry_letters(hub: Hub, name: str, numbers: Collection[int], size: int = PIECE) -> Iterator[Requeued]:
    """Put dead letters back into their queue, in steps of about ``size`` bytes. Once the queue is full, the rest stay
    dead letters and are only counted.

    :raises Drained: the consumer is drained; the rest stay dead letters.
    """
    left, count, refused, first, stop = deque(sorted(set(numbers))), 0, 0, 0, 0
    while True:
        queue = hub.queues.taking(name).opened
        letters = _some_letters(hub, name, left, size)
        if not refused:
            start, stop = redeliver(hub, queue, [letter.message for letter in letters])
            taken = letters[: stop - start]
            queue.stored.remove_letters([letter.number for letter in taken], again=True)
            first = first if count else start
            count += len(taken)
            letters = letters[len(taken) :]
        refused += len(letters)
        yield Requeued(first, stop, count, refused)
        if not left:
            return


def delete_letters(hub: Hub, name: str, numbers: Collection[int], size: int = PIECE) -> Iterator[int]:
    """Delete dead letters in steps of about ``size`` bytes. :returns: after each step, the number deleted so far."""
    left, count = deque(sorted(set(numbers))), 0
    while True:
        letters = _some_letters(hub, name, left, size)
        hub.queues.stored(name).remove_letters([letter.number for letter in letters])
        count += len(letters)
        yield count
        if not left:
            return


def _some_letters(hub: Hub, name: str, numbers: deque[int], size: int) -> list[DeadLetter]:
    """Read the first letters, about ``size`` bytes, and remove their numbers from the deque. Some may be gone."""
    stored, found = hub.queues.stored(name), []
    while numbers and size > 0:
        size -= LOOK_UP
        if (letter := stored.dead_letter(numbers.popleft())) is not None:
            found.append(letter)
            size -= size_of(letter)
    return found
