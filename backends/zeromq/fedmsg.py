"""fedmsg's envelope: a JSON object around the payload, with keys sorted, no spaces, and nothing beyond ASCII.

Seen on the wire of fedmsg 1.1.7; see https://fedmsg.readthedocs.io/en/stable/ for the fields.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from hub.errors import CannotPublish
from hub.message import Message

_MSG_ID = re.compile(r"\d{4}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Envelope(msgspec.Struct, gc=False):
    """What the hub itself reads of an envelope. Other fields are only checked to be JSON, at a third of the cost."""

    msg_id: str | None = None
    seq_id: int | None = None


class Signer(msgspec.Struct, gc=False):
    """What tells publishers apart, read only of messages with a ``seq_id``."""

    username: Any = None
    certificate: Any = None


def is_msg_id(text: str) -> bool:
    """Whether it is of fedmsg's form, ``YEAR-uuid``."""
    return _MSG_ID.fullmatch(text) is not None


def wrap(message: Message, *, number: int, msg_id: str, timestamp: int, username: str) -> bytes:
    """The body to send for a message whose own body is the payload.

    :param number: ``i``, the publisher's count of its messages.
    :param timestamp: epoch seconds.
    :raises CannotPublish: the body is not JSON. Met by the publisher.
    """
    try:
        envelope = {
            "i": number,
            "msg": message.json(),
            "msg_id": msg_id,
            "timestamp": timestamp,
            "topic": message.topic,
            "username": username,
        }
        return json.dumps(envelope, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
    except (ValueError, RecursionError) as error:
        raise CannotPublish(f"fedmsg's format takes JSON only: {error}") from error
