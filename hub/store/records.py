"""Records on the disk. Each is sealed with a checksum, so that damage is detected.

A sealed record begins with a mark, its kind, its CRC-32 and its length. With the mark, a rescue finds records in a file
whose tables can't be read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from hub.deadletter import DeadLetter
from hub.errors import HubError
from hub.headers import are_values, received
from hub.message import DEFAULT_PRIORITY, NO_HEADERS, Headers, HeaderValue, Message
from hub.stats.counters import Counters
from hub.store.queue_key import QueueKey
from hub.text import encodable

MARK = b"\xf5hub"
_HEAD = struct.Struct("<4scII")
HEAD_SIZE = _HEAD.size
PAGE, QUEUE, LETTER, OUTGOING, RANGE = b"P", b"B", b"L", b"O", b"S"
FORMER = {b"Q": QUEUE}
"""Former kinds and their replacements, which older hubs must not read. Both are read alike."""
Content = TypeVar("Content")
FlatMessage = tuple[str, str, bytes, dict[str, HeaderValue], float, str]
"""A message's id, topic, body, headers, time of receipt and backend."""


class DamagedError(HubError):
    """Error: a record is not as it was written. Readers report it and skip the record."""


class PlainPage(msgspec.Struct, array_like=True, gc=False):
    """A page: a batch with its messages in columns, and its routes. A column of equal values has only one.

    :ivar number: number of the page, repeated here for a rescue.
    :ivar shares: for each queue: its number, the position of its first message, and indexes (``None``: all).
    """

    number: int
    stored_at: float
    shares: list[tuple[int, int, Sequence[int] | None]]
    ids: list[str]
    topics: list[str]
    bodies: list[bytes]
    headers: list[dict[str, HeaderValue]]
    received_at: list[float]
    backends: list[str]
    copy: bool = False

    def messages(self) -> list[Message]:
        """The messages of the page."""
        count = len(self.ids)
        return [
            Message(id_, topic, body, headers or NO_HEADERS, received_at, backend)
            for id_, topic, body, headers, received_at, backend in zip(
                self.ids,
                _whole(self.topics, count),
                self.bodies,
                _whole(self.headers, count),
                _whole(self.received_at, count),
                _whole(self.backends, count),
                strict=True,
            )
        ]


class Page(PlainPage, array_like=True, gc=False):
    """A page as it is read. :ivar priority: of the messages in their queues; one with the default is a plain page."""

    priority: int = DEFAULT_PRIORITY

    @classmethod
    def of(
        cls,
        number: int,
        now: float,
        messages: Sequence[Message],
        shares: list[tuple[int, int, Sequence[int] | None]],
        copy: bool = False,
        priority: int = DEFAULT_PRIORITY,
    ) -> PlainPage:
        """Make a page. :raises TypeError: a header has an invalid value."""
        columns = (
            [message.id for message in messages],
            _column([message.topic for message in messages]),
            [message.body for message in messages],
            _headers_column([message.headers for message in messages]),
            _column([message.received_at for message in messages]),
            _column([message.backend for message in messages]),
        )
        if priority == DEFAULT_PRIORITY:
            return PlainPage(number, now, shares, *columns, copy)
        return cls(number, now, shares, *columns, copy, priority)


class QueueRecord(msgspec.Struct, array_like=True):
    """A queue at one commit.

    :ivar ranges: empty, except in records of format 1; now they are rows of the table ``settled``.
    :ivar commit: number of commits of the queue: a rescue takes the record with the highest.
    :ivar beginning: the fields of a :class:`hub.store.Beginning`.
    :ivar site: with ``name`` the key of the queue; empty in records of older formats.
    :ivar declaration: the declaration of a declared queue, encoded by its owner; empty: it is none.
    """

    number: int
    name: str
    created_at: float
    next_position: int
    floor: int
    ranges: list[tuple[int, int]]
    counters: Counters
    unread_bytes: int
    next_letter: int
    letters: int
    lost_letters: int
    commit: int = 0
    beginning: tuple[float, int, int] | None = None
    site: str = ""
    declaration: bytes = b""

    @property
    def key(self) -> QueueKey:
        """The key of the queue."""
        return QueueKey(self.site, self.name)


class RangeRecord(msgspec.Struct, array_like=True):
    """A range of settled positions of a queue. Even a deleted or overwritten record is still true.

    :ivar created_at: epoch seconds at which the queue was created; an earlier queue may have had its number.
    """

    queue: int
    created_at: float
    start: int
    stop: int


