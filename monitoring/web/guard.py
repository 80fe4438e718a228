"""Guard of the web server: decides which request may do what."""

from __future__ import annotations

import ipaddress
from typing import Any

from twisted.web.server import Request

from hub import unixsocket
from hub.errors import Forbidden
from hub.http.access import Access, Auditor, Caller, Right
from hub.monitoring.web.auth_failures import AuthFailures
from hub.monitoring.web.holders import Holder, Holders
from hub.monitoring.web.hosts import Hosts, check_origin

PENALTY = 1.0
"""Seconds by which the answer to a wrong token is delayed. No address is locked out: behind a reverse proxy all share
one, and an attacker would lock out everybody."""
TOKEN_HEADER = b"X-Hubbub-Token"
"""Header of the token; it precedes ``Authorization``, which a reverse proxy may need for its own password."""
NEEDED = "this needs the token: 'hubbub web' shows it"


class WebGuard:
    """Guard of one web server.

    :param holders: the valid tokens; ``None``: a Unix socket's permissions are the access control.
    :param read_only: whether all actions are forbidden.
    :param anonymous: whether the numbers are public.
    """

    def __init__(
        self,
        hosts: Hosts,
        holders: Holders | None,
        read_only: bool,
        failures: AuthFailures,
        audit: Auditor,
        anonymous: bool = True,
    ) -> None:
        self._hosts = hosts
        self._holders = holders
        self._read_only = read_only
        self._failures = failures
        self._audit = audit
        self._anonymous = anonymous or holders is None
        self._reading: set[Any] = set()

    def who(self, request: Any) -> str:
        """Name of the client: its address, or its user on a Unix socket; and the client that a proxy names."""
        if self._holders is None:
            return unixsocket.peer(request.transport) + _forwarded_for(request)
        return str(getattr(request.getClientAddress(), "host", None) or "?") + _forwarded_for(request)

    def admit(self, request: Any, access: Access, any_host: bool = False, any_origin: bool = False) -> Caller:
        """Admit a request; see :class:`hub.http.access.Guard`.

        :raises Forbidden: 401: the token is missing or wrong; 403: the request comes from another site, the server is
            read-only, or the token lacks the right.
        """
        self._check_site(request, any_host, any_origin)
        if access == "actions" and self._read_only:
            raise Forbidden("this server is read-only: read_only is set")
        if access == "open":
            return Caller(self.who(request))
        if self._holders is None:
            return Caller(self.who(request), contents=True)
        if self._anonymous and (access == "numbers" or (access == "status" and not _sends_token(request))):
            return Caller(self.who(request))
        holder = self._holder(request)
        right: Right = "numbers" if access == "status" else access
        if not holder.may(right):
            raise Forbidden(f"the token {holder.name!r} has no right to {right}, only to {', '.join(holder.rights)}")
        caller = Caller(f"{holder} from {self.who(request)}", holder.may("contents"))
        if access == "contents" or (access == "status" and caller.contents):
            self._watch(request)
        if access == "status" and caller.contents:
            self._audit.read(caller.name, "status")
        return caller

    def _watch(self, request: Any) -> None:
        """Track a request whose answer has contents, to abort it when its token becomes invalid."""
        self._reading.add(request)
        request.notifyFinish().addBoth(lambda _: self._reading.discard(request))

    def _check_site(self, request: Request, any_host: bool, any_origin: bool) -> None:
        """Check the origin of a request. :raises Forbidden: a page of another site made the browser send it."""
        hosts = _texts(request, b"Host")
        if not any_host or _is_browsers(request):
            self._hosts.check(hosts, getattr(request.getHost(), "host", None))
        if any_origin:
            return
        navigates = request.method in (b"GET", b"HEAD") and _texts(request, b"Sec-Fetch-Mode") == ["navigate"]
        host, sites = hosts[0] if hosts else "", _texts(request, b"Sec-Fetch-Site")
        check_origin(host, _texts(request, b"Origin"), sites, navigates)

    def _holder(self, request: Any) -> Holder:
        """Holder of the request's token. :raises Forbidden: 401: there is no token, or it is not valid."""
        assert self._holders is not None
        candidate = _candidate(request)
        holder = None if candidate is None else self._holders.find(candidate)
        if holder is not None:
            return holder
        request.setHeader(b"WWW-Authenticate", b"Bearer")
        if candidate is None:
            raise Forbidden(NEEDED, 401)
        self._refuse(request)
        raise Forbidden("wrong token: 'hubbub web' shows the right one", 401)

    def _refuse(self, request: Any) -> None:
        self._failures.note(self.who(request))
        request.hold(PENALTY)

    def log_in(self, request: Any, code: bytes) -> str | None:
        """Create a session for the code of a link; ``None``: the code is not valid."""
        session = self._holders.log_in(code) if self._holders is not None else None
        if session is None:
            self._refuse(request)
        else:
            self._audit.note(self.who(request), "login", None, "done")
        return session

    def trusts(self, request: Any) -> bool:
        """True if the request's token is valid for contents now, or none is needed."""
        if self._holders is None:
            return True
        candidate = _candidate(request)
        holder = None if candidate is None else self._holders.find(candidate)
        return holder is not None and holder.may("contents")

    def end_stale(self) -> None:
        """Abort running answers with contents whose token became invalid. Call it periodically."""
        for request in list(self._reading):
            if not self.trusts(request):
                self._reading.discard(request)
                request.channel.abort()


def _sends_token(request: Any) -> bool:
    """True if the request has a token, valid or not; a proxy's own password is not one."""
    return bool(request.getHeader(TOKEN_HEADER)) or _scheme_and_rest(request)[0] == b"bearer"


def _is_browsers(request: Request) -> bool:
    """True if a browser may have sent the request: browsers always send their user's language, which a page can't
    prevent, and programs don't. So a rebound name gains nothing, and a load balancer needs no name."""
    return any(request.requestHeaders.hasHeader(name) for name in (b"Accept-Language", b"Origin", b"Sec-Fetch-Site"))


def _candidate(request: Any) -> bytes | None:
    """Token in a request, not checked; ``None``: there is none."""
    given = request.getHeader(TOKEN_HEADER)
    if given:
        return bytes(given.strip())
    scheme, rest = _scheme_and_rest(request)
    return None if not scheme else rest if scheme == b"bearer" else b""


def _scheme_and_rest(request: Any) -> tuple[bytes, bytes]:
    """Scheme and rest of the Authorization header, which may hold a proxy's own password."""
    scheme, _, rest = (request.getHeader(b"Authorization") or b"").partition(b" ")
    return scheme.lower(), rest.strip()


def _texts(request: Request, name: bytes) -> list[str]:
    """Headers of a name, decoded as Latin-1, which accepts any bytes."""
    return [value.decode("latin-1") for value in request.requestHeaders.getRawHeaders(name) or []]


def _forwarded_for(request: Request) -> str:
    """Client that the nearest proxy names. Anybody can send this header, so it is shown, never trusted; and only if it
    is an address without zone, for Python accepts any text as an IPv6 zone."""
    claimed = ",".join(_texts(request, b"X-Forwarded-For")).rpartition(",")[2].strip()
    try:
        return f" for {ipaddress.ip_address(claimed)}" if claimed and "%" not in claimed else ""
    except ValueError:
        return ""
