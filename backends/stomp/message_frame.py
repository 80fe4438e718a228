"""MESSAGE frames, and what of a SEND a message keeps. Pure.

A MESSAGE has a head, which differs by subscription and delivery, and a tail, which all subscribers of a version share:
with a hundred subscribers it is encoded once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.backends.stomp.destination import Kind
from hub.backends.stomp.frame import ProtocolError, Version, assemble, encode_headers
from hub.headers import LONGEST_NAME, MOST_BYTES
from hub.message import Headers, HeaderValue, Message

MOST_TAILS = 512
"""Tails that are kept for further subscribers."""
MOST_TAIL_BYTES = 1 << 20
"""Bytes of the bodies of kept tails; one that is larger is kept too, alone."""

OFFSET = "x-stream-offset"
"""Header with the place of a message in the hub's log, as RabbitMQ calls it."""
_OF_SEND = frozenset(("destination", "receipt", "transaction", "content-length"))
"""Headers of SEND that are for the server."""
_OF_MESSAGE = frozenset(
    (
        *("destination", "subscription", "message-id", "ack", "content-length", "receipt", "transaction"),
        *("redelivered", "x-delivery-count", OFFSET),
    )
)
"""Headers of MESSAGE that the server sets: a publisher's of these names are not passed on."""
_OFFSET = OFFSET.encode()
_TEXT = {True: "true", False: "false"}


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a SEND that its message keeps. :raises ProtocolError: they are too large for the hub."""
    kept = {name: value for name, value in headers.items() if name not in _OF_SEND}
    names, values = sum(map(len, kept)), sum(map(len, kept.values()))
    if names > LONGEST_NAME // 4 or values > MOST_BYTES // 8:  # few are
        _check(kept)
    return kept


def _check(headers: Mapping[str, str]) -> None:
    longest = max(len(name.encode()) for name in headers)
    if longest > LONGEST_NAME:
        raise ProtocolError(f"the name of a header has {longest} bytes: at most {LONGEST_NAME} are allowed")
    size = sum(len(name.encode()) + len(value.encode()) for name, value in headers.items())
    if size > MOST_BYTES:
        raise ProtocolError(f"the headers take {size} bytes: at most {MOST_BYTES} are allowed")


def topic_of(kind: Kind, name: str) -> str:
    """The topic in the hub of what is sent to a destination. What goes into a queue alone has that as its topic."""
    return name if kind is Kind.TOPIC else f"{kind}{name}"


def destination_of(message: Message) -> str:
    """The destination to which a message was sent, or the topic of one that came by another bus."""
    return message.topic if put_alone(message) else f"{Kind.TOPIC}{message.topic}"


def put_alone(message: Message) -> bool:
    """Tell whether a message was put into one queue alone; see :func:`topic_of`."""
    return message.topic.startswith((Kind.QUEUE, Kind.REPLY))


def text_of(value: HeaderValue) -> str:
    """The text of a header's value."""
    return value if type(value) is str else _TEXT[value] if type(value) is bool else str(value)


class Tails:
    """The tails of the messages that were sent last, in one version of the protocol."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._kept: dict[int, tuple[Message, bytes]] = {}
        self._size = 0
        self._last: tuple[Headers, str, bytes] = ({}, "", b"")
        """The headers and the topic that were encoded last: many messages of one sender share them."""

    def of(self, message: Message) -> bytes:
        """The tail of a message: its header lines, the empty line, the body and NUL."""
        kept = self._kept.get(id(message))  # the message is kept with it, so that no other one gets its id
        return self._add(message) if kept is None else kept[1]

    def _add(self, message: Message) -> bytes:
        headers, topic, lines = self._last
        if message.headers is not headers or message.topic != topic:
            lines = self._lines(message)
            self._last = message.headers, message.topic, lines
        tail = assemble(lines, message.body)
        self._size += len(message.body)
        if len(self._kept) >= MOST_TAILS or self._size > MOST_TAIL_BYTES:
            self._kept.clear()
            self._size = len(message.body)
        self._kept[id(message)] = message, tail
        return tail

    def _lines(self, message: Message) -> bytes:
        headers = {"destination": destination_of(message)}
        for name, value in message.headers.items():
            if name not in _OF_MESSAGE:
                headers[name] = value if type(value) is str else text_of(value)
        return encode_headers(headers, self._version)


class Heads:
    """Encoder of the heads of one subscription.

    :param subscription: its id; ``None``: a client of version 1.0 gave none. :param prefix: of ids of its messages.
    :param acks: true if its messages are acked.
    """

    def __init__(self, subscription: str | None, prefix: str, acks: bool, version: Version) -> None:
        named = {} if subscription is None else {"subscription": subscription}
        before = b"MESSAGE\n" + encode_headers(named, version) + b"message-id:" + prefix.encode()
        self._format = before.replace(b"%", b"%%") + b"%d\n"
        self._ack = b"ack:%b%%d\n" % prefix.encode() if acks and version is Version.V12 else b""

    def frames(
        self, first: int, earlier: Sequence[int], tails: Sequence[bytes], offsets: Sequence[int] = ()
    ) -> list[bytes]:
        """Encode MESSAGE frames. :param first: serial of the first one.

        :param earlier: the number of earlier deliveries of each; empty: none had any.
        :param offsets: the place of each in the log; empty: they have none.
        """
        line, ack = self._format, self._ack
        if ack:
            line += ack
            heads = [line % (serial, serial) for serial in range(first, first + len(tails))]
        else:
            heads = [line % serial for serial in range(first, first + len(tails))]
        if earlier:
            marks = [b"redelivered:true\nx-delivery-count:%d\n" % number if number else b"" for number in earlier]
            heads = [head + mark for head, mark in zip(heads, marks, strict=True)]
        if offsets:
            heads = [b"%b%b:%d\n" % (head, _OFFSET, number) for head, number in zip(heads, offsets, strict=True)]
        return [head + tail for head, tail in zip(heads, tails, strict=True)]
