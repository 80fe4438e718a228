"""Messages that were let go of, read from the store again; those of one page together, as it is read as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from hub.message import Message
from hub.store import Run, Store

READ_BACK_BYTES = 1 << 20
"""Of bodies that are read back at a time."""


def read_back(store: Store, queue: str, positions: Sequence[int], size: int) -> tuple[dict[int, Message], int]:
    """The messages at these positions, which ascend; what can't be read is missing.

    :param size: bytes after which no more are read; at least one is.
    :returns: also how many of the positions were looked at.
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
