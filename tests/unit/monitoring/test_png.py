"""Images, one below the other."""

from __future__ import annotations

import struct
import zlib

import pytest

from hub.monitoring.png import SIGNATURE, _chunk, _chunks, stack

WIDTH = 3


def image(rows: list[bytes], kind: int = 2, width: int = WIDTH) -> bytes:
    """RGB rows; the top one by that filter, the others by Up."""
    packed, above = b"", bytes(len(rows[0]))
    for number, row in enumerate(rows):
        used = kind if number == 0 else 2
        packed += bytes([used]) + bytes((now - _predicted(used, row, above, at)) & 255 for at, now in enumerate(row))
        above = row
    header = struct.pack("!IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(packed)) + _chunk(b"IEND", b"")
    return SIGNATURE + chunks


def _predicted(kind: int, row: bytes, above: bytes, at: int) -> int:
    left = row[at - 3] if at >= 3 else 0
    return {0: 0, 1: left, 2: above[at], 3: (left + above[at]) // 2, 4: left}[kind]


def pixels(png: bytes) -> list[bytes]:
    """Rows filtered by None or Up only, as ours are."""
    data, size = zlib.decompress(_chunks(png)[b"IDAT"]), 3 * WIDTH + 1
    rows: list[bytes] = []
    for start in range(0, len(data), size):
        kind, row = data[start], data[start + 1 : start + size]
        above = rows[-1] if rows and kind == 2 else bytes(len(row))
        rows.append(bytes((a + b) & 255 for a, b in zip(row, above, strict=True)))
    return rows


@pytest.mark.parametrize("kind", range(5))
def test_every_pixel_is_kept_whatever_the_filter(kind: int) -> None:
    first = [bytes(range(10, 19)), bytes(range(200, 209))]
    second = [bytes([7, 250, 3, 9, 9, 9, 100, 0, 255]), bytes(9), bytes(range(9))]
    stacked = stack([image(first), image(second, kind)])
    assert struct.unpack("!II", _chunks(stacked)[b"IHDR"][:8]) == (WIDTH, 5)
    assert pixels(stacked) == first + second


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValueError, match="differ in width"):
        stack([image([bytes(9)]), image([bytes(12)], width=4)])
    with pytest.raises(ValueError, match="not a PNG"):
        stack([b"GIF"])
