"""Key revocation: disconnects peers whose keys were removed from the file of allowed keys.

ZeroMQ authenticates a peer only when it connects, so a revoked key must be looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.backends.zeromq.auth import Authenticator
from hub.errors import Unavailable
from hub.interfaces import BackendContext

PACE = 0.5
"""Seconds between two checks of the file of allowed keys. A key is revoked when it is missing in two checks: an editor
may leave the file empty for a moment."""


class KeyRevocation:
    """Periodic check of the allowed keys.

    :param cut: disconnects all peers; those with an allowed key connect again by themselves. It raises
        ``Unavailable`` if an address can't be bound again, and is then called again.
    """

    def __init__(self, auth: Authenticator, cut: Callable[[], None], hub: BackendContext) -> None:
        self._auth = auth
        self._cut = cut
        self._hub = hub
        self._missing: frozenset[bytes] = frozenset()
        self._unbound = False
        self._timer: Any = None

    def start(self) -> None:
        """Schedule the next check."""
        self._timer = self._hub.reactor.callLater(PACE, self._look)

    def stop(self) -> None:
        """Cancel the next check."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _look(self) -> None:
        self.start()
        missing = self._auth.revoked()
        gone, self._missing = missing & self._missing, missing
        if gone:
            self._auth.forget(gone)
            self._missing -= gone
            text = "revoked keys: %d; all peers are disconnected, and those with an allowed key connect again"
            self._hub.log.warning(text, len(gone), extra={"action": "withdraw"})
        if gone or self._unbound:
            self._cut_off()

    def _cut_off(self) -> None:
        try:
            self._cut()
        except Unavailable as error:
            if not self._unbound:
                self._hub.log.error("%s; retrying", error, extra={"action": "withdraw"})
            self._unbound = True
        else:
            self._unbound = False
