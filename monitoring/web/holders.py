"""Who holds a token: the hub's own, a named one, or a session that a link was exchanged for."""

from __future__ import annotations

from dataclasses import dataclass

from hub.interfaces import Access, Clock
from hub.monitoring.web.login import Codes, is_session, make_session
from hub.monitoring.web.token import TokenFile
from hub.monitoring.web.tokens import RIGHTS, NamedTokens


@dataclass(frozen=True)
class Holder:
    """One of them. :ivar name: empty: of the hub's own token."""

    name: str
    rights: tuple[Access, ...]

    def may(self, access: Access) -> bool:
        """Whether it has that right. Who may see more, or act, may see the numbers."""
        return access == "numbers" or access in self.rights

    def __str__(self) -> str:
        return f"token {self.name}" if self.name else "token"


OWN = Holder("", RIGHTS)
SESSION = Holder("session", RIGHTS)


class Holders:
    """All tokens of one server.

    :param wall: epoch seconds. :param lasts: seconds that a session lasts.
    """

    def __init__(self, own: TokenFile, named: NamedTokens, wall: Clock, lasts: float) -> None:
        self._own = own
        self._named = named
        self._wall = wall
        self._lasts = lasts
        self._codes = Codes(wall)

    def find(self, candidate: bytes) -> Holder | None:
        """Who holds it; ``None``: it is none that is good now."""
        if self._own.matches(candidate):
            return OWN
        now = self._wall()
        secret = self._own.secret()
        if secret is not None and is_session(secret, candidate, now):
            return SESSION
        found = self._named.find(candidate, now)
        return None if found is None else Holder(found.name, tuple(found.rights))

    def log_in(self, code: bytes) -> str | None:
        """A session for that code; ``None``: the code is not good."""
        secret = self._own.secret()
        if secret is None or not self._codes.take(secret, code):
            return None
        return make_session(secret, self._wall() + self._lasts)
