"""What a running hub does again and again, in the reactor's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.task import LoopingCall

from hub.partlog import PartLog


class Rounds:
    """All that goes round. A round that fails is told of, and the next one comes all the same.

    :param log: where it is told.
    """

    def __init__(self, reactor: Any, log: PartLog) -> None:
        self._reactor = reactor
        self.log = log
        self._loops: list[LoopingCall] = []

    def begin(self, call: Callable[[], object], every: float) -> LoopingCall:
        """Call it from now on, first after ``every`` seconds; what is returned can stop it."""

        def guarded() -> None:
            try:
                call()
            except Exception as error:
                self.log.error("the hub itself failed", exc_info=error, extra={"action": "bug"})

        loop = LoopingCall(guarded)
        loop.clock = self._reactor
        loop.start(every, now=False)
        self._loops = [one for one in self._loops if one.running] + [loop]
        return loop

    def stop(self) -> None:
        """No more of any."""
        for loop in self._loops:
            if loop.running:
                loop.stop()
