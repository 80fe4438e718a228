"""Log lines to a file descriptor: standard error."""

from __future__ import annotations

import logging
import os
import select


class Stream:
    """:param encoding: of the lines; what it lacks is escaped."""

    def __init__(self, formatter: logging.Formatter, descriptor: int = 2, encoding: str = "utf-8") -> None:
        self._formatter = formatter
        self._descriptor = descriptor
        self._encoding = encoding

    def encode(self, record: logging.LogRecord) -> bytes:
        """A line, and those of its traceback."""
        return (self._formatter.format(record) + "\n").encode(self._encoding, "backslashreplace")

    def send(self, entry: bytes) -> None:
        """Write all of it. Straight to the descriptor: a lock of ``sys.stderr``'s that is held by a write which hangs
        would end the interpreter with an error, in place of an exit. :raises OSError: nobody will ever read it."""
        while entry:
            try:
                entry = entry[os.write(self._descriptor, entry) :]
            except BlockingIOError:  # somebody who shares the terminal has made it so
                select.select([], [self._descriptor], [])
