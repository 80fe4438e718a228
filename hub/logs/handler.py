"""The handler that passes Python's log records to the writer's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable

from hub.logs.collapse import Collapse
from hub.logs.writer import LogWriter
from hub.workers.log_context import Attribute

OURS = "hubbub"
"""Name of the parent logger of all parts."""


class Handler(logging.Handler):
    """Passes records to the writer. ``logging.config`` closes every handler; this one continues.

    :param on_close: called when a library closes it by configuring logging of the whole process.
    """

    def __init__(self, writer: LogWriter, on_close: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.writer = writer
        self.collapse = Collapse(self.handle)
        self._on_close = on_close
        self.addFilter(Attribute())
        self.addFilter(self.collapse)

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on; returns immediately."""
        try:
            self.writer.write(record)
        except Exception:  # noqa: BLE001 - values that do not fit the text, or whose ``str`` fails
            self.writer.write(unsayable(record))

    def close(self) -> None:
        """Ignore the call, and report it: the handler stays open until the process ends."""
        self._on_close()


def unsayable(record: logging.LogRecord) -> logging.LogRecord:
    """A line with the place of a record that can't be formatted."""
    text = "a log line can't be formatted, its text does not fit its values: %s, line %d"
    values = (record.pathname, record.lineno)
    made = logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, text, values, None)
    made.__dict__["action"] = "log"
    return made


def is_foreign(record: logging.LogRecord) -> bool:
    """True if a record is a library's; the hub's parts have a handler of their own."""
    return record.name != OURS and not record.name.startswith(OURS + ".")
