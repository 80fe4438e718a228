"""Who may do what through the web server."""

from __future__ import annotations

import ipaddress
from typing import Any

from twisted.web.server import Request

from hub import unixsocket
from hub.errors import Forbidden
from hub.interfaces import Access
from monitoring.web.hosts import Hosts, check_origin
from monitoring.web.token import TokenFile
from monitoring.web.wrong_tokens import WrongTokens

PENALTY = 1.0
"""Seconds that the answer to a wrong token takes. Nobody is locked out: behind a reverse proxy all have one address,
and who guesses would lock out who knows."""


class WebGuard:
    """:param token: ``None`` where a Unix socket's permissions are the access control.
    :param read_only: nothing is changed through this server, whoever asks.
    """

    def __init__(self, hosts: Hosts, token: TokenFile | None, read_only: bool, wrong: WrongTokens) -> None:
        self._hosts = hosts
        self._token = token
        self._read_only = read_only
        self._wrong = wrong

    def check(self, request: Request) -> None:
        """Of every request, whatever it is for. :raises Forbidden: another site is behind it."""
        hosts = _texts(request, "Host")
        self._hosts.check(hosts, getattr(request.getHost(), "host", None))
        navigates = request.method in (b"GET", b"HEAD") and _texts(request, "Sec-Fetch-Mode") == ["navigate"]
        check_origin(hosts[0], _texts(request, "Origin"), _texts(request, "Sec-Fetch-Site"), navigates)

    def who(self, request: Any) -> str:
        """By which address, or, on a Unix socket, which user; and for whom, if a proxy says so."""
        if self._token is None:
            return unixsocket.peer(request.transport) + _forwarded_for(request)
        return str(getattr(request.getClientAddress(), "host", None) or "?") + _forwarded_for(request)

    def admit(self, request: Any, access: Access) -> str:
        """Who asks, for the audit log. :raises Forbidden: 401: not without the token; 403: not at all."""
        self.check(request)
        if access == "actions" and self._read_only:
            raise Forbidden("this server only shows: read_only is set")
        who = self.who(request)
        if self._token is None or access == "numbers":
            return who
        if self.trusts(request):
            return f"token from {who}"
        request.setHeader(b"WWW-Authenticate", b"Bearer")
        if not _scheme_and_rest(request)[0]:
            raise Forbidden("this needs the token: 'hubbub web' shows it", 401)
        self._wrong.note(who)
        request.hold(PENALTY)
        raise Forbidden("this is not the token: 'hubbub web' shows it", 401)

    def trusts(self, request: Any) -> bool:
        """Whether the token of this request is good now, or none is needed."""
        scheme, candidate = _scheme_and_rest(request)
        return self._token is None or (scheme == b"bearer" and self._token.matches(candidate))

    def shows_contents(self, request: Any) -> bool:
        """Of what there is with contents and without: whether this one gets them, for it sent the token, or none is
        needed. :raises Forbidden: as ``admit``; a wrong token is not the same as none."""
        asks = self._token is None or _scheme_and_rest(request)[0] == b"bearer"
        self.admit(request, "contents" if asks else "numbers")
        return asks


def _scheme_and_rest(request: Any) -> tuple[bytes, bytes]:
    """Of the Authorization header; a proxy's own password may be in it."""
    scheme, _, rest = (request.getHeader(b"Authorization") or b"").partition(b" ")
    return scheme.lower(), rest.strip()


def _texts(request: Request, name: str) -> list[str]:
    return list(request.requestHeaders.getRawHeaders(name) or [])


def _forwarded_for(request: Request) -> str:
    """What the nearest proxy says it was asked by. Anybody may send this header, so it is told, never relied on."""
    claimed = ",".join(_texts(request, "X-Forwarded-For")).rpartition(",")[2].strip()
    try:
        return f" for {ipaddress.ip_address(claimed)}" if claimed else ""
    except ValueError:
        return ""
