"""Cuts off peers whose keys were withdrawn. ZeroMQ asks who may connect only when somebody does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.backends.zeromq.auth import Authenticator
from hub.errors import Unavailable
from hub.interfaces import BackendContext

PACE = 0.5
"""Seconds between two looks at the file of allowed keys. A key that is missing twice is withdrawn; an editor may leave
the file empty for a moment."""


class Withdrawal:
    """:param cut: cuts all peers off; those that may still connect do so again by themselves. It raises ``Unavailable``
    where an address can't be bound again, and is then called again.
    """

    def __init__(self, auth: Authenticator, cut: Callable[[], None], hub: BackendContext) -> None:
        self._auth = auth
        self._cut = cut
        self._hub = hub
        self._missing: frozenset[bytes] = frozenset()
        self._unbound = False
        self._timer: Any = None

    def start(self) -> None:
        """Look now and then."""
        self._timer = self._hub.reactor.callLater(PACE, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _look(self) -> None:
        self.start()
        missing = self._auth.withdrawn()
        gone, self._missing = missing & self._missing, missing
        if gone:
            self._auth.forget(gone)
            self._missing -= gone
            text = "keys that were withdrawn: %d; all peers are cut off, and those that may connect again"
            self._hub.log.warning(text, len(gone), extra={"action": "withdraw"})
        if gone or self._unbound:
            self._cut_off()

    def _cut_off(self) -> None:
        try:
            self._cut()
        except Unavailable as error:
            if not self._unbound:
                self._hub.log.error("%s: it is tried again", error, extra={"action": "withdraw"})
            self._unbound = True
        else:
            self._unbound = False
