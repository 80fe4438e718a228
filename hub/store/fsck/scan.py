"""Sealed records anywhere in a file: those in use, and those that were, as long as nothing was written over them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from hub.store import records as r
from hub.store.fsck.image import Image
from hub.store.records import DamagedError, QueueRecord

AT_ONCE = 1 << 20
_DECODERS: dict[bytes, msgspec.msgpack.Decoder[Any]] = {
    r.PAGE: r.pages,
    r.QUEUE: r.queues,
    r.LETTER: r.letters,
    r.OUTGOING: r.outgoings,
    r.RANGE: r.ranges,
}


class Found(NamedTuple):
    """A record with the right checksum, and where it lies."""

    kind: bytes
    offset: int
    length: int
    content: Any


def scan(image: Image) -> Iterator[Found]:
    """All of them. What lies within a record, a body that is the copy of another store, say, is none."""
    at = 0
    while at < image.size:
        chunk = image.read(at, AT_ONCE)
        place = chunk.find(r.MARK)
        after = len(chunk) - len(r.MARK) + 1
        while place >= 0:
            found = _record(image, at + place)
            if found is not None:
                yield found
            after = max(after, place + (found.length if found else 1))
            place = chunk.find(r.MARK, place + (found.length if found else 1))
        at += max(1, after)


def newest_queues(image: Image) -> dict[int, QueueRecord]:
    """Of each queue, by its number, the newest record that can be found."""
    newest: dict[int, QueueRecord] = {}
    for found in scan(image):
        if found.kind == r.QUEUE:
            known = newest.get(found.content.number)
            if known is None or _age(found.content) > _age(known):
                newest[found.content.number] = found.content
    return newest


def _age(record: QueueRecord) -> tuple[float, int]:
    """A queue that was deleted may have left its number to another."""
    return record.created_at, record.commit


def _record(image: Image, offset: int) -> Found | None:
    head = image.read(offset, r.HEAD_SIZE)
    length = r.sealed_size(head)
    kind = head[4:5]
    kind = r.FORMER.get(kind, kind)
    if not length or offset + length > image.size or kind not in _DECODERS:
        return None
    if length > AT_ONCE and not _sums_up(image, offset, length):
        return None
    try:
        return Found(kind, offset, length, r.unseal(kind, _DECODERS[kind], image.read(offset, length)))
    except DamagedError:
        return None


def _sums_up(image: Image, offset: int, length: int) -> bool:
    """Whether the checksum is right: a damaged length must not cost the memory that it speaks of."""
    checksum = 0
    for at in range(offset + r.HEAD_SIZE, offset + length, AT_ONCE):
        checksum = zlib.crc32(image.read(at, min(AT_ONCE, offset + length - at)), checksum)
    return checksum == int.from_bytes(image.read(offset + 5, 4), "little")
