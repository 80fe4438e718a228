"""Guards the hub's log against libraries that reconfigure Python's logging."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator

from hub.logs.handler import OURS, Handler
from hub.partlog import part_log


class LoggingGuard:
    """Undoes ``logging.config`` and ``basicConfig(force=True)``, which remove handlers, disable loggers and change
    levels of the whole process. A handler that a consumer adds stays, unless it writes to the hub's standard streams,
    where each line would appear twice.

    Belongs to the reactor's thread, except for ``interfered``.

    :param handlers: handlers by logger: the hub's own, and the root for libraries.
    :param levels: sets the configured levels.
    """

    def __init__(self, handlers: dict[str, Handler], levels: Callable[[], None]) -> None:
        self._handlers = handlers
        self._levels = levels
        self._changed = False
        self._disabled: set[str] = set()
        self._log = part_log("hub", "logs")

    def interfered(self) -> None:
        """Note that the handlers were closed, which ``logging.config`` does first. In any thread."""
        if not self._changed:
            self._disabled = {name for name, logger in _loggers() if logger.disabled}
            self._changed = True

    def look(self) -> None:
        """Restore what was changed. Call it each second."""
        missing = any(handler not in logging.getLogger(name).handlers for name, handler in self._handlers.items())
        if not (self._changed or missing):
            return
        self._put_back()
        text = "a library reconfigured Python's logging (logging.config, basicConfig): the hub's is restored"
        self._log.warning(text, extra={"action": "log"})

    def _put_back(self) -> None:
        for name, handler in self._handlers.items():
            logger = logging.getLogger(name)
            others = [one for one in logger.handlers if one is not handler and not _is_on_a_standard_stream(one)]
            logger.handlers[:] = [handler, *others]
        logging.getLogger(OURS).propagate = True
        if self._changed:
            for name, logger in _loggers():
                logger.disabled = name in self._disabled
        self._changed = False
        self._levels()


def _loggers() -> Iterator[tuple[str, logging.Logger]]:
    for name, found in list(logging.root.manager.loggerDict.items()):
        if isinstance(found, logging.Logger):
            yield name, found


def _is_on_a_standard_stream(handler: logging.Handler) -> bool:
    streams = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    return isinstance(handler, logging.StreamHandler) and handler.stream in streams
