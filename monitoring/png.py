"""PNG images of one width, one below the other. Pure.

After the PNG specification (W3C, section 9): each row is filtered against the row above it, so of every image
but the first only the top row has to be written anew.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def stack(images: Sequence[bytes]) -> bytes:
    """One image of all. :raises ValueError: they differ in width or format, or are not plain 8-bit PNGs."""
    headers = [_chunks(image)[b"IHDR"] for image in images]
    width, _, *form = struct.unpack("!IIBBBBB", headers[0])
    if any(struct.unpack("!IIBBBBB", header)[0::2][0] != width or header[8:] != headers[0][8:] for header in headers):
        raise ValueError("the images differ in width or format")
    depth, color, _, _, interlaced = form
    if depth != 8 or interlaced or color == 3:
        raise ValueError("expected an image of 8 bits a channel, without a palette, not interlaced")
    height = sum(struct.unpack("!II", header[:8])[1] for header in headers)
    rows = b"".join(_with_plain_top(_chunks(image)[b"IDAT"], width, CHANNELS[color]) for image in images)
    header = struct.pack("!II", width, height) + headers[0][8:]
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")


def _chunks(image: bytes) -> dict[bytes, bytes]:
    if not image.startswith(SIGNATURE):
        raise ValueError("not a PNG image")
    chunks: dict[bytes, bytes] = {}
    for kind, content in _walk(image[len(SIGNATURE) :]):
        chunks[kind] = chunks.get(kind, b"") + content
    return chunks


def _walk(rest: bytes) -> Iterator[tuple[bytes, bytes]]:
    while len(rest) >= 12:
        (length,) = struct.unpack("!I", rest[:4])
        yield rest[4:8], rest[8 : 8 + length]
        rest = rest[12 + length :]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack("!I", len(content)) + kind + content + struct.pack("!I", zlib.crc32(kind + content))


def _with_plain_top(compressed: bytes, width: int, channels: int) -> bytes:
    rows = zlib.decompress(compressed)
    top = bytearray(rows[1 : 1 + width * channels])
    kind = rows[0]
    for at in range(channels, len(top)):
        left = top[at - channels]
        # Above the top row all is 0, so the Up filter changes nothing and Paeth predicts the left neighbour.
        top[at] = (top[at] + {0: 0, 1: left, 2: 0, 3: left // 2, 4: left}[kind]) & 0xFF
    return b"\0" + bytes(top) + rows[1 + width * channels :]
