"""JSON as publishers in Python write it: also with ``NaN``, ``Infinity`` and half surrogate pairs.

Standard JSON has none of these, and strict decoders refuse them; fedmsg and fedora-messaging send and take them. So
what the fast strict decoder refuses is given to Python's own.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

_decode = msgspec.json.Decoder().decode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
NO_JSON = (msgspec.DecodeError, ValueError, RecursionError)
"""What all of these functions raise for a text that is no JSON, or is nested too deeply."""


def read(raw: bytes) -> Any:
    """What it says. :raises NO_JSON: it is not JSON, not even as Python's decoder takes it."""
    try:
        return _decode(raw)
    except NO_JSON:
        return read_leniently(raw)


def read_leniently(raw: bytes) -> Any:
    """As ``read``, for a text that the strict decoder has refused."""
    return json.loads(raw.decode())  # decoded here: of bytes the library guesses other encodings than UTF-8


def is_strict(raw: bytes) -> bool:
    """Whether every JSON decoder takes it, a browser's too."""
    try:
        _decode(raw)
    except NO_JSON:
        return False
    return True


def write(value: object) -> bytes:
    """Without spaces, keys in their order. What standard JSON can't say is written as Python's encoder does it.

    :raises TypeError: the value can't be told as JSON. :raises ValueError: it contains itself.
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
    """Equal for two texts that say the same, however a relay has written them: keys sorted, no spaces, each number and
    text in one form. What is no JSON is left as it is."""
    try:
        return _encode_sorted(_decode(raw))
    except (*NO_JSON, UnicodeEncodeError):
        pass
    try:
        return json.dumps(read_leniently(raw), sort_keys=True).encode("ascii")
    except NO_JSON:
        return raw
