"""Messages of a bus that can't become messages of the hub."""

from __future__ import annotations

import msgspec

from hub.message import Message

SHOWN = 1024
"""Bytes that are kept of an unusable body."""


class Unusable(Exception):
    """What a bus brought can't become a message of the hub.

    :ivar kind: counted under this name. :ivar message: the message as far as it can be shown.
    """

    def __init__(self, kind: str, reason: str, message: Message) -> None:
        super().__init__(reason)
        self.kind = kind
        self.message = message

    @property
    def shown(self) -> Message:
        """The message with the beginning of its body."""
        return msgspec.structs.replace(self.message, body=self.message.body[:SHOWN])
