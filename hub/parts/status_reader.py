"""Reads the hub's status in the threads of consumers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from twisted.python.threadable import isInIOThread

from hub.errors import HubError, Unavailable

PATIENCE = 10.0
"""Seconds that a consumer waits: a hub that stops may make no document any more."""


class StatusReader:
    """Has the reactor's thread make the status document, and waits for it.

    :param snapshot: makes the document, in the reactor's thread.
    :param in_reactor: tells whether it is called in that thread, which can't wait for itself.
    """

    def __init__(
        self,
        reactor: Any,
        snapshot: Callable[[], Mapping[str, Any]],
        patience: float = PATIENCE,
        in_reactor: Callable[[], bool] = isInIOThread,
    ) -> None:
        self._reactor = reactor
        self._snapshot = snapshot
        self._patience = patience
        self._in_reactor = in_reactor

    def read(self) -> Mapping[str, Any]:
        """Return the document. :raises Unavailable: it was not made in time. :raises HubError: see ``in_reactor``."""
        if self._in_reactor():
            raise HubError("the hub's status is read in the consumer's own threads, not in status() or a verb")
        made: list[Mapping[str, Any]] = []
        failed: list[Exception] = []
        ready = threading.Event()

        def make() -> None:
            try:
                made.append(self._snapshot())
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                failed.append(error)
            ready.set()

        self._reactor.callFromThread(make)
        if not ready.wait(self._patience):
            raise Unavailable(f"the hub has made no status within {self._patience:g} s")
        if failed:
            raise failed[0]
        return made[0]
