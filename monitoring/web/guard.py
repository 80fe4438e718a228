"""Who may do what through the web server."""

from __future__ import annotations

import ipaddress
from typing import Any

from twisted.web.server import Request

from hub import unixsocket
from hub.errors import Forbidden
from hub.interfaces import Access, Auditor
from hub.monitoring.web.holders import Holder, Holders
from hub.monitoring.web.hosts import Hosts, check_origin
from hub.monitoring.web.wrong_tokens import WrongTokens

PENALTY = 1.0
"""Seconds that the answer to a wrong token takes. Nobody is locked out: behind a reverse proxy all have one address,
and who guesses would lock out who knows."""
TOKEN_HEADER = b"X-Hubbub-Token"
"""Before ``Authorization``, which a reverse proxy may need for a password of its own."""
HEALTH = (b"/healthz", b"/readyz")
FOR_PROGRAMS = (*HEALTH, b"/metrics")
"""What load balancers and monitoring systems ask for by any name, or by none."""
PAGE = (b"/", b"/static/", b"/login")
"""The page itself has no numbers in it."""
NEEDED = "this needs the token: 'hubbub web' shows it"


class WebGuard:
    """:param holders: the tokens there are; ``None`` where a Unix socket's permissions are the access control.
    :param read_only: nothing is changed through this server, whoever asks.
    :param anonymous: whether the numbers are for whoever reaches the port.
    """

    def __init__(
        self,
        hosts: Hosts,
        holders: Holders | None,
        read_only: bool,
        wrong: WrongTokens,
        audit: Auditor,
        anonymous: bool = True,
    ) -> None:
        self._hosts = hosts
        self._holders = holders
        self._read_only = read_only
        self._wrong = wrong
        self._audit = audit
        self._anonymous = anonymous or holders is None
        self._reading: set[Any] = set()

    def check(self, request: Request) -> None:
        """Of every request, whatever it is for.

        :raises Forbidden: another site is behind it, or it has no token where strangers see nothing.
        """
        hosts = _texts(request, b"Host")
        if request.path not in FOR_PROGRAMS or _is_browsers(request):
            self._hosts.check(hosts, getattr(request.getHost(), "host", None))
        navigates = request.method in (b"GET", b"HEAD") and _texts(request, b"Sec-Fetch-Mode") == ["navigate"]
        host, sites = hosts[0] if hosts else "", _texts(request, b"Sec-Fetch-Site")
        check_origin(host, _texts(request, b"Origin"), sites, navigates)
        if not self._anonymous and not _is_open(request.path):
            self._holder(request)

    def who(self, request: Any) -> str:
        """By which address, or, on a Unix socket, which user; and for whom, if a proxy says so."""
        if self._holders is None:
            return unixsocket.peer(request.transport) + _forwarded_for(request)
        return str(getattr(request.getClientAddress(), "host", None) or "?") + _forwarded_for(request)

    def admit(self, request: Any, access: Access) -> str:
        """Who asks, for the audit log. :raises Forbidden: 401: not without the token; 403: not at all."""
        self.check(request)
        if access == "actions" and self._read_only:
            raise Forbidden("this server only shows: read_only is set")
        if self._holders is None or (access == "numbers" and self._anonymous):
            return self.who(request)
        holder = self._holder(request)
        if not holder.may(access):
            raise Forbidden(f"the token {holder.name!r} has no right to {access}, only to {', '.join(holder.rights)}")
        if access == "contents" and request not in self._reading:
            self._reading.add(request)
            request.notifyFinish().addBoth(lambda _: self._reading.discard(request))
        return f"{holder} from {self.who(request)}"

    def _holder(self, request: Any) -> Holder:
        """Whose token this request has. :raises Forbidden: 401: none that is good."""
        assert self._holders is not None
        candidate = _candidate(request)
        holder = None if candidate is None else self._holders.find(candidate)
        if holder is not None:
            return holder
        request.setHeader(b"WWW-Authenticate", b"Bearer")
        if candidate is None:
            raise Forbidden(NEEDED, 401)
        self._refuse(request)
        raise Forbidden("this is not the token: 'hubbub web' shows it", 401)

    def _refuse(self, request: Any) -> None:
        self._wrong.note(self.who(request))
        request.hold(PENALTY)

    def log_in(self, request: Any, code: bytes) -> str | None:
        """A session for the code of a link; ``None``: it is not good."""
        session = self._holders.log_in(code) if self._holders is not None else None
        if session is None:
            self._refuse(request)
        else:
            self._audit.note(self.who(request), "login", None, "done")
        return session

    def trusts(self, request: Any) -> bool:
        """Whether the token of this request is good for contents now, or none is needed."""
        if self._holders is None:
            return True
        candidate = _candidate(request)
        holder = None if candidate is None else self._holders.find(candidate)
        return holder is not None and holder.may("contents")

    def shows_contents(self, request: Any) -> bool:
        """Of what there is with contents and without: whether this one gets them, for it sent the token, or none is
        needed. :raises Forbidden: as ``admit``; a wrong token is not the same as none."""
        if self._holders is None:
            self.admit(request, "contents")
            return True
        scheme, _ = _scheme_and_rest(request)
        if not request.getHeader(TOKEN_HEADER) and scheme != b"bearer":
            self.admit(request, "numbers")
            return False
        if not self._holder(request).may("contents"):
            return False
        self._audit.read(self.admit(request, "contents"), "status")
        return True

    def end_stale(self) -> None:
        """Cut the answers with contents that are under way for a token that is good no more. To be called now and
        then."""
        for request in list(self._reading):
            if not self.trusts(request):
                self._reading.discard(request)
                request.channel.abort()


def _is_open(path: bytes) -> bool:
    """Whether there are no numbers in it."""
    return path in (*HEALTH, *PAGE) or path.startswith(b"/static/")


def _is_browsers(request: Request) -> bool:
    """Whether a page may be behind it: browsers tell their reader's language with each request, whatever the page says.
    Programs do not. So a rebound name gains nothing, and a load balancer needs no name."""
    return any(request.requestHeaders.hasHeader(name) for name in (b"Accept-Language", b"Origin", b"Sec-Fetch-Site"))


def _candidate(request: Any) -> bytes | None:
    """What was sent as a token; ``None``: nothing."""
    given = request.getHeader(TOKEN_HEADER)
    if given:
        return bytes(given.strip())
    scheme, rest = _scheme_and_rest(request)
    return None if not scheme else rest if scheme == b"bearer" else b""


def _scheme_and_rest(request: Any) -> tuple[bytes, bytes]:
    """Of the Authorization header; a proxy's own password may be in it."""
    scheme, _, rest = (request.getHeader(b"Authorization") or b"").partition(b" ")
    return scheme.lower(), rest.strip()


def _texts(request: Request, name: bytes) -> list[str]:
    """The headers of that name. They may hold any bytes: as Latin-1 each of them is a letter."""
    return [value.decode("latin-1") for value in request.requestHeaders.getRawHeaders(name) or []]


def _forwarded_for(request: Request) -> str:
    """What the nearest proxy says it was asked by. Anybody may send this header, so it is told, never relied on: and
    only where it is a number, for Python takes any text for an IPv6 address's zone."""
    claimed = ",".join(_texts(request, b"X-Forwarded-For")).rpartition(",")[2].strip()
    try:
        return f" for {ipaddress.ip_address(claimed)}" if claimed and "%" not in claimed else ""
    except ValueError:
        return ""
