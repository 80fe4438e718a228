"""Headers that ask for what the server has not. They are answered with an ERROR, not ignored. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from hub.backends.stomp.destination import Kind
from hub.backends.stomp.frame import ProtocolError

_FALSE = ("false", "0", "")
_SWITCHES = (
    *("activemq.noLocal", "no-local", "activemq.retroactive", "activemq.exclusive", "exclusive", "activemq.browser"),
    *("browser", "x-stream-filter", "x-single-active-consumer"),
)
"""Headers of SUBSCRIBE that are refused unless they say no."""
_QUEUE_SETTINGS = ("x-message-ttl", "x-expires", "x-max-length", "x-max-length-bytes", "x-dead-letter-exchange")
"""Headers of SUBSCRIBE by which RabbitMQ's clients configure a queue; here the server's settings do."""


def check_subscribe(headers: Mapping[str, str], kind: Kind) -> None:
    """Check the headers of a SUBSCRIBE. :raises ProtocolError: one asks for what there is not."""
    for name in _SWITCHES:
        if headers.get(name, "false").lower() not in _FALSE:
            raise ProtocolError(f"{name}:{headers[name][:40]} is not supported in SUBSCRIBE")
    for name in _QUEUE_SETTINGS:
        if name in headers:
            raise ProtocolError(f"{name} is not supported in SUBSCRIBE: the server's settings bound its queues")
    priority = headers.get("activemq.priority", headers.get("x-priority", "0"))
    if priority.strip() not in ("0", ""):
        raise ProtocolError("a priority of subscriptions is not supported: they share a queue in turn")
    if kind is Kind.DEAD and headers.get("ack", "auto") == "client":
        raise ProtocolError("dead letters are acked one by one: ack:client-individual, or ack:auto")
