"""File descriptors, which ZeroMQ can't do without everywhere."""

from __future__ import annotations

import os
from contextlib import ExitStack

from hub.errors import Unavailable

FOR_A_CONTEXT = 16
FOR_AN_ENDPOINT = 8
"""File descriptors, more than libzmq 4.3.5 takes: 5 and 1 for what all share, then up to 5 each."""


def need(count: int) -> None:
    """Make sure that there is room for so many file descriptors more, before ZeroMQ is given something to do that takes
    them: it ends the process where it gets none for a new context, or while it looks up an address to bind.

    Who else takes the last ones in the same moment can't be kept from it.

    :raises Unavailable: there is no room.
    """
    with ExitStack() as opened:
        try:
            for _ in range(count):
                opened.callback(os.close, os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            raise Unavailable(f"it takes up to {count} file descriptors: {error.strerror}") from error
