"""Policy of a WebSocket's opening handshake: subprotocol, origin, proxy; and the answer to what is refused. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

SUBPROTOCOLS = ("v12.stomp", "v11.stomp", "v10.stomp")
"""Registered with IANA; the best first. CONNECT decides on the version, also where it disagrees."""
PROXY_HEADERS = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip"})
RETRY_AFTER = 10
"""Seconds after which a client may try again, if there were too many connections."""
_PORTS = {"http": 80, "https": 443}
_GET = b"GET "


def is_http(data: bytes) -> bool:
    """Tell whether a connection whose first bytes these are begins with an HTTP request."""
    return _GET.startswith(data[: len(_GET)])


def best_subprotocol(offered: Iterable[str]) -> str | None:
    """Choose a subprotocol; ``None``: no version of STOMP is offered."""
    known = set(offered)
    return next((name for name in SUBPROTOCOLS if name in known), None)


def is_allowed(origin: str, allowed: Collection[str]) -> bool:
    """True if a page of an origin may connect.

    A browser lets any page in the world open a WebSocket to this machine, and tells only its origin.

    :param allowed: see :class:`hub.backends.stomp.connections.Options`.
    """
    if "*" in allowed or origin in allowed:
        return True
    try:
        parts = urlsplit(origin)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return False
    host = parts.hostname or ""
    name = f"{parts.scheme}://[{host}]" if ":" in host else f"{parts.scheme}://{host}"
    if not host or origin.lower() not in (name, f"{name}:{parts.port}"):
        return False
    wanted = {f"{name}:*", f"{name}:{port}"}
    if _PORTS.get(parts.scheme) == port:
        wanted.add(name)
    return any(one.lower() in wanted for one in allowed)


def http_answer(status: str, text: str, headers: str = "") -> bytes:
    """Return an answer of HTTP to a request that is refused. :param headers: lines, each with CR LF at its end."""
    body = text.encode() + b"\n"
    head = f"HTTP/1.1 {status}\r\n{headers}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


def too_many_answer(text: str) -> bytes:
    """Return the answer to a connection that is too many. :param text: says so."""
    return http_answer("503 Service Unavailable", text, f"Retry-After: {RETRY_AFTER}\r\n")
