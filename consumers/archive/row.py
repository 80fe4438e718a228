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
"""Where publishers put the user, the most telling first; the last is the publisher's own account."""
LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
LONGEST = 500
"""Characters of a text in an indexed column: an entry of PostgreSQL's B-tree holds 2704 bytes. The rest is cut off."""
DEEPEST = 200
"""Levels of a body that is kept as JSON: Python's encoder gives up at about a thousand, less what is on the stack."""


LARGEST_FLOAT = 1e16
"""From here on Python, and so fedmsg's signature, writes a float with an exponent; jsonb keeps an integer instead."""


def row_of(message: Message) -> dict[str, Any]:
    """The values of all columns but ``id``. A body that JSONB would alter is there as bytes, too."""
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
        "headers": {_storable(name): _storable(value) for name, value in message.headers.items()},
        "body": body,
        "raw": None if body is not None and _comes_back(body) else message.body,
    }


def plain_row(message: Message) -> dict[str, Any]:
    """A row that a database takes whatever its encoding and its limits: the body as bytes alone, all texts in ASCII."""
    row = row_of(message)
    texts = {name: _ascii(value) for name, value in row.items() if isinstance(value, str)}
    headers = {_ascii(name): _ascii(value) for name, value in row["headers"].items()}
    return {**row, **texts, "headers": headers, "body": None, "raw": message.body}


def digest(message: Message) -> bytes:
    """What a message has in common with its redelivery: SHA-256 over topic, headers and body, byte for byte.

    The id is not in it, because a backend makes one up where the publisher gave none; where the publisher gave one, it
    is in the body. So two messages that share an id and differ are two rows. **The consequence:** two messages that are
    equal in every byte are one row, even if they were published twice on purpose; nothing tells them from a redelivery.
    """
    content = hashlib.sha256()
    headers = json.dumps(sorted(message.headers.items())).encode()
    for part in (message.topic.encode("utf-8", "surrogatepass"), headers, message.body):
        content.update(len(part).to_bytes(8, "big") + part)
    return content.digest()


def category(topic: str) -> str:
    """``git`` for ``org.fedoraproject.prod.git.receive``: the fourth word, or, of a shorter topic, the last."""
    words = topic.split(".")
    return words[3] if len(words) > 3 else words[-1]


def agent(envelope: dict[str, Any]) -> str | None:
    """The user, from the first of :data:`AGENT_PLACES` that holds a text."""
    for place in AGENT_PLACES:
        value: Any = envelope
        for name in place:
            value = value.get(name) if isinstance(value, dict) else None
        if (found := _text(value)) is not None:
            return found
    return None


def moment(value: object, otherwise: float) -> datetime:
    """From epoch seconds or an ISO 8601 text (UTC unless it names a zone); ``otherwise`` where it is neither, before
    1970, or beyond what a database can hold."""
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
    """Whether JSON can be written from it again: numbers finite, no half of a surrogate pair, and not too deep."""
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
    """Whether PostgreSQL's jsonb gives back what Python wrote: it makes an integer of ``1e+16``, 0.0 of ``-0.0``."""
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
    """PostgreSQL's text has no NUL, and nobody can encode half a surrogate pair."""
    return text.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()[:LONGEST]
