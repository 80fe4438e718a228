"""Takes the hub's numbers once a second, for all who want them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import msgspec

from hub.interfaces import Clock
from hub.monitoring.web.numbers import numbers

MIDDLE = 0.5
"""Of a second: when it beats. So each second has one beat, though timers are late at times."""
FRESH = 0.2
"""Seconds. Who asks between two beats may get numbers of that age: asking often must not cost the hub much."""


class Frame:
    """The status of one moment. Treat it as frozen: other threads may read it.

    :ivar time: epoch seconds. :ivar moment: monotonic seconds. :ivar snapshot: all of it, for who has the token.
    """

    def __init__(self, time: float, moment: float, snapshot: Mapping[str, Any]) -> None:
        self.time = time
        self.moment = moment
        self.snapshot = snapshot

    @cached_property
    def numbers(self) -> Mapping[str, Any]:
        """What of it anybody may see; see :mod:`hub.monitoring.web.numbers`."""
        return numbers(self.snapshot)

    def document(self, contents: bool) -> bytes:
        """As JSON: all of it, or the numbers alone. Encoded when it is first asked for, and once."""
        return self._whole if contents else self._open

    @cached_property
    def _whole(self) -> bytes:
        return msgspec.json.encode(self.snapshot)

    @cached_property
    def _open(self) -> bytes:
        return msgspec.json.encode(self.numbers)


class Pulse:
    """Lives in the reactor's thread.

    :param snapshot: the status of the hub.
    :param wall: epoch seconds. :param monotonic: seconds.
    :ivar listeners: called at each beat; with ``None`` where the numbers could not be had.
    """

    def __init__(
        self,
        snapshot: Callable[[], Mapping[str, Any]],
        reactor: Any,
        wall: Clock,
        monotonic: Clock,
        log: logging.LoggerAdapter[logging.Logger],
    ) -> None:
        self.listeners: list[Callable[[Frame | None], None]] = []
        self._snapshot = snapshot
        self._reactor = reactor
        self._wall = wall
        self._monotonic = monotonic
        self._log = log
        self._timer: Any = None
        self._latest: Frame | None = None
        self._failing = False

    def start(self) -> None:
        """Begin to beat."""
        # Counted from the second that it is, not from the last beat: a clock that was set does not matter.
        rest = 1.0 - (self._wall() - MIDDLE) % 1.0
        self._timer = self._reactor.callLater(rest if rest >= MIDDLE else rest + 1.0, self._beat)

    def stop(self) -> None:
        """Beat no more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def latest(self) -> Frame:
        """Numbers that are a moment old at most. Raises what the snapshot raises."""
        if self._latest is None or self._monotonic() - self._latest.moment > FRESH:
            self._latest = Frame(self._wall(), self._monotonic(), self._snapshot())
        return self._latest

    def outdate(self) -> None:
        """Something was changed: who asks next is given numbers of then."""
        self._latest = None

    def _beat(self) -> None:
        self.start()
        self._latest = None
        frame = self._taken()
        for listener in list(self.listeners):
            try:
                listener(frame)
            except Exception as error:  # noqa: BLE001 - a fault here must not end the others' beats
                self._log.error("the web server itself failed", exc_info=error, extra={"action": "bug"})

    def _taken(self) -> Frame | None:
        try:
            frame = self.latest()
        except Exception as error:  # noqa: BLE001 - the next beat tries anew
            if not self._failing:
                self._log.error("the hub's numbers can't be had", exc_info=error, extra={"action": "bug"})
            self._failing = True
            return None
        self._failing = False
        return frame
