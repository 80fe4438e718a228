"""STOMP over WebSocket in the hub's web server: one address, and one proxy with TLS, for the page and for clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.protocol import Factory

from hub.errors import Unavailable
from hub.http.takeover import take_over
from hub.http.verb import NOT_DONE_YET, Call, Verb


class WebSocketMount(Verb):
    """Speak STOMP over WebSocket (RFC 6455). The connection leaves HTTP, and counts as one of the STOMP server.

    Its logins, rights, limits and allowed origins are those of the STOMP server.
    """

    path = "websocket"
    access = "open"
    result = str
    media = "text/plain"
    endless = True
    any_origin = True

    def __init__(self, find: Callable[[], Factory | None], reactor: Any) -> None:
        self._find = find
        self._reactor = reactor

    def handle(self, call: Call) -> object:
        """Let the STOMP server have the connection, which answers the request.

        :raises ValueError: it is no WebSocket's. :raises Unavailable: the STOMP server does not run.
        """
        request: Any = call.request
        if b"websocket" not in (request.getHeader(b"Upgrade") or b"").lower():
            raise ValueError("this is for STOMP over WebSocket: expected 'Upgrade: websocket'")
        factory = self._find()
        if factory is None:
            raise Unavailable("the STOMP server does not run")
        self._reactor.callLater(0, take_over, request, factory)
        return NOT_DONE_YET