class LetterRecord(msgspec.Struct, array_like=True):
    """A dead letter of a queue."""

    queue: int
    number: int
    message: FlatMessage
    reason: str
    attempts: int
    buried_at: float
    error: str
    traceback: str

    @classmethod
    def of(cls, queue: int, number: int, letter: DeadLetter) -> LetterRecord:
        """Make a record of a dead letter."""
        texts = _text(letter.error), _text(letter.traceback)
        return cls(queue, number, flat(letter.message), _text(letter.reason), letter.attempts, letter.buried_at, *texts)

    def letter(self) -> DeadLetter:
        """The dead letter of the record."""
        details = (self.reason, self.attempts, self.buried_at, self.error, self.traceback)
        return DeadLetter(unflat(self.message), *details, self.number)


class OutgoingRecord(msgspec.Struct, array_like=True):
    """An outgoing message."""

    number: int
    backend: str
    message: FlatMessage


class OutgoingHead(msgspec.Struct, array_like=True, gc=False):
    """The first fields of an :class:`OutgoingRecord`, to read its backend without decoding the message."""

    number: int
    backend: str


_encoder = msgspec.msgpack.Encoder()


def seal(kind: bytes, content: object) -> bytearray:
    """Encode a record with its header, for a table."""
    buffer = bytearray(HEAD_SIZE)
    _encoder.encode_into(content, buffer, HEAD_SIZE)
    with memoryview(buffer) as view:
        checksum = zlib.crc32(view[HEAD_SIZE:])
    _HEAD.pack_into(buffer, 0, MARK, kind, checksum, len(buffer) - HEAD_SIZE)
    return buffer


def unseal(kind: bytes, decoder: msgspec.msgpack.Decoder[Content], value: bytes | memoryview) -> Content:
    """Decode a sealed record; bytes after it are ignored. :raises DamagedError: it is not as it was written."""
    if len(value) < HEAD_SIZE:
        raise DamagedError(f"a record of {len(value)} bytes")
    mark, found, checksum, length = _HEAD.unpack_from(value)
    if mark != MARK or FORMER.get(found, found) != kind:
        raise DamagedError("no record of this kind begins here")
    with memoryview(value) as view:
        payload = view[HEAD_SIZE : HEAD_SIZE + length]
        if len(payload) != length or zlib.crc32(payload) != checksum:
            raise DamagedError(f"the checksum of {length} bytes is wrong")
        try:
            return decoder.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:  # the checksum does not cover faults before sealing
            raise DamagedError(f"the content can't be decoded: {error}") from error


def sealed_size(value: bytes) -> int:
    """Length of the record that begins there, by its header; 0: none begins there."""
    if len(value) < HEAD_SIZE or not value.startswith(MARK):
        return 0
    return HEAD_SIZE + int(_HEAD.unpack_from(value)[3])


pages = msgspec.msgpack.Decoder(Page)
queues = msgspec.msgpack.Decoder(QueueRecord)
letters = msgspec.msgpack.Decoder(LetterRecord)
ranges = msgspec.msgpack.Decoder(RangeRecord)
outgoings = msgspec.msgpack.Decoder(OutgoingRecord)
_outgoing_heads = msgspec.msgpack.Decoder(OutgoingHead)


def outgoing_backend(value: bytes | memoryview) -> str:
    """Backend of a sealed outgoing message. Neither checksum nor message is read.

    :raises DamagedError: it can't be decoded.
    """
    try:
        with memoryview(value) as view:
            return _outgoing_heads.decode(view[HEAD_SIZE:]).backend
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedError(f"the content can't be decoded: {error}") from error


def flat(message: Message) -> FlatMessage:
    """The fields of a message for a record."""
    message = cleaned(message)
    return (message.id, message.topic, message.body, dict(message.headers), message.received_at, message.backend)


def unflat(fields: FlatMessage) -> Message:
    """The message of such fields."""
    return Message(*fields)


def cleaned(message: Message) -> Message:
    """A message with texts that UTF-8 can encode, and with correct types."""
    headers = received(message.headers)
    received_at = float(message.received_at)
    return Message(
        _text(message.id), _text(message.topic), bytes(message.body), headers, received_at, _text(message.backend)
    )


def _text(value: object) -> str:
    return encodable(str(value))


def _column(values: list[Any]) -> list[Any]:
    return values[:1] if values.count(values[0]) == len(values) else values


def _headers_column(values: list[Headers]) -> list[dict[str, HeaderValue]]:
    """Column of headers. ``1``, ``1.0`` and ``True`` are equal, but not the same. :raises TypeError: invalid value."""
    column: list[Headers] = _column(values)
    if not all(map(are_values, column)):
        raise TypeError("a header has a value that no header may have")
    if len(column) < len(values) and not all(isinstance(value, str) for value in column[0].values()):
        first = _types(column[0])
        if any(_types(headers) != first for headers in values):
            column = values
    return [dict(headers) for headers in column]


def _types(headers: Headers) -> dict[str, str]:
    """Representations that distinguish equal values, even the sign of a zero."""
    return {name: repr(value) for name, value in headers.items()}


def _whole(column: list[Any], count: int) -> list[Any]:
    return column * count if len(column) == 1 else column
