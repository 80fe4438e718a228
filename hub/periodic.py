"""Periodic calls of a running hub, in the reactor's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.task import LoopingCall

from hub.partlog import PartLog


class Periodic:
    """Makes calls periodically. A call that fails is logged, and made again at its next time."""

    def __init__(self, reactor: Any, log: PartLog) -> None:
        self._reactor = reactor
        self.log = log
        self._loops: list[LoopingCall] = []

    def begin(self, call: Callable[[], object], every: float) -> LoopingCall:
        """Make a call every ``every`` seconds, first after that time. :returns: the loop, with ``stop()``."""

        def guarded() -> None:
            try:
                call()
            except Exception as error:
                self.log.error("internal error", exc_info=error, extra={"action": "bug"})

        loop = LoopingCall(guarded)
        loop.clock = self._reactor
        loop.start(every, now=False)
        self._loops = [one for one in self._loops if one.running] + [loop]
        return loop

    def stop(self) -> None:
        """Stop all calls."""
        for loop in self._loops:
            if loop.running:
                loop.stop()
