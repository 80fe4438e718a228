"""Login by a link: its code works once, for a minute, and is exchanged for a session.

A link stays in the browser's history, so its code must expire soon. Codes and sessions are signed with the server's
own token: any program that can read its file can make a code, no list of codes is stored, and a new token ends all
sessions.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any

import msgspec

from hub.errors import Forbidden
from hub.http.verb import Call, Verb
from hub.interfaces import Clock

CODE_FOR = 60.0
"""Seconds for which a code is valid."""
MOST_USED = 1000
"""Used codes that are remembered; only a holder of the token could make more valid ones."""
CODE, SESSION = b"code", b"session"


def make_code(token: str, now: float) -> str:
    """Make a code for a link. :param now: epoch seconds."""
    return _signed(CODE, token.encode(), now + CODE_FOR)


def make_session(token: bytes, expires: float) -> str:
    """Make a session, which the page sends instead of a token. :param expires: epoch seconds."""
    return _signed(SESSION, token, expires)


def is_session(token: bytes, candidate: bytes, now: float) -> bool:
    """True if the candidate is a session signed with the token, and not expired."""
    return _verified(SESSION, token, candidate, now)


class Codes:
    """Codes, each accepted once. Codes made before this process started are refused: they may have been used.

    :param wall: returns epoch seconds.
    """

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._began = wall()
        self._used: dict[bytes, float] = {}

    def take(self, token: bytes, code: bytes) -> bool:
        """Use a code. :returns: whether it was valid; from now on it is not."""
        now = self._wall()
        self._used = {one: until for one, until in self._used.items() if until > now}
        if code in self._used or len(self._used) >= MOST_USED or not _verified(CODE, token, code, now):
            return False
        expires = float(code.partition(b".")[0])
        if expires - CODE_FOR < int(self._began):
            return False
        self._used[code] = expires
        return True


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """Code of a link."""

    code: str


class Session(msgspec.Struct):
    """Session, which the page sends instead of a token, until it expires."""

    token: str


class Login(Verb):
    """Exchange the code of a link that ``hubbub web`` printed for a session."""

    path, method, access, order, result = "login", "POST", "open", Order, Session

    def __init__(self, log_in: Callable[[Any, bytes], str | None]) -> None:
        self._log_in = log_in

    def handle(self, call: Call) -> Session:
        """Exchange the code. :raises Forbidden: 401: the code is not valid."""
        session = self._log_in(call.request, call.order.code.encode())
        if session is None:
            raise Forbidden("this link was used, or is older than a minute: 'hubbub web' prints a new one", 401)
        return Session(session)


def _signed(kind: bytes, token: bytes, expires: float) -> str:
    content = f"{int(expires)}.{secrets.token_urlsafe(16)}"
    return f"{content}.{_mac(kind, token, content.encode())}"


def _verified(kind: bytes, token: bytes, candidate: bytes, now: float) -> bool:
    content, _, mac = candidate.rpartition(b".")
    expires = content.partition(b".")[0]
    if not expires.isdigit() or len(expires) > 12:
        return False
    return hmac.compare_digest(_mac(kind, token, content).encode(), mac) and now < int(expires)


def _mac(kind: bytes, token: bytes, content: bytes) -> str:
    digest = hmac.digest(token, kind + b":" + content, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
