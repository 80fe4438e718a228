"""Where Python's logging meets the thread that writes."""

from __future__ import annotations

import logging
from collections.abc import Callable

from hub.logs.collapse import Collapse
from hub.logs.writer import LogWriter
from hub.workers.inhand import Attribute

OURS = "hubbub"
"""The logger above those of all parts."""


class Handler(logging.Handler):
    """Gives lines to the writer. ``logging.config`` closes every handler that there is; this one goes on.

    :param on_close: called when somebody has closed it: a library that sets up logging for the whole process.
    """

    def __init__(self, writer: LogWriter, on_close: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.writer = writer
        self.collapse = Collapse(self.handle)
        self._on_close = on_close
        self.addFilter(Attribute())
        self.addFilter(self.collapse)

    def emit(self, record: logging.LogRecord) -> None:
        """Returns at once."""
        try:
            self.writer.write(record)
        except Exception:  # noqa: BLE001 - a text that does not fit its values, a value that can't say what it is
            self.writer.write(unsayable(record))

    def close(self) -> None:
        """Not closed: it belongs to the process, until that ends."""
        self._on_close()


def unsayable(record: logging.LogRecord) -> logging.LogRecord:
    """A line that tells where a line was logged that can't be told."""
    text = "a line can't be shown, its text does not fit its values: %s, line %d"
    values = (record.pathname, record.lineno)
    made = logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, text, values, None)
    made.__dict__["action"] = "log"
    return made


def is_foreign(record: logging.LogRecord) -> bool:
    """Whether it is a library's, and not one of the hub's parts', which have a handler of their own."""
    return record.name != OURS and not record.name.startswith(OURS + ".")
