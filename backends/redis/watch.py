"""Watch on the Sentinels: a master that they replace is left at once, though it still answers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from hub.backends.redis.line import Lost
from hub.backends.redis.link import Link, Start, start_thread
from hub.backends.redis.sentinel import Sentinels

INTERVAL = 1.0
"""Seconds between two questions."""


class Watch:
    """Asks the Sentinels each second, in a thread. An old master that was cut off, or stopped for a while, accepts
    writes for some ten seconds after the failover, and loses them.

    :param links: returns the links whose connections it ends.
    """

    def __init__(
        self,
        sentinels: Sentinels,
        links: Callable[[], Iterable[Link]],
        log: logging.LoggerAdapter[logging.Logger],
        start: Start = start_thread,
    ) -> None:
        self._sentinels = sentinels
        self._links = links
        self._log = log
        self._start = start
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to watch."""
        self._start(self._run, "hubbub-redis-watch")

    def stop(self) -> None:
        """End the thread, after its current question."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - the thread must not end
                self._log.exception("unexpected error; asking on", extra={"action": "connect"})

    def look(self) -> None:
        """Ask once. Where the Sentinels do not agree, all stays as it is."""
        try:
            master = str(self._sentinels.master())
        except Lost:
            return
        for link in self._links():
            if link.usable and link.address != master:
                link.abandon()
