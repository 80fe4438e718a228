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

    def admit(self, request: Any, access: Access) -> str:
        """Who asks, for the audit log. :raises Forbidden: 401: not without the token; 403: not at all."""
        self.check(request)
        if access == "actions" and self._read_only:
            raise Forbidden("this server only shows: read_only is set")
        if self._token is None:
            return unixsocket.peer(request.transport) + _forwarded_for(request)
        address = _address_of(request)
        if access == "numbers":
            return address
        scheme, _, candidate = (request.getHeader(b"Authorization") or b"").partition(b" ")
        if scheme.lower() == b"bearer" and self._token.matches(candidate.strip()):
            return f"token from {address}"
        request.setHeader(b"WWW-Authenticate", b"Bearer")
        if not scheme:
            raise Forbidden("this needs the token: 'hubbub web' shows it", 401)
        self._wrong.note(address)
        request.hold(PENALTY)
        raise Forbidden("this is not the token: 'hubbub web' shows it", 401)


def _texts(request: Request, name: str) -> list[str]:
    return list(request.requestHeaders.getRawHeaders(name) or [])


def _address_of(request: Request) -> str:
    return str(getattr(request.getClientAddress(), "host", None) or "?") + _forwarded_for(request)


def _forwarded_for(request: Request) -> str:
    """What the nearest proxy says it was asked by. Anybody may send this header, so it is told, never relied on."""
    claimed = ",".join(_texts(request, "X-Forwarded-For")).rpartition(",")[2].strip()
    try:
        return f" for {ipaddress.ip_address(claimed)}" if claimed else ""
    except ValueError:
        return ""
