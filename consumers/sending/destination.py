"""Destinations: where a message is sent, and the id of a sending."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from hub import Message


class Destination(msgspec.Struct, frozen=True):
    """A destination.

    :ivar address: all that a sender needs; it may be a secret, and is never shown.
    :ivar name: for people, and what rates and numbers are kept by: a host, a channel, a recipient.
    """

    address: str
    name: str


def sending_id(message: Message, destination: Destination) -> str:
    """The id of sending this message there, 48 letters and digits.

    It is the same for every attempt, also after a restart, and for a message that the bus brings twice. Buses repeat
    ids of messages that differ, so topic and body are part of it.
    """
    digest = sha256()
    for part in (message.id, message.topic, destination.address):
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    digest.update(message.body)
    return digest.hexdigest()[:48]
