"""Where the log goes, and how much of it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

from twisted.logger import STDLibLogObserver, globalLogBeginner

from hub.configuration.schema import LogFormat, LogLevel
from hub.logs.formats import formatter_of
from hub.logs.guard import Guard
from hub.logs.handler import OURS, Handler, is_foreign
from hub.logs.journal import NO_JOURNAL, SOCKET, Journal, there_is_a_journal
from hub.logs.stream import Stream
from hub.logs.writer import LogWriter
from hub.partlog import part_log

KINDS = ("hub", "backend", "consumer", "exporter", "server")
"""What the loggers of the hub's parts begin with, after ``hubbub.``; see :mod:`hub.partlog`."""
QUIET: Mapping[str, LogLevel] = {"twisted": "warning"}
"""Libraries that say too much, where ``log_levels`` does not name them."""
ROOT = "root"
_levelled: set[str] = set()
"""Loggers that have a level of their own. Changed in the reactor's thread only."""
_in_force: tuple[LogLevel, Mapping[str, LogLevel]] = ("info", {})
"""The levels that were set last."""
_guard: Guard | None = None
"""Of the process's log, once that is set up."""


def configure(
    level: LogLevel,
    to: str,
    form: LogFormat = "text",
    levels: Mapping[str, LogLevel] | None = None,
    environ: Mapping[str, str] = os.environ,
    journal: str = SOCKET,
) -> LogWriter:
    """Set up logging for the whole process, Twisted's own and Python's warnings included.

    :param to: ``stderr``, ``journal``, or ``auto``: the journal where stderr is connected to it. Where there is no
        journal: stderr, and a line says so.
    :param form: of lines on stderr; the journal is given fields anyway.
    :param levels: see :func:`set_levels`.
    :param journal: the journal's socket.
    :returns: what writes the lines.
    """
    to_journal = to == "journal" or (to == "auto" and _stderr_is_journal(environ))
    no_journal = to_journal and not there_is_a_journal(journal)
    writer = LogWriter(_stream(form) if no_journal or not to_journal else Journal(journal))
    _install(writer)
    logging.raiseExceptions = False
    logging.captureWarnings(True)  # the reactor must not write to stderr itself
    set_levels(level, levels or {})
    logging.getLogger("twisted").addFilter(_is_news)
    observer: Any = STDLibLogObserver("twisted")
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)
    if no_journal:
        part_log("hub", "logs").warning(NO_JOURNAL, extra={"action": "log"})
    return writer


def _stream(form: LogFormat) -> Stream:
    return Stream(formatter_of(form), sys.stderr.fileno(), sys.stderr.encoding or "utf-8")


def _install(writer: LogWriter) -> None:
    """A handler for the hub's own loggers, and one for libraries', which a library may take away."""
    global _guard
    handlers: dict[str, Handler] = {}
    guard = Guard(handlers, lambda: set_levels(*_in_force))
    handlers |= {OURS: Handler(writer, guard.interfered), ROOT: Handler(writer, guard.interfered)}
    handlers[ROOT].addFilter(is_foreign)
    for name, handler in handlers.items():
        logging.getLogger(name).handlers[:] = [handler]
    _guard = guard


def _is_news(record: logging.LogRecord) -> bool:
    """Not what Twisted says, with two tracebacks, where file descriptors run out: :mod:`hub.descriptors` tells it."""
    return not record.getMessage().startswith("Could not reserve EMFILE recovery file descriptor")


def set_levels(default: LogLevel, levels: Mapping[str, LogLevel]) -> None:
    """The least important lines that are logged. What was set before, and is not named now, has the default again.

    :param levels: for single parts, ``backend.bus``, for all of a kind, ``consumer``, or for a library's logger,
        ``sqlalchemy.engine``; the most exact one counts.
    """
    global _in_force
    _in_force = default, levels
    logging.getLogger().setLevel(default.upper())
    # The hub's own loggers do not go by the root's level, which a library may change.
    own: Mapping[str, LogLevel] = {OURS: default} if _guard is not None else {}
    wanted = {logger_of(part): level.upper() for part, level in {**QUIET, **own, **levels}.items()}
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
    """Tell of repeated lines that were not shown, and whose time is over; see that the log is still the hub's. To be
    called each second, in the reactor's thread.

    :param final: the last call: of all of them, and wait a bounded while until they are written.
    """
    if _guard is not None and not final:
        _guard.look()
    for handler in _handlers():
        handler.collapse.flush(final)
    if final:
        for writer in {handler.writer for handler in _handlers()}:
            writer.flush()


def lost() -> int:
    """Lines that could not be written: whoever reads the log does not keep up, or is gone."""
    return sum(writer.lost for writer in {handler.writer for handler in _handlers()})


def continue_in_child() -> None:
    """In a process that was just forked: its lines are written without the thread that the parent has for it."""
    for handler in _handlers():
        handler.collapse.renew()
        handler.writer.continue_in_child()


def _handlers() -> list[Handler]:
    return [found for name in (OURS, ROOT) for found in logging.getLogger(name).handlers if isinstance(found, Handler)]


def _stderr_is_journal(environ: Mapping[str, str]) -> bool:
    """As systemd.exec(5) describes ``$JOURNAL_STREAM``."""
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        status = os.fstat(2)
    except OSError:
        return False
    return (device, inode) == (str(status.st_dev), str(status.st_ino))
