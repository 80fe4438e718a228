"""File descriptor check: libzmq ends the process where it gets none, so free ones are counted before."""

from __future__ import annotations

import os
from contextlib import ExitStack

from hub.errors import Unavailable

FOR_A_CONTEXT = 16
FOR_AN_ENDPOINT = 8
"""File descriptors per endpoint; more than libzmq 4.3.5 opens: 5 and 1 that all share, then up to 5 each."""


def need(count: int) -> None:
    """Check that ``count`` more file descriptors can be opened, before a call of ZeroMQ that needs them.

    libzmq ends the process if it gets none for a new context, or while it looks up an address to bind. Another thread
    can still take the last ones after the check.

    :raises Unavailable: there are too few.
    """
    with ExitStack() as opened:
        try:
            for _ in range(count):
                opened.callback(os.close, os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            raise Unavailable(f"it takes up to {count} file descriptors: {error.strerror}") from error
