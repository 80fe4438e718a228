"""Rows of the archive, made of messages. Pure."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import UTC, datetime
from typing import Any

from hub.errors import NotJSON
from hub.message import HeaderValue, Message

AGENT_PLACES = (
    ("msg", "agent"),
    ("msg", "agent", "username"),
    ("msg", "user"),
    ("msg", "username"),
    ("msg", "owner"),
    ("msg", "commit", "username"),
    ("msg", "commit", "agent"),
    ("msg", "message", "agent"),
    ("msg", "event", "user", "login"),
    ("msg", "update", "user", "name"),
    ("msg", "update", "submitter"),
    ("msg", "update", "submitter", "name"),
    ("msg", "override", "submitter"),
    ("msg", "user", "username"),
    ("msg", "user", "name"),
    ("msg", "user_text"),
    ("msg", "sender", "login"),
    ("username",),
)
"""Paths in an envelope where publishers put the user, in order of preference; the last is the publisher's account."""
LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
LONGEST = 500
"""Characters of a text in an indexed column; longer ones are cut. An entry of PostgreSQL's B-tree has 2704 bytes."""
DEEPEST = 200
"""Nesting levels of a body that is stored as JSON. Python's encoder fails at about 1000, less the stack's depth."""


LARGEST_FLOAT = 1e16
"""Float from which Python, and so fedmsg's signature, writes an exponent, while jsonb stores an integer."""


def row_of(message: Message) -> dict[str, Any]:
    """Values of all columns but ``id``. A body that JSONB would alter is stored as bytes, too."""
    decoded = _decoded(message)
    body = decoded if _fits_json(message, decoded) else None
    envelope = decoded if isinstance(decoded, dict) else {}
    return {
        "digest": digest(message),
        "msg_id": _text(envelope.get("msg_id")),
        "topic": _storable(message.topic)[:LONGEST],
        "category": _storable(category(message.topic))[:LONGEST],
        "agent": agent(envelope),
        "timestamp": moment(envelope.get("timestamp"), message.received_at),
        "received_at": moment(message.received_at, 0.0),
        "source": _text(envelope.get("source_name")) or message.backend,
        "headers": {_storable(name): _storable_value(value) for name, value in message.headers.items()},
        "body": body,
        "raw": None if body is not None and _comes_back(body) else message.body,
    }


def plain_row(message: Message) -> dict[str, Any]:
    """Row that a database of any encoding and limits accepts: the body as bytes only, all texts in ASCII."""
    row = row_of(message)
    texts = {name: _ascii(value) for name, value in row.items() if isinstance(value, str)}
    headers = {
        _ascii(name): _ascii(value) if isinstance(value, str) else value for name, value in row["headers"].items()
    }
    return {**row, **texts, "headers": headers, "body": None, "raw": message.body}


def digest(message: Message) -> bytes:
    """SHA-256 over topic, headers and body, which a message shares with its redelivery.

    The id is not included, because a backend generates one if the publisher sets none; an id that the publisher sets
    is in the body. So two messages that share an id and differ are two rows. **The consequence:** two messages that are
    equal in every byte are one row, even if they were published twice on purpose; they look like a redelivery.
    """
    content = hashlib.sha256()
    headers = json.dumps(sorted(message.headers.items())).encode()
    for part in (message.topic.encode("utf-8", "surrogatepass"), headers, message.body):
        content.update(len(part).to_bytes(8, "big") + part)
    return content.digest()


def category(topic: str) -> str:
    """Fourth word of a topic, or the last of a shorter one: ``git`` for ``org.fedoraproject.prod.git.receive``."""
    words = topic.split(".")
    return words[3] if len(words) > 3 else words[-1]


def agent(envelope: dict[str, Any]) -> str | None:
    """User, from the first of :data:`AGENT_PLACES` that holds a text."""
    for place in AGENT_PLACES:
        value: Any = envelope
        for name in place:
            value = value.get(name) if isinstance(value, dict) else None
        if (found := _text(value)) is not None:
            return found
    return None


def moment(value: object, otherwise: float) -> datetime:
    """Time from epoch seconds or an ISO 8601 text (UTC unless it names a zone). ``otherwise``, in epoch seconds, if it
    is neither, before 1970, or out of a database's range."""
    seconds = _seconds_of_text(value) if isinstance(value, str) else value
    valid = isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 <= seconds < LATEST
    return datetime.fromtimestamp(seconds if valid else otherwise, tz=UTC)  # type: ignore[arg-type]


def _seconds_of_text(text: str) -> float | None:
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _decoded(message: Message) -> Any:
    try:
        return message.json()
    except NotJSON:
        return None


def _fits_json(message: Message, decoded: Any) -> bool:
    # PostgreSQL's jsonb has no NUL in a text; the bytes keep it. The escape is looked for, not the character: a body
    # that only writes about it goes to the bytes too, which loses nothing.
    return decoded is not None and b"\\u0000" not in message.body and _encodable(decoded, DEEPEST)


def _encodable(value: Any, levels: int) -> bool:
    """True if a value can be encoded as JSON: finite numbers, no half surrogate pairs, and not too deep."""
    if isinstance(value, dict):
        return levels > 0 and all(_whole(name) and _encodable(one, levels - 1) for name, one in value.items())
    if isinstance(value, list):
        return levels > 0 and all(_encodable(one, levels - 1) for one in value)
    if isinstance(value, str):
        return _whole(value)
    return math.isfinite(value) if isinstance(value, float) else True


def _whole(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _comes_back(value: Any) -> bool:
    """True if PostgreSQL's jsonb preserves a value: it turns ``1e+16`` into an integer, ``-0.0`` into 0.0."""
    if isinstance(value, dict):
        return all(map(_comes_back, value.values()))
    if isinstance(value, list):
        return all(map(_comes_back, value))
    if isinstance(value, float):
        return abs(value) < LARGEST_FLOAT and (value != 0 or math.copysign(1, value) > 0)
    return True


def _text(value: object) -> str | None:
    return _storable(value)[:LONGEST] if isinstance(value, str) and value else None


def _storable(text: str) -> str:
    """Text without NUL, which PostgreSQL does not allow, and without half surrogate pairs, which can't be encoded."""
    return text.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()


def _storable_value(value: HeaderValue) -> HeaderValue:
    return _storable(value) if isinstance(value, str) else value


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()[:LONGEST]
