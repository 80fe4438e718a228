"""Takeover: a connection leaves HTTP for a protocol that begins with an HTTP request, such as a WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from twisted.internet.protocol import Factory
    from twisted.web.server import Request

_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def take_over(request: Request, factory: Factory) -> None:
    """Hand the connection of a request to another protocol, which reads the request itself, and all that follows it.

    The server of the request forgets the connection: it neither counts nor closes it any more. Call it outside of the
    turn of the reactor in which the request came. It does nothing if the client has gone.

    :param factory: makes the protocol, or ``None``, if it has too many: the answer is 503 then.
    """
    channel: Any = request.channel
    if channel is None:
        return
    transport = channel.transport
    data = _head(request) + b"".join(channel._dataBuffer)
    channel.connectionLost(Failure(ConnectionDone()))
    transport.unregisterProducer()
    protocol: Any = factory.buildProtocol(transport.getPeer())
    if protocol is None:
        transport.write(_TOO_MANY)
        transport.loseConnection()
        return
    transport.protocol = protocol
    protocol.makeConnection(transport)
    transport.resumeProducing()
    protocol.dataReceived(data)


def _head(request: Request) -> bytes:
    """The request as its client has sent it, without a body. Twisted has checked that no line is broken in two."""
    lines = [b" ".join((request.method, request.uri, b"HTTP/1.1"))]
    for name, values in request.requestHeaders.getAllRawHeaders():
        lines += [name + b": " + value for value in values]
    return b"\r\n".join([*lines, b"", b""])
