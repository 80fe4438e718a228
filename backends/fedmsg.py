"""fedmsg's envelope: a JSON object around the payload, with sorted keys, without spaces, in ASCII.

Seen on the wire of fedmsg 1.1.7; see https://fedmsg.readthedocs.io/en/stable/ for the fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from hub import jsontext
from hub.errors import CannotPublish
from hub.headers import are_values, checked, is_value
from hub.message import NO_HEADERS, Headers, HeaderValue, Message
from hub.text import encodable

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Errors of the strict decoder. :func:`read_odd` may still read such a body."""
_MSG_ID = re.compile(r"\d{4}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

MAX_TOPIC = 1024
"""Bytes of a topic at most. fedmsg's are under 100; topics are keys of caches and columns of databases."""
MAX_ID = 256
"""Characters of a ``msg_id`` at most; a longer one is not used."""

MAX_HEADERS, MAX_HEADERS_SIZE = 64, 8192
"""Number of headers at most, and their bytes of JSON: they are kept in memory beside the body that contains them."""
NONE = msgspec.Raw(b"{}")


class Envelope(msgspec.Struct, gc=False):
    """Fields of an envelope that the hub reads. Others are only checked to be JSON, at a third of the cost."""

    msg_id: str | None = None
    seq_id: int | None = None
    headers: msgspec.Raw = NONE
    topic: str | None = None


class Raw(msgspec.Struct):
    """Envelope with fields of any type, for bodies in which one has an unexpected type."""

    msg_id: msgspec.Raw = msgspec.Raw(b"null")
    seq_id: msgspec.Raw = msgspec.Raw(b"null")
    headers: msgspec.Raw = NONE
    topic: msgspec.Raw = msgspec.Raw(b"null")


class Signer(msgspec.Struct, gc=False):
    """Fields that identify a publisher, read only of messages with a ``seq_id``."""

    username: str | None = None
    certificate: str | None = None
    i: int | None = None
    """Number of messages that its process had sent by then."""


class NoEnvelope(Exception):
    """A body is no envelope.

    :ivar kind: ``not_json`` or ``not_an_object``; malformed input is counted by it. :ivar what: the same in words.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.what = kind.replace("_", " ").replace("json", "JSON").replace("object", "object of JSON")


T = TypeVar("T")
decode_strictly = msgspec.json.Decoder(Envelope).decode
"""Decodes the envelope of a valid body. It does not look into texts that it skips: these may be no UTF-8."""
_raw = msgspec.json.Decoder(Raw).decode
_structure = msgspec.json.Decoder(msgspec.Raw).decode
_text = msgspec.json.Decoder(str).decode
_whole = msgspec.json.Decoder(int).decode
_headers = msgspec.json.Decoder(dict[str, HeaderValue]).decode
_anything = msgspec.json.Decoder(dict[str, Any]).decode


def read(body: bytes) -> Envelope:
    """Read the envelope of a body. :raises NoEnvelope: it is not JSON, or no object."""
    try:
        envelope = decode_strictly(body)
        if not body.isascii():
            body.decode()
    except UNREADABLE:
        return read_odd(body)
    return envelope


def read_odd(body: bytes) -> Envelope:
    """Read the envelope of a body that the strict decoder rejects: a field has an unexpected type, and is left out, or
    only Python's decoder accepts the JSON.

    :raises NoEnvelope: it is not JSON, or no object.
    """
    try:
        body.decode()
        _structure(body)
    except UNREADABLE:
        return _lenient(body)
    try:
        odd = _raw(body)
    except msgspec.ValidationError as error:
        raise _no_object(body) from error
    return Envelope(_field(_text, odd.msg_id), _field(_whole, odd.seq_id), odd.headers, _field(_text, odd.topic))


def _lenient(body: bytes) -> Envelope:
    try:
        content = jsontext.read_leniently(body)
    except jsontext.NO_JSON as error:
        raise NoEnvelope("not_json", str(error)) from error
    if isinstance(content, dict):
        return _lenient_envelope(content)
    raise _no_object(body)


def _no_object(body: bytes) -> NoEnvelope:
    return NoEnvelope("not_an_object", f"it starts with {body[:20]!r}")


def _field(decode: Callable[[msgspec.Raw], T], raw: msgspec.Raw) -> T | None:
    """Field of one type; ``None`` if it has another. That value is not built, for it may be of any size."""
    try:
        return decode(raw)
    except UNREADABLE:
        return None


def headers_of(raw: msgspec.Raw) -> Headers:
    """Headers in an envelope that are texts, numbers or booleans; the others stay in the body only.

    An empty table if ``headers`` is not an object, or too large: as on buses with headers of their own, a message is
    valid without them.
    """
    content = memoryview(raw)
    if len(content) > MAX_HEADERS_SIZE:
        return NO_HEADERS
    try:
        headers = _headers(content)
    except msgspec.ValidationError:
        headers = _values(content)
    except UNREADABLE:
        return NO_HEADERS
    if not 0 < len(headers) <= MAX_HEADERS:
        return NO_HEADERS
    return headers if are_values(headers) else _only_values(headers)


def _only_values(headers: Mapping[str, Any]) -> dict[str, HeaderValue]:
    return {name: value for name, value in headers.items() if is_value(value)}


def _values(content: memoryview) -> dict[str, HeaderValue]:
    try:
        found = _anything(content)
    except UNREADABLE:
        return {}
    return _only_values(found)


def _lenient_envelope(content: Mapping[str, Any]) -> Envelope:
    """Envelope of a body that only Python's JSON decoder accepts. Half surrogate pairs in its texts become escapes."""
    msg_id, number, headers, topic = (content.get(name) for name in ("msg_id", "seq_id", "headers", "topic"))
    values = _only_values(headers).items() if isinstance(headers, dict) else ()
    kept = {encodable(name): encodable(value) if isinstance(value, str) else value for name, value in values}
    return Envelope(
        encodable(msg_id) if isinstance(msg_id, str) else None,
        number if isinstance(number, int) and not isinstance(number, bool) else None,
        msgspec.Raw(msgspec.json.encode(kept)),
        encodable(topic) if isinstance(topic, str) else None,
    )


def is_msg_id(text: str) -> bool:
    """True if an id has fedmsg's form, ``YEAR-uuid``."""
    return _MSG_ID.fullmatch(text) is not None


def wrap(message: Message, *, number: int, msg_id: str, timestamp: int, username: str) -> bytes:
    """Encode the envelope around a message's body.

    :param number: ``i``, the publisher's count of its messages.
    :param timestamp: epoch seconds.
    :raises CannotPublish: the body is not JSON, the headers can't be written as JSON, or there are too many.
    """
    try:
        envelope: dict[str, Any] = {
            "i": number,
            "msg": message.json(),
            "msg_id": msg_id,
            "timestamp": timestamp,
            "topic": message.topic,
            "username": username,
        }
        if message.headers:
            envelope["headers"] = _checked(message.headers)
        return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode("ascii")
    except (ValueError, RecursionError) as error:
        raise CannotPublish(f"fedmsg's format takes JSON only: {error}") from error


def check(message: Message) -> None:
    """Check that ``wrap`` accepts a message. :raises CannotPublish: as ``wrap``."""
    try:
        message.json()
        if message.headers:
            _checked(message.headers)
    except (ValueError, RecursionError) as error:
        raise CannotPublish(f"fedmsg's format takes JSON only: {error}") from error


def _checked(headers: Headers) -> Headers:
    """Headers, checked against the limits of a receiver. :raises CannotPublish: a receiver would ignore them."""
    try:
        exact = checked(headers)
    except (TypeError, ValueError) as error:
        raise CannotPublish(f"fedmsg's format does not take these headers: {error}") from error
    if len(headers) > MAX_HEADERS or len(json.dumps(headers)) > MAX_HEADERS_SIZE:
        raise CannotPublish(f"fedmsg's format takes {MAX_HEADERS} headers, of {MAX_HEADERS_SIZE} bytes in all")
    return exact
