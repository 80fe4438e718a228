"""Where the log goes, and how much of it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from twisted.logger import STDLibLogObserver, globalLogBeginner

from hub.configuration.schema import LogFormat, LogLevel
from hub.logs.collapse import Collapse
from hub.logs.formats import formatter_of
from hub.logs.journal import JournalHandler
from hub.workers.inhand import Attribute

KINDS = ("hub", "backend", "consumer", "exporter", "server")
"""What the loggers of the hub's parts begin with, after ``hubbub.``; see :mod:`hub.partlog`."""
QUIET: Mapping[str, LogLevel] = {"twisted": "warning"}
"""Libraries that say too much, where ``log_levels`` does not name them."""
_levelled: set[str] = set()
"""Loggers that have a level of their own. Changed in the reactor's thread only."""


def configure(
    level: LogLevel,
    to: str,
    form: LogFormat = "text",
    levels: Mapping[str, LogLevel] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Set up logging for the whole process, Twisted's own included.

    :param to: ``stderr``, ``journal``, or ``auto``: the journal where stderr is connected to it.
    :param form: of lines on stderr; the journal is given fields anyway.
    :param levels: see :func:`set_levels`.
    """
    to_journal = to == "journal" or (to == "auto" and _stderr_is_journal(environ))
    handler: logging.Handler = JournalHandler() if to_journal else logging.StreamHandler(sys.stderr)
    if not to_journal:
        handler.setFormatter(formatter_of(form))
    handler.addFilter(Attribute())
    handler.addFilter(Collapse(handler.handle))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    logging.raiseExceptions = False
    set_levels(level, levels or {})
    logging.getLogger("twisted").addFilter(_is_news)
    observer: Any = STDLibLogObserver("twisted")
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


def _is_news(record: logging.LogRecord) -> bool:
    """Not what Twisted says, with two tracebacks, where file descriptors run out: :mod:`hub.descriptors` tells it."""
    return not record.getMessage().startswith("Could not reserve EMFILE recovery file descriptor")


def set_levels(default: LogLevel, levels: Mapping[str, LogLevel]) -> None:
    """The least important lines that are logged. What was set before, and is not named now, has the default again.

    :param levels: for single parts, ``backend.bus``, for all of a kind, ``consumer``, or for a library's logger,
        ``sqlalchemy.engine``; the most exact one counts.
    """
    logging.getLogger().setLevel(default.upper())
    wanted = {logger_of(part): level.upper() for part, level in {**QUIET, **levels}.items()}
    for name in _levelled - wanted.keys():
        logging.getLogger(name).setLevel(logging.NOTSET)
    for name, level in wanted.items():
        logging.getLogger(name).setLevel(level)
    _levelled.clear()
    _levelled.update(wanted)


def logger_of(part: str) -> str:
    """The name of the logger that ``log_levels`` calls so: ``hubbub.backend.bus``; a library's is its own."""
    return f"hubbub.{part}" if part.partition(".")[0] in KINDS else part


def flush(final: bool = False) -> None:
    """Tell of repeated lines that were not shown, and whose time is over. To be called each second, in any thread.

    :param final: the last call: of all of them.
    """
    for collapse in _collapses(logging.getLogger().handlers):
        collapse.flush(final)


def _collapses(handlers: Iterable[logging.Handler]) -> list[Collapse]:
    return [found for handler in handlers for found in handler.filters if isinstance(found, Collapse)]


def _stderr_is_journal(environ: Mapping[str, str]) -> bool:
    """As systemd.exec(5) describes ``$JOURNAL_STREAM``."""
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        status = os.fstat(2)
    except OSError:
        return False
    return (device, inode) == (str(status.st_dev), str(status.st_ino))
