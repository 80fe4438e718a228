"""Scans a file for sealed records: those in use, and former ones that are not overwritten yet."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from hub.store import records as r
from hub.store.fsck.image import Image
from hub.store.records import DamagedError

AT_ONCE = 1 << 20
_DECODERS: dict[bytes, msgspec.msgpack.Decoder[Any]] = {
    r.PAGE: r.pages,
    r.QUEUE: r.queues,
    r.LETTER: r.letters,
    r.OUTGOING: r.outgoings,
    r.RANGE: r.ranges,
}


class ScannedRecord(NamedTuple):
    """A record with a valid checksum, and its place in the file."""

    kind: bytes
    offset: int
    length: int
    content: Any


def scan(image: Image) -> Iterator[ScannedRecord]:
    """Yield all records, but none inside another one, such as in a body that is a copy of a store."""
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


def _record(image: Image, offset: int) -> ScannedRecord | None:
    head = image.read(offset, r.HEAD_SIZE)
    length = r.sealed_size(head)
    kind = head[4:5]
    kind = r.FORMER.get(kind, kind)
    if not length or offset + length > image.size or kind not in _DECODERS:
        return None
    if length > AT_ONCE and not _sums_up(image, offset, length):
        return None
    try:
        return ScannedRecord(kind, offset, length, r.unseal(kind, _DECODERS[kind], image.read(offset, length)))
    except DamagedError:
        return None


def _sums_up(image: Image, offset: int, length: int) -> bool:
    """True if the checksum is valid. Computed in chunks: a damaged length must not exhaust the memory."""
    checksum = 0
    for at in range(offset + r.HEAD_SIZE, offset + length, AT_ONCE):
        checksum = zlib.crc32(image.read(at, min(AT_ONCE, offset + length - at)), checksum)
    return checksum == int.from_bytes(image.read(offset + 5, 4), "little")
