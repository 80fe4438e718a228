"""Single messages read from the store. A page is read as a whole, so neighbours cost no second read."""

from __future__ import annotations

from collections.abc import Sequence

from hub.message import Message
from hub.store import Run, Store

READ_BACK_BYTES = 1 << 20
"""Most bytes of bodies that are read at a time."""


def read_back(store: Store, queue: str, positions: Sequence[int], size: int) -> tuple[dict[int, Message], int]:
    """Read the messages at ascending positions. Unreadable ones are missing from the result.

    :param size: bytes after which reading stops; at least one message is read.
    :returns: messages by position, and the number of positions that were tried.
    """
    found: dict[int, Message] = {}
    run: Run | None = None
    for at, position in enumerate(positions):
        if size <= 0 and at:
            return found, at
        if run is None or position >= run.start + run.count:
            runs = store.read(queue, position, 1, 1)
            run = runs[0] if runs else None
        message = _at(run, position)
        if message is not None:
            found[position] = message
            size -= len(message.body)
    return found, len(positions)


def _at(run: Run | None, position: int) -> Message | None:
    index = position - run.start if run is not None else -1
    return run.messages[index] if run is not None and 0 <= index < len(run.messages) else None


def read_one(store: Store, queue: str, position: int) -> Message | None:
    """Read the message at a position; ``None``: it can't be read."""
    runs = store.read(queue, position, 1, 1)
    return runs[0].messages[0] if runs and runs[0].messages and runs[0].start == position else None
