"""Sampler: takes the hub's status once a second, for all listeners and requests."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import msgspec

from hub.interfaces import Clock
from hub.monitoring.web.redaction import redacted

MIDDLE = 0.5
"""Fraction of a second at which samples are taken, so that each second gets exactly one even if timers are late."""
FRESH = 0.2
"""Seconds for which a snapshot is reused: frequent requests must not cost the hub much."""


class Snapshot:
    """Snapshot of the hub's status. Treat it as frozen: other threads may read it.

    :ivar time: epoch seconds. :ivar moment: monotonic seconds. :ivar status: the whole document, which needs the token.
    """

    def __init__(self, time: float, moment: float, status: Mapping[str, Any]) -> None:
        self.time = time
        self.moment = moment
        self.status = status

    @cached_property
    def numbers(self) -> Mapping[str, Any]:
        """Public part of the status; see :mod:`hub.monitoring.web.redaction`."""
        return redacted(self.status)

    def document(self, contents: bool) -> bytes:
        """Status as JSON: the whole, or the public part. It is encoded once, at the first request."""
        return self._whole if contents else self._open

    @cached_property
    def _whole(self) -> bytes:
        return msgspec.json.encode(self.status)

    @cached_property
    def _open(self) -> bytes:
        return msgspec.json.encode(self.numbers)


class Sampler:
    """Sampler that passes each snapshot to all listeners. It runs in the reactor's thread.

    :param snapshot: returns the status of the hub.
    :param wall: returns epoch seconds. :param monotonic: returns seconds.
    :ivar listeners: called with each snapshot; with ``None`` if the status could not be taken.
    """

    def __init__(
        self,
        snapshot: Callable[[], Mapping[str, Any]],
        reactor: Any,
        wall: Clock,
        monotonic: Clock,
        log: logging.LoggerAdapter[logging.Logger],
    ) -> None:
        self.listeners: list[Callable[[Snapshot | None], None]] = []
        self._snapshot = snapshot
        self._reactor = reactor
        self._wall = wall
        self._monotonic = monotonic
        self._log = log
        self._timer: Any = None
        self._latest: Snapshot | None = None
        self._failing = False

    def start(self) -> None:
        """Start sampling."""
        # Counted from the current second, not from the last sample, so that setting the clock does no harm.
        rest = 1.0 - (self._wall() - MIDDLE) % 1.0
        self._timer = self._reactor.callLater(rest if rest >= MIDDLE else rest + 1.0, self._tick)

    def stop(self) -> None:
        """Stop sampling."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def latest(self) -> Snapshot:
        """Snapshot of at most ``FRESH`` seconds ago. It raises what the hub's status raises."""
        if self._latest is None or self._monotonic() - self._latest.moment > FRESH:
            self._latest = Snapshot(self._wall(), self._monotonic(), self._snapshot())
        return self._latest

    def outdate(self) -> None:
        """Forget the last snapshot: the hub was changed, and the next request must see it."""
        self._latest = None

    def _tick(self) -> None:
        self.start()
        self._latest = None
        snapshot = self._taken()
        for listener in list(self.listeners):
            try:
                listener(snapshot)
            except Exception as error:  # noqa: BLE001 - one listener's error must not affect the others
                self._log.error("internal error in the web server", exc_info=error, extra={"action": "bug"})

    def _taken(self) -> Snapshot | None:
        try:
            snapshot = self.latest()
        except Exception as error:  # noqa: BLE001 - the next tick tries again
            if not self._failing:
                self._log.error("internal error while taking the hub's status", exc_info=error, extra={"action": "bug"})
            self._failing = True
            return None
        self._failing = False
        return snapshot
