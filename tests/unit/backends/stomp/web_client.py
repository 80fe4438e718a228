"""A WebSocket client, by wsproto, beside the codec of the server."""

from __future__ import annotations

from collections.abc import Sequence

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, Event, Request, TextMessage

from hub.backends.stomp.frame import Frame
from hub.backends.stomp.limits import Limits
from hub.backends.stomp.parser import Parser
from hub.backends.stomp.websocket import WebSocket

Headers = list[tuple[bytes, bytes]]
OFFERED = ("v12.stomp", "v11.stomp", "v10.stomp")


class WebClient:
    """Makes the bytes of a client, and reads those of the server."""

    def __init__(self) -> None:
        self.connection = WSConnection(ConnectionType.CLIENT)

    def request(
        self, subprotocols: Sequence[str] = OFFERED, headers: Headers | None = None, target: str = "/ws"
    ) -> bytes:
        """The HTTP request."""
        return self.connection.send(
            Request(host="localhost", target=target, subprotocols=list(subprotocols), extra_headers=headers or [])
        )

    def message(self, data: str | bytes, finished: bool = True) -> bytes:
        """A message, or a fragment of one."""
        if isinstance(data, str):
            return self.connection.send(TextMessage(data, message_finished=finished))
        return self.connection.send(BytesMessage(data, message_finished=finished))

    def events(self, data: bytes) -> list[Event]:
        """What the server's bytes mean."""
        self.connection.receive_data(data)
        return list(self.connection.events())

    def messages(self, data: bytes) -> list[str | bytes]:
        """The server's messages, whole."""
        found: list[str | bytes] = []
        for event in self.events(data):
            assert isinstance(event, TextMessage | BytesMessage)
            assert event.message_finished
            found.append(event.data if isinstance(event, TextMessage) else bytes(event.data))
        return found


class Pair(WebClient):
    """A client and the codec, with nothing between them."""

    def __init__(self, limits: Limits = Limits(), origins: Sequence[str] = ()) -> None:  # noqa: B008 - immutable
        super().__init__()
        self.written: list[bytes] = []
        self.parser = Parser(limits)
        self.parser.logged_in()
        self.codec = WebSocket(self.parser, self.written.append, origins)

    def open(self, subprotocols: Sequence[str] = OFFERED, headers: Headers | None = None) -> str | None:
        """Shake hands. :returns: the subprotocol that the server chose."""
        assert list(self.codec.frames(self.request(subprotocols, headers))) == []
        (event,) = self.events(self.taken())
        assert isinstance(event, AcceptConnection)
        return event.subprotocol

    def taken(self) -> bytes:
        """What the codec wrote by itself."""
        written = b"".join(self.written)
        self.written.clear()
        return written

    def feed(self, *pieces: bytes) -> list[Frame]:
        """Give the codec some bytes."""
        return [frame for piece in pieces for frame in self.codec.frames(piece)]
