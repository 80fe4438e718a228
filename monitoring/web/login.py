"""A link that opens the page: a code in it, good once and for a minute, for which the page is given a session.

What stands in a link stays in the browser's history, so it must be worth nothing soon. Codes and sessions are signed
with the hub's own token: whoever can read its file can make a code, no list of them is kept, and a new token ends all.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Any

import msgspec
from twisted.web.resource import Resource
from twisted.web.server import Request

from hub.interfaces import Clock
from hub.monitoring.web.request import problem

CODE_FOR = 60.0
"""Seconds that a code is good."""
MOST_USED = 1000
"""Codes that are remembered as used; a flood of good ones is none that a stranger can make."""
CODE, SESSION = b"code", b"session"


def make_code(token: str, now: float) -> str:
    """For a link. :param now: epoch seconds."""
    return _signed(CODE, token.encode(), now + CODE_FOR)


def make_session(token: bytes, expires: float) -> str:
    """What a page shows instead of a token, up to that moment, in epoch seconds."""
    return _signed(SESSION, token, expires)


def is_session(token: bytes, candidate: bytes, now: float) -> bool:
    """Whether it is one that was signed with that token, and is not over."""
    return _verified(SESSION, token, candidate, now)


class Codes:
    """Takes each code once. Those of the time before this process are refused, for they may have been used then.

    :param wall: epoch seconds.
    """

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._began = wall()
        self._used: dict[bytes, float] = {}

    def take(self, token: bytes, code: bytes) -> bool:
        """Whether it is good; from now on it is not."""
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
    """The code of a link."""

    code: str


class Login(Resource):
    """``/login``: a session for a code. :param guard: a :class:`~hub.monitoring.web.guard.WebGuard`."""

    isLeaf = True

    def __init__(self, guard: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._guard = guard

    def render_POST(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """See the class."""
        assert request.content is not None
        try:
            order = msgspec.json.decode(request.content.read(), type=Order)
        except (msgspec.DecodeError, ValueError) as error:
            return problem(request, 400, str(error))
        session = self._guard.log_in(request, order.code.encode())
        if session is None:
            text = "this link was used, or is older than a minute: 'hubbub web' prints a new one"
            return problem(request, 401, text)
        request.setHeader(b"Content-Type", b"application/json")
        return msgspec.json.encode({"token": session}) + b"\n"


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
