"""Reconnects after connection failures where ZeroMQ gives up."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from hub.backends.zeromq.monitor import Monitor
from hub.backends.zeromq.settings import Config

GRACE = 0.5
"""Seconds within which ZeroMQ reconnects by itself, if it tries and the peer is there."""


class Reconnect:
    """Reconnects the endpoints that one socket connects to.

    ZeroMQ reconnects by itself after a lost connection, but never after a protocol error: a refused key, a frame
    larger than ``max_frame_size``, a peer that does not speak ZeroMQ. A subscriber would then receive nothing more.
    Only the events of connection attempts would tell the two cases apart, and they cost too much; so each lost
    connection is reconnected once, which does no harm while ZeroMQ tries too in vain.

    :param connect_again: disconnects an endpoint from the socket, and connects it again, unless it has a connection by
        then: what arrives by that one would be dropped.
    """

    def __init__(self, reactor: Any, monitor: Monitor, config: Config, connect_again: Callable[[str], object]) -> None:
        self._reactor = reactor
        self._monitor = monitor
        self._config = config
        self._connect_again = connect_again
        self._timers: dict[str, Any] = {}
        self._delays: dict[str, float] = {}

    def look(self, connects: Collection[str]) -> None:
        """Schedule a reconnect for each lost endpoint; called after the monitor's events."""
        monitor = self._monitor
        for endpoint in connects:
            if monitor.peers(endpoint):
                self._delays.pop(endpoint, None)
            if endpoint in monitor.lost and endpoint not in self._timers:
                delay = self._delays.get(endpoint, max(GRACE, self._config.reconnect_interval))
                self._delays[endpoint] = min(2 * delay, max(GRACE, self._config.reconnect_interval_max))
                self._timers[endpoint] = self._reactor.callLater(delay, self._revive, endpoint)

    def _revive(self, endpoint: str) -> None:
        del self._timers[endpoint]
        lost = self._monitor.lost
        if endpoint in lost:
            lost.discard(endpoint)
            self._connect_again(endpoint)

    def stop(self) -> None:
        """Cancel the scheduled reconnects."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
