"""JSON as Python writes it, including ``NaN``, ``Infinity`` and half surrogate pairs.

Standard JSON lacks these, and strict decoders refuse them; fedmsg and fedora-messaging send and accept them. So texts
that the fast strict decoder refuses are passed to Python's own.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

_decode = msgspec.json.Decoder().decode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
NO_JSON = (msgspec.DecodeError, ValueError, RecursionError)
"""Errors that these functions raise for a text that is not JSON, or is nested too deeply."""


def read(raw: bytes) -> Any:
    """Decode a text. :raises NO_JSON: not even Python's decoder accepts it."""
    try:
        return _decode(raw)
    except NO_JSON:
        return read_leniently(raw)


def read_leniently(raw: bytes) -> Any:
    """Decode a text that the strict decoder refused."""
    return json.loads(raw.decode())  # decoded here: for bytes the library guesses encodings other than UTF-8


def is_strict(raw: bytes) -> bool:
    """True if every JSON decoder accepts the text, a browser's too."""
    try:
        _decode(raw)
    except NO_JSON:
        return False
    return True


def read_or_text(raw: bytes) -> Any:
    """Decode a text that every JSON decoder accepts; any other is returned as it is, as far as it is UTF-8."""
    try:
        return _decode(raw)
    except NO_JSON:
        return raw.decode("utf-8", "replace")


def write(value: object) -> bytes:
    """Encode a value without spaces, keys in their order. Values beyond standard JSON are written as by Python's
    encoder.

    :raises TypeError: the value can't be encoded. :raises ValueError: it contains itself.
    """
    try:
        raw = msgspec.json.encode(value)
    except UnicodeEncodeError:  # half a surrogate pair
        return _write_leniently(value)
    # The fast encoder writes null for NaN and for Infinity.
    return _write_leniently(value) if b"null" in raw else raw


def _write_leniently(value: object) -> bytes:
    return json.dumps(msgspec.to_builtins(value), separators=(",", ":")).encode("ascii")


def canonical(raw: bytes) -> bytes:
    """Canonical form of a text, equal for equal values: keys sorted, no spaces, each number and text in one form. A
    text that is not JSON is returned as it is."""
    try:
        return _encode_sorted(_decode(raw))
    except (*NO_JSON, UnicodeEncodeError):
        pass
    try:
        return json.dumps(read_leniently(raw), sort_keys=True).encode("ascii")
    except NO_JSON:
        return raw
