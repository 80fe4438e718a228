"""The signals that stop and reload the hub stay the hub's."""

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
    """Around the import or the making of a plugin: the signals that stop and reload the hub are as before after it.

    :param who: what is imported or made.
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
    """In the main thread. What a plugin does while it is imported or made is undone at once, see :func:`kept`; here,
    what it does later.

    :param handlers: what is called for each signal.
    """

    def __init__(self, handlers: Mapping[signal.Signals, Handler], log: PartLog) -> None:
        self._handlers = dict(handlers)
        self._log = log

    def install(self) -> None:
        """From now on."""
        for number in self._handlers:
            self.arm(number)

    def arm(self, number: signal.Signals) -> None:
        """Have the handler called for the next one. One that ends the hub does so at the second, see
        :mod:`hub.sigaction`, until it is armed again."""
        signal.signal(number, self._handlers[number])
        if number in ENDING:
            once(number)

    def look(self) -> None:
        """Take back those that somebody else has taken, and say who; to be called each second."""
        for number, handler in self._handlers.items():
            found = signal.getsignal(number)
            if found is not handler:
                self.arm(number)
                _tell(self._log, number, _name(found))


def _tell(log: PartLog, number: signal.Signals, who: str) -> None:
    text = "%s was taken by %s: it is the hub's again. A plugin cleans up in stop()"
    log.warning(text, number.name, who, extra={"action": "signal"})


def _name(handler: object) -> str:
    name = getattr(handler, "__qualname__", None)
    return f"{getattr(handler, '__module__', '?')}.{name}" if name else repr(handler)
