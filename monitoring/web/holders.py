"""Holders of tokens: of the server's own token, of a named token, or of a session."""

from __future__ import annotations

from dataclasses import dataclass

from hub.http.access import Right
from hub.interfaces import Clock
from hub.monitoring.web.login import Codes, is_session, make_session
from hub.monitoring.web.token import TokenFile
from hub.monitoring.web.tokens import RIGHTS, NamedTokens


@dataclass(frozen=True)
class Holder:
    """Holder of a token. :ivar name: of the token; empty for the server's own."""

    name: str
    rights: tuple[Right, ...]

    def may(self, access: Right) -> bool:
        """True if the holder has a right. Every right includes that to see the numbers."""
        return access == "numbers" or access in self.rights

    def __str__(self) -> str:
        return f"token {self.name}" if self.name else "token"


OWN = Holder("", RIGHTS)
SESSION = Holder("session", RIGHTS)


class Holders:
    """Holders of all tokens of one server.

    :param wall: returns epoch seconds. :param lasts: seconds that a session lasts.
    """

    def __init__(self, own: TokenFile, named: NamedTokens, wall: Clock, lasts: float) -> None:
        self._own = own
        self._named = named
        self._wall = wall
        self._lasts = lasts
        self._codes = Codes(wall)

    def find(self, candidate: bytes) -> Holder | None:
        """Holder of a token; ``None``: it is not valid now."""
        if self._own.matches(candidate):
            return OWN
        now = self._wall()
        secret = self._own.secret()
        if secret is not None and is_session(secret, candidate, now):
            return SESSION
        found = self._named.find(candidate, now)
        return None if found is None else Holder(found.name, tuple(found.rights))

    def log_in(self, code: bytes) -> str | None:
        """Create a session for a code; ``None``: the code is not valid."""
        secret = self._own.secret()
        if secret is None or not self._codes.take(secret, code):
            return None
        return make_session(secret, self._wall() + self._lasts)
