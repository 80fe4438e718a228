"""From a message to a row. Pure."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import UTC, datetime
from typing import Any

from hub.errors import NotJSON
from hub.message import Message

AGENT_PLACES = (
    ("msg", "agent"),
    ("msg", "user"),
    ("msg", "username"),
    ("msg", "owner"),
    ("msg", "commit", "username"),
    ("msg", "update", "user", "name"),
    ("msg", "user", "username"),
    ("msg", "user", "name"),
    ("username",),
)
"""Where publishers put the user, the most telling first; the last is the publisher's own account."""
LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def row_of(message: Message) -> dict[str, Any]:
    """The values of all columns but ``id``."""
    body = _json(message)
    envelope = body if isinstance(body, dict) else {}
    msg_id = envelope.get("msg_id")
    return {
        "digest": digest(message),
        "msg_id": _storable(msg_id) if isinstance(msg_id, str) else None,
        "topic": _storable(message.topic),
        "category": _storable(category(message.topic)),
        "agent": agent(envelope),
        "timestamp": _moment(envelope.get("timestamp"), message.received_at),
        "received_at": _moment(message.received_at, 0.0),
        "source": message.backend,
        "headers": {_storable(name): _storable(value) for name, value in message.headers.items()},
        "body": body,
        "raw": message.body if body is None else None,
    }


def digest(message: Message) -> bytes:
    """What a message has in common with its redelivery: topic, headers and body, byte for byte.

    The id is not in it, because a backend makes one up where the publisher gave none; where the publisher gave one, it
    is in the body. So two messages that share an id and differ are two rows, and two that are equal in every byte are
    one.
    """
    content = hashlib.sha256()
    for part in (message.topic.encode(), json.dumps(sorted(message.headers.items())).encode(), message.body):
        content.update(len(part).to_bytes(8, "big") + part)
    return content.digest()


def category(topic: str) -> str:
    """``git`` for ``org.fedoraproject.prod.git.receive``: the fourth word, or else the last."""
    words = topic.split(".")
    return words[3] if len(words) > 3 else words[-1]


def agent(envelope: dict[str, Any]) -> str | None:
    """The user, from the first of :data:`AGENT_PLACES` that holds a text."""
    for place in AGENT_PLACES:
        value: Any = envelope
        for name in place:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str) and value:
            return _storable(value)
    return None


def _json(message: Message) -> Any:
    """The body as the database can hold it as JSON, or ``None``: then it is kept as bytes."""
    try:
        body = message.json()
    except NotJSON:
        return None
    # PostgreSQL's jsonb has no NUL in a text, and no number beyond its numeric; both are legal JSON.
    return None if b"\\u0000" in message.body or not _finite(body) else body


def _finite(value: Any) -> bool:
    """Whether all numbers are such as JSON can be written from again."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    return all(map(_finite, value)) if isinstance(value, list) else True


def _moment(value: Any, otherwise: float) -> datetime:
    valid = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < LATEST
    return datetime.fromtimestamp(value if valid else otherwise, tz=UTC)


def _storable(text: str) -> str:
    """PostgreSQL's text has no NUL, and nobody can encode half a surrogate pair."""
    return text.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()
