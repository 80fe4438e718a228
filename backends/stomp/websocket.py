"""STOMP over WebSocket (RFC 6455), by wsproto. Pure.

A frame of STOMP, or a beat, is sent as a message of its own, because some clients end a text at its first NUL. It is
text or binary as the client's last message was. What is received may be cut and joined anyhow. Any path is
accepted: clients for other brokers ask for ``/``, ``/ws`` or ``/stomp``. Compression is not agreed on: a client could
make the server inflate little data into much.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import RemoteProtocolError

from hub.backends.stomp.codec import Closed
from hub.backends.stomp.frame import Frame
from hub.backends.stomp.handshake import PROXY_HEADERS, SUBPROTOCOLS, best_subprotocol, http_answer, is_allowed
from hub.backends.stomp.head import shown
from hub.backends.stomp.parser import Parser

LONGEST_REQUEST = 16 << 10
"""Bytes of the HTTP request; the cookies of all pages of a host come in it."""
_END_OF_REQUEST = b"\r\n\r\n"


class WebSocket:
    """The codec of a WebSocket.

    :param parser: of the frames. :param write: sends what the protocol itself has to say.
    :param origins: web pages that may connect; other clients do not tell an origin.
    """

    def __init__(self, parser: Parser, write: Callable[[bytes], None], origins: Collection[str]) -> None:
        self.proxied = False
        self._parser = parser
        self._write = write
        self._origins = origins
        self._request = b""
        self._connection = WSConnection(ConnectionType.SERVER)
        self._text = True

    def frames(self, data: bytes) -> Iterator[Frame]:
        """Parse received bytes. :raises Closed: the handshake is refused, or the WebSocket is over."""
        if self._connection.state is ConnectionState.CONNECTING:
            data = self._shake_hands(data)
        if data:
            self._connection.receive_data(data)
            yield from self._messages()

    def wrap(self, frame: bytes) -> bytes:
        """Return a message; nothing before and after the WebSocket is open."""
        if self._connection.state is not ConnectionState.OPEN:
            return b""
        if self._text:
            try:
                return self._connection.send(TextMessage(frame.decode()))
            except UnicodeDecodeError:
                pass  # a body that is no text
        return self._connection.send(BytesMessage(frame))

    def wrap_all(self, frames: Sequence[bytes]) -> bytes:
        """Return a message of each frame."""
        return b"".join(map(self.wrap, frames))

    def closing(self) -> bytes:
        """Return a Close frame."""
        if self._connection.state is not ConnectionState.OPEN:
            return b""
        return self._connection.send(CloseConnection(code=1000))

    def _messages(self) -> Iterator[Frame]:
        for event in self._connection.events():
            if isinstance(event, TextMessage):
                self._text = True
                yield from self._parser.feed(event.data.encode())
                if event.message_finished:
                    yield from self._parser.complete()
            elif isinstance(event, BytesMessage):
                self._text = False
                yield from self._parser.feed(bytes(event.data))
            elif isinstance(event, Ping):
                self._write(self._connection.send(event.response()))
            elif isinstance(event, CloseConnection):
                self._end(event)

    def _end(self, event: CloseConnection) -> None:
        """End: the client sent a Close frame, or something that wsproto refuses."""
        in_order = self._connection.state is ConnectionState.REMOTE_CLOSING
        reply = self._connection.send(event.response())
        if in_order:
            raise Closed(f"the client closed the WebSocket with code {int(event.code)}", reply)
        raise Closed(f"the WebSocket is broken: {event.reason}", reply, fault=True)

    def _shake_hands(self, data: bytes) -> bytes:
        """Answer the HTTP request when it is complete. :returns: what follows it."""
        begin = max(0, len(self._request) - len(_END_OF_REQUEST) + 1)
        self._request += data
        end = self._request.find(_END_OF_REQUEST, begin)
        if (len(self._request) if end < 0 else end) > LONGEST_REQUEST:
            raise _refused("431 Request Header Fields Too Large", f"more than {LONGEST_REQUEST} bytes of headers")
        if end < 0:
            return b""
        end += len(_END_OF_REQUEST)
        request, rest = self._request[:end], self._request[end:]
        self._request = b""
        self._accept(self._parse(request))
        return rest

    def _parse(self, request: bytes) -> Request:
        try:
            self._connection.receive_data(request)
            (event,) = self._connection.events()
        except RemoteProtocolError as error:
            hint = error.event_hint
            if isinstance(hint, RejectConnection) and hint.status_code == 426:
                raise _refused("426 Upgrade Required", str(error), "Sec-WebSocket-Version: 13\r\n") from error
            raise _refused("400 Bad Request", f"this is a STOMP server, which expects a WebSocket: {error}") from error
        except (UnicodeError, ValueError) as error:
            raise _refused("400 Bad Request", "the request is malformed") from error
        assert isinstance(event, Request)
        return event

    def _accept(self, request: Request) -> None:
        headers = [(bytes(name).lower(), bytes(value)) for name, value in request.extra_headers]
        for name, value in headers:
            origin = value.decode("latin-1")
            if name == b"origin" and not is_allowed(origin, self._origins):
                raise _refused("403 Forbidden", f"pages of origin {shown(origin)} may not connect: see 'origins'")
        subprotocol = best_subprotocol(request.subprotocols)
        if request.subprotocols and subprotocol is None:
            offered = shown(", ".join(request.subprotocols))
            raise _refused("400 Bad Request", f"subprotocols {offered}: expected one of {', '.join(SUBPROTOCOLS)}")
        self.proxied = any(name in PROXY_HEADERS for name, _ in headers)
        self._write(self._connection.send(AcceptConnection(subprotocol=subprotocol)))


def _refused(status: str, text: str, headers: str = "") -> Closed:
    return Closed(f"WebSocket refused: {text}", http_answer(status, text, headers), fault=True)
