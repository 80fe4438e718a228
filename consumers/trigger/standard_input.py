"""What a command reads."""

from __future__ import annotations

from typing import Literal

from hub import jsontext
from hub.message import Message

Input = Literal["body", "message", "nothing"]


def standard_input(message: Message, kind: Input) -> bytes:
    """Return the bytes that a command reads for a message. ``message``: one line of JSON, as ``hubbub tail --json``
    prints it, with ``backend`` and ``headers``; a body that is not JSON is a text in it."""
    if kind == "nothing":
        return b""
    if kind == "body":
        return message.body
    row = {
        "topic": message.topic,
        "id": message.id,
        "received_at": message.received_at,
        "backend": message.backend,
        "headers": dict(message.headers),
        "body": jsontext.read_or_text(message.body),
    }
    return jsontext.write(row) + b"\n"
