"""Writes log lines to a file descriptor, standard error."""

from __future__ import annotations

import logging
import os
import select


class LogStream:
    """Destination of lines. :param encoding: of the lines; characters that it lacks are escaped."""

    def __init__(self, formatter: logging.Formatter, descriptor: int = 2, encoding: str = "utf-8") -> None:
        self._formatter = formatter
        self._descriptor = descriptor
        self._encoding = encoding

    def encode(self, record: logging.LogRecord) -> bytes:
        """Encode a record as a line, and the lines of its traceback."""
        return (self._formatter.format(record) + "\n").encode(self._encoding, "backslashreplace")

    def send(self, entry: bytes) -> None:
        """Write all of an entry, directly to the descriptor: the lock of ``sys.stderr``, held by a write that hangs,
        would make the interpreter abort instead of exit. :raises OSError: the reader is gone."""
        while entry:
            try:
                entry = entry[os.write(self._descriptor, entry) :]
            except BlockingIOError:  # another process on the terminal has set O_NONBLOCK
                select.select([], [self._descriptor], [])
