"""Keeps the signals that stop and reload the hub in the hub's hands."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hub.partlog import PartLog, part_log
from hub.sigaction import once

Handler = Callable[[int, Any], object]


ENDING = (signal.SIGTERM, signal.SIGINT)
OURS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def kept(who: str) -> Iterator[None]:
    """Wraps the import or the making of a plugin: restores handlers of the hub's signals afterwards.

    :param who: the plugin, for the log.
    """
    if threading.current_thread() is not threading.main_thread():  # only there could it set a handler
        yield
        return
    before = {number: signal.getsignal(number) for number in OURS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None and (found := signal.getsignal(number)) is not handler:
                signal.signal(number, handler)
                _tell(part_log("hub", "signals"), number, f"{who} ({_name(found)})")


class Signals:
    """Handlers of the hub's signals, in the main thread. Handlers that plugins set later are replaced here; those set
    while a plugin is imported or made, by :func:`kept`.

    :param handlers: the handler of each signal.
    """

    def __init__(self, handlers: Mapping[signal.Signals, Handler], log: PartLog) -> None:
        self._handlers = dict(handlers)
        self._log = log

    def install(self) -> None:
        """Install the handlers."""
        for number in self._handlers:
            self.arm(number)

    def arm(self, number: signal.Signals) -> None:
        """Install the handler of a signal for its next delivery. A second stop signal ends the process, see
        :mod:`hub.sigaction`, unless it is armed again."""
        signal.signal(number, self._handlers[number])
        if number in ENDING:
            once(number)

    def look(self) -> None:
        """Take back signals that a plugin has taken, and log which one did. Call it each second."""
        for number, handler in self._handlers.items():
            found = signal.getsignal(number)
            if found is not handler:
                self.arm(number)
                _tell(self._log, number, _name(found))


def _tell(log: PartLog, number: signal.Signals, who: str) -> None:
    text = "%s was taken by %s; the hub has taken it back. Plugins clean up in stop()"
    log.warning(text, number.name, who, extra={"action": "signal"})


def _name(handler: object) -> str:
    name = getattr(handler, "__qualname__", None)
    return f"{getattr(handler, '__module__', '?')}.{name}" if name else repr(handler)
