"""fedmsg's envelope: a JSON object around the payload, with keys sorted, no spaces, and nothing beyond ASCII.

Seen on the wire of fedmsg 1.1.7; see https://fedmsg.readthedocs.io/en/stable/ for the fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from hub.errors import CannotPublish
from hub.message import NO_HEADERS, Message
from hub.text import encodable

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_MSG_ID = re.compile(r"\d{4}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


MAX_HEADERS, MAX_HEADERS_SIZE = 64, 8192
"""How many, and how many bytes of JSON: they are held beside the body that they are a part of."""
NONE = msgspec.Raw(b"{}")


class Envelope(msgspec.Struct, gc=False):
    """What the hub itself reads of an envelope. Other fields are only checked to be JSON, at a third of the cost."""

    msg_id: str | None = None
    seq_id: int | None = None
    headers: msgspec.Raw = NONE


class Signer(msgspec.Struct, gc=False):
    """What tells publishers apart, read only of messages with a ``seq_id``."""

    username: str | None = None
    certificate: str | None = None
    i: int | None = None
    """How many messages its process had sent by then."""


_headers = msgspec.json.Decoder(dict[str, str]).decode
_anything = msgspec.json.Decoder(dict[str, Any]).decode


def headers_of(raw: msgspec.Raw) -> Mapping[str, str]:
    """Those of an envelope's ``headers`` that are text. None where it is no object, or too large: as on the buses that
    have headers of their own, they help, and a message is as good without them."""
    content = memoryview(raw)
    if len(content) > MAX_HEADERS_SIZE:
        return NO_HEADERS
    try:
        headers = _headers(content)
    except msgspec.ValidationError:
        headers = _texts(content)
    except _UNREADABLE:
        return NO_HEADERS
    return headers if 0 < len(headers) <= MAX_HEADERS else NO_HEADERS


def _texts(content: memoryview) -> dict[str, str]:
    try:
        found = _anything(content)
    except _UNREADABLE:
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def lenient_envelope(content: Mapping[str, Any]) -> Envelope:
    """Of a body that only Python's decoder takes: what the hub reads of it, without half surrogate pairs."""
    msg_id, number, headers = content.get("msg_id"), content.get("seq_id"), content.get("headers")
    texts = headers.items() if isinstance(headers, dict) else ()
    kept = {encodable(name): encodable(value) for name, value in texts if isinstance(value, str)}
    return Envelope(
        encodable(msg_id) if isinstance(msg_id, str) else None,
        number if isinstance(number, int) and not isinstance(number, bool) else None,
        msgspec.Raw(msgspec.json.encode(kept)),
    )


def is_msg_id(text: str) -> bool:
    """Whether it is of fedmsg's form, ``YEAR-uuid``."""
    return _MSG_ID.fullmatch(text) is not None


def wrap(message: Message, *, number: int, msg_id: str, timestamp: int, username: str) -> bytes:
    """The body to send for a message whose own body is the payload.

    :param number: ``i``, the publisher's count of its messages.
    :param timestamp: epoch seconds.
    :raises CannotPublish: the body is not JSON, or the headers are not text, or too many. Met by the publisher.
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
    """What ``wrap`` would say of it. :raises CannotPublish: as that does."""
    try:
        message.json()
        if message.headers:
            _checked(message.headers)
    except (ValueError, RecursionError) as error:
        raise CannotPublish(f"fedmsg's format takes JSON only: {error}") from error


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    """What no receiver would take is told to who sends it."""
    if not all(isinstance(text, str) for pair in headers.items() for text in pair):
        raise CannotPublish("fedmsg's format takes headers of text only")
    if len(headers) > MAX_HEADERS or len(json.dumps(headers)) > MAX_HEADERS_SIZE:
        raise CannotPublish(f"fedmsg's format takes {MAX_HEADERS} headers, of {MAX_HEADERS_SIZE} bytes in all")
    for text in (*headers, *headers.values()):
        text.encode()
    return dict(headers)
