"""Properties with headers that are floats, which pika reads and does not write. Needs the extra ``amqp``."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import pika
from pika.data import encode_value

from hub.message import HeaderValue

_EMPTY = struct.pack(">I", 0)


class FloatProperties(pika.BasicProperties):  # type: ignore[misc]
    """Properties whose headers this class encodes itself."""

    def encode(self) -> list[bytes]:
        """Encode all else by pika, with an empty table for the headers, and put theirs in its place."""
        headers: Mapping[str, HeaderValue] = self.headers
        self.headers: Any = {}
        try:
            pieces: list[bytes] = super().encode()
        finally:
            self.headers = headers
        pieces[pieces.index(_EMPTY)] = _table(headers)
        return pieces


def _table(headers: Mapping[str, HeaderValue]) -> bytes:
    pieces: list[Any] = []
    for name, value in headers.items():
        encoded = name.encode()
        pieces += [bytes([len(encoded)]), encoded]
        if isinstance(value, float):
            pieces.append(struct.pack(">cd", b"d", value))
        else:
            encode_value(pieces, value)
    table = b"".join(pieces)
    return struct.pack(">I", len(table)) + table
