"""Where the log goes, and how it looks on a terminal."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from twisted.logger import STDLibLogObserver, globalLogBeginner

from hub.configuration.schema import LogLevel
from hub.journal import JournalHandler
from hub.text import printable

REPEATS = 5
"""Lines of one kind that are shown in each ``PER`` seconds: a consumer that fails on every message must not fill the
disk. The next one that is shown says how many were not."""
PER = 10.0


class Collapse(logging.Filter):
    """Lets only so many lines of one kind (logger and text before its values) through in a while.

    :param clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is shown."""
        if record.levelno < logging.INFO:
            return True
        now, kind = self._clock(), (record.name, str(record.msg))
        since, count = self._seen.get(kind, (now, 0))
        if now - since >= PER:
            if (hidden := count - REPEATS) > 0:
                record.msg = f"{record.getMessage()} (and {hidden} more like it)"
                record.args = None
            since, count = now, 0
        self._seen[kind] = since, count + 1
        return count < REPEATS


class TerminalFormatter(logging.Formatter):
    """Time, level, part, text. Control characters become escapes: a message can forge neither a line nor a colour."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback below it where there is one."""
        when = time.strftime("%H:%M:%S", time.localtime(record.created))
        part = record.name.removeprefix("hubbub.").removeprefix("hub.")
        text = f"{when} {record.levelname.lower():7} {part}: {visible(record.getMessage())}"
        if record.exc_info:
            text += "\n" + visible(self.formatException(record.exc_info))
        return text


def visible(text: str) -> str:
    """Line breaks stay, indented; all other control characters become escapes."""
    return "\n    ".join(printable(line) for line in text.split("\n"))


def configure(level: LogLevel, to: str, environ: Mapping[str, str] = os.environ) -> None:
    """Set up logging for the whole process, Twisted's own included.

    :param to: ``stderr``, ``journal``, or ``auto``: the journal where stderr is connected to it.
    """
    to_journal = to == "journal" or (to == "auto" and _stderr_is_journal(environ))
    handler: logging.Handler = JournalHandler() if to_journal else logging.StreamHandler(sys.stderr)
    if not to_journal:
        handler.setFormatter(TerminalFormatter())
    handler.addFilter(Collapse())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    logging.raiseExceptions = False
    set_level(level)
    logging.getLogger("twisted").setLevel(logging.WARNING)
    observer: Any = STDLibLogObserver("twisted")
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


def set_level(level: LogLevel) -> None:
    """The least important lines that are logged."""
    logging.getLogger().setLevel(level.upper())


def _stderr_is_journal(environ: Mapping[str, str]) -> bool:
    """As systemd.exec(5) describes ``$JOURNAL_STREAM``."""
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        status = os.fstat(2)
    except OSError:
        return False
    return (device, inode) == (str(status.st_dev), str(status.st_ino))
