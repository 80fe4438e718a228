"""Configures the log: destination, format and levels."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

from twisted.logger import STDLibLogObserver, globalLogBeginner

from hub.configuration.schema import LogFormat, LogLevel
from hub.logs.formats import formatter_of
from hub.logs.guard import LoggingGuard
from hub.logs.handler import OURS, Handler, is_foreign
from hub.logs.journal import NO_JOURNAL, SOCKET, Journald, there_is_a_journal
from hub.logs.stream import LogStream
from hub.logs.writer import LogWriter
from hub.partlog import part_log

KINDS = ("hub", "backend", "consumer", "exporter", "server")
"""Kinds of parts, which begin their loggers' names after ``hubbub.``; see :mod:`hub.partlog`."""
QUIET: Mapping[str, LogLevel] = {"twisted": "warning"}
"""Default levels of verbose libraries, which ``log_levels`` overrides."""
ROOT = "root"
_levelled: set[str] = set()
"""Loggers with a level of their own. Changed in the reactor's thread only."""
_in_force: tuple[LogLevel, Mapping[str, LogLevel]] = ("info", {})
"""The default level and the levels set last."""
_guard: LoggingGuard | None = None
"""The guard of the process's log, once that is configured."""


def configure(
    level: LogLevel,
    to: str,
    form: LogFormat = "text",
    levels: Mapping[str, LogLevel] | None = None,
    environ: Mapping[str, str] = os.environ,
    journal: str = SOCKET,
) -> LogWriter:
    """Configure logging of the whole process, with Twisted's log and Python's warnings.

    :param to: ``stderr``, ``journal``, or ``auto``: the journal if stderr is connected to it. Without a journal it is
        stderr, and a line reports that.
    :param form: format of lines on stderr; the journal always gets fields.
    :param levels: see :func:`set_levels`.
    :param journal: the journal's socket.
    :returns: the writer of the lines.
    """
    to_journal = to == "journal" or (to == "auto" and _stderr_is_journal(environ))
    no_journal = to_journal and not there_is_a_journal(journal)
    writer = LogWriter(_stream(form) if no_journal or not to_journal else Journald(journal))
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


def _stream(form: LogFormat) -> LogStream:
    return LogStream(formatter_of(form), sys.stderr.fileno(), sys.stderr.encoding or "utf-8")


def _install(writer: LogWriter) -> None:
    """Install a handler for the hub's loggers, and one for libraries', which a library may remove."""
    global _guard
    handlers: dict[str, Handler] = {}
    guard = LoggingGuard(handlers, lambda: set_levels(*_in_force))
    handlers |= {OURS: Handler(writer, guard.interfered), ROOT: Handler(writer, guard.interfered)}
    handlers[ROOT].addFilter(is_foreign)
    for name, handler in handlers.items():
        logging.getLogger(name).handlers[:] = [handler]
    _guard = guard


def _is_news(record: logging.LogRecord) -> bool:
    """False for Twisted's line, with two tracebacks, about missing file descriptors: :mod:`hub.descriptors` reports
    them."""
    return not record.getMessage().startswith("Could not reserve EMFILE recovery file descriptor")


def set_levels(default: LogLevel, levels: Mapping[str, LogLevel]) -> None:
    """Set the lowest levels that are logged. Loggers not named any more get the default again.

    :param levels: by part (``backend.bus``), kind (``consumer``) or library's logger (``sqlalchemy.engine``); the most
        specific one counts.
    """
    global _in_force
    _in_force = default, levels
    logging.getLogger().setLevel(default.upper())
    # The hub's own loggers ignore the root's level, which a library may change.
    own: Mapping[str, LogLevel] = {OURS: default} if _guard is not None else {}
    wanted = {logger_of(part): level.upper() for part, level in {**QUIET, **own, **levels}.items()}
    for name in _levelled - wanted.keys():
        logging.getLogger(name).setLevel(logging.NOTSET)
    for name, level in wanted.items():
        logging.getLogger(name).setLevel(level)
    _levelled.clear()
    _levelled.update(wanted)


def logger_of(part: str) -> str:
    """The logger's name for a name in ``log_levels``: ``hubbub.backend.bus``; a library's is unchanged."""
    return f"hubbub.{part}" if part.partition(".")[0] in KINDS else part


def flush(final: bool = False) -> None:
    """Report repeated lines whose period is over, and check the guard. Call it each second, in the reactor's thread.

    :param final: the last call: report all, and wait, in bounded time, until they are written.
    """
    if _guard is not None and not final:
        _guard.look()
    for handler in _handlers():
        handler.collapse.flush(final)
    if final:
        for writer in {handler.writer for handler in _handlers()}:
            writer.flush()


def lost() -> int:
    """Number of lines that could not be written: the log's reader does not keep up, or is gone."""
    return sum(writer.lost for writer in {handler.writer for handler in _handlers()})


def continue_in_child() -> None:
    """Continue the log in a process that was just forked, without the parent's writing thread."""
    for handler in _handlers():
        handler.collapse.renew()
        handler.writer.continue_in_child()


def _handlers() -> list[Handler]:
    return [found for name in (OURS, ROOT) for found in logging.getLogger(name).handlers if isinstance(found, Handler)]


def _stderr_is_journal(environ: Mapping[str, str]) -> bool:
    """True if stderr is the journal, by ``$JOURNAL_STREAM`` (systemd.exec(5))."""
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        status = os.fstat(2)
    except OSError:
        return False
    return (device, inode) == (str(status.st_dev), str(status.st_ino))
