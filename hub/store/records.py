"""What is written to the disk: each record sealed with a checksum, so that damage is found, and found again.

A sealed record begins with a mark, its kind, its CRC-32 and its length. The mark lets a rescue find records in a file
whose tables can be read no more.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from hub.deadletter import DeadLetter
from hub.errors import HubError
from hub.message import NO_HEADERS, Message
from hub.stats.counters import Counters

MARK = b"\xf5hub"
_HEAD = struct.Struct("<4scII")
HEAD_SIZE = _HEAD.size
PAGE, QUEUE, LETTER, OUTGOING, RANGE = b"P", b"B", b"L", b"O", b"S"
FORMER = {b"Q": QUEUE}
"""Kinds that another one took the place of, because older hubs must not read it: they are read like that one."""
Content = TypeVar("Content")


class DamagedError(HubError):
    """A record is not what was written. Met by whoever reads it: it is reported, and set aside."""


class Page(msgspec.Struct, array_like=True, gc=False):
    """A batch: its messages by columns, and its routes. A column of equal values has only one.

    :ivar number: of the page; a part of its content so that a rescue finds it.
    :ivar shares: for each queue its number, the position of its first message, and which messages (``None``: all).
    """

    number: int
    stored_at: float
    shares: list[tuple[int, int, Sequence[int] | None]]
    ids: list[str]
    topics: list[str]
    bodies: list[bytes]
    headers: list[dict[str, str]]
    received_at: list[float]
    backends: list[str]
    copy: bool = False

    @classmethod
    def of(
        cls,
        number: int,
        now: float,
        messages: Sequence[Message],
        shares: list[tuple[int, int, Sequence[int] | None]],
        copy: bool = False,
    ) -> Page:
        """Ready to be written."""
        return cls(
            number,
            now,
            shares,
            [message.id for message in messages],
            _column([message.topic for message in messages]),
            [message.body for message in messages],
            [dict(headers) for headers in _column([message.headers for message in messages])],
            _column([message.received_at for message in messages]),
            _column([message.backend for message in messages]),
            copy,
        )

    def messages(self) -> list[Message]:
        """All of them."""
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


class QueueRecord(msgspec.Struct, array_like=True):
    """A queue at one commit.

    :ivar ranges: empty; they are rows of the table ``settled``, but for the records of format 1.
    :ivar commit: counts those of the queue, so that a rescue can tell the newest of its records.
    :ivar beginning: the fields of a :class:`hub.store.Beginning`.
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


class RangeRecord(msgspec.Struct, array_like=True):
    """Positions of a queue that are settled. One that was deleted or written over still says what is so.

    :ivar created_at: the queue's, which may have its number from one before.
    """

    queue: int
    created_at: float
    start: int
    stop: int


class LetterRecord(msgspec.Struct, array_like=True):
    """A dead letter."""

    queue: int
    number: int
    message: tuple[str, str, bytes, dict[str, str], float, str]
    reason: str
    attempts: int
    buried_at: float
    error: str
    traceback: str

    @classmethod
    def of(cls, queue: int, number: int, letter: DeadLetter) -> LetterRecord:
        """Ready to be written."""
        texts = _text(letter.error), _text(letter.traceback)
        return cls(queue, number, flat(letter.message), _text(letter.reason), letter.attempts, letter.buried_at, *texts)

    def letter(self) -> DeadLetter:
        """As it was buried."""
        details = (self.reason, self.attempts, self.buried_at, self.error, self.traceback)
        return DeadLetter(unflat(self.message), *details, self.number)


class OutgoingRecord(msgspec.Struct, array_like=True):
    """A message to be sent out."""

    number: int
    backend: str
    message: tuple[str, str, bytes, dict[str, str], float, str]


_encoder = msgspec.msgpack.Encoder()


def seal(kind: bytes, content: object) -> bytearray:
    """Ready to be put into a table."""
    buffer = bytearray(HEAD_SIZE)
    _encoder.encode_into(content, buffer, HEAD_SIZE)
    with memoryview(buffer) as view:
        checksum = zlib.crc32(view[HEAD_SIZE:])
    _HEAD.pack_into(buffer, 0, MARK, kind, checksum, len(buffer) - HEAD_SIZE)
    return buffer


def unseal(kind: bytes, decoder: msgspec.msgpack.Decoder[Content], value: bytes | memoryview) -> Content:
    """The content. What follows a record in ``value`` does not matter. :raises DamagedError: it is not as written."""
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
        except (msgspec.DecodeError, UnicodeDecodeError) as error:  # a checksum can't tell of a fault before it
            raise DamagedError(f"the content can't be decoded: {error}") from error


def sealed_size(value: bytes) -> int:
    """How long the record would be that begins there; 0: none does."""
    if len(value) < HEAD_SIZE or not value.startswith(MARK):
        return 0
    return HEAD_SIZE + int(_HEAD.unpack_from(value)[3])


pages = msgspec.msgpack.Decoder(Page)
queues = msgspec.msgpack.Decoder(QueueRecord)
letters = msgspec.msgpack.Decoder(LetterRecord)
ranges = msgspec.msgpack.Decoder(RangeRecord)
outgoings = msgspec.msgpack.Decoder(OutgoingRecord)


def flat(message: Message) -> tuple[str, str, bytes, dict[str, str], float, str]:
    """A message as it stands in a record."""
    message = cleaned(message)
    return (message.id, message.topic, message.body, dict(message.headers), message.received_at, message.backend)


def unflat(fields: tuple[str, str, bytes, dict[str, str], float, str]) -> Message:
    """The message again."""
    return Message(*fields)


def cleaned(message: Message) -> Message:
    """With texts that UTF-8 can write, and types that were promised."""
    headers = {_text(name): _text(value) for name, value in message.headers.items()}
    received_at = float(message.received_at)
    return Message(
        _text(message.id), _text(message.topic), bytes(message.body), headers, received_at, _text(message.backend)
    )


def _text(value: object) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()


def _column(values: list[Any]) -> list[Any]:
    return values[:1] if values.count(values[0]) == len(values) else values


def _whole(column: list[Any], count: int) -> list[Any]:
    return column * count if len(column) == 1 else column
