"""Connects again where ZeroMQ gives up."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from hub.backends.zeromq.monitor import Monitor
from hub.backends.zeromq.settings import Config

GRACE = 0.5
"""Seconds within which ZeroMQ connects again by itself, where it tries and the peer is there."""


class Revival:
    """Looks after the endpoints that one socket connects to.

    ZeroMQ connects again by itself after a lost connection, but never after a breach of the protocol: a refused key, a
    frame beyond ``max_frame_size``, a peer that does not speak ZeroMQ. A subscriber would then be deaf for good.
    Only the events of its attempts would tell which of the two it was, and they cost too much; so each lost connection
    is made anew once, which does no harm where ZeroMQ tries too.

    :ivar count: how often it was done.
    :param connect_again: takes an endpoint from the socket, and connects to it anew.
    """

    def __init__(self, reactor: Any, monitor: Monitor, config: Config, connect_again: Callable[[str], object]) -> None:
        self.count = 0
        self._reactor = reactor
        self._monitor = monitor
        self._config = config
        self._connect_again = connect_again
        self._timers: dict[str, Any] = {}
        self._delays: dict[str, float] = {}

    def look(self, connects: Collection[str]) -> None:
        """Something happened to the connections."""
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
            self.count += 1
            self._connect_again(endpoint)

    def stop(self) -> None:
        """Leave them alone."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
