"""Messages of a bus that can't become messages of the hub."""

from __future__ import annotations

import logging

import msgspec

from hub.backends.bounds import MOST_HEADERS, MOST_ID, MOST_TOPIC
from hub.headers import size_of
from hub.message import NO_HEADERS, Message
from hub.text import encodable, printable

SHOWN = 1024
"""Bytes that are kept of an unusable body."""
MOST_TOLD = 300
"""Characters of an unexpected error that are shown."""


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
        """The message with the beginning of its body, topic and id, and with its headers unless they are too large."""
        made = self.message
        headers = made.headers if size_of(made.headers) <= MOST_HEADERS else NO_HEADERS
        start = {"id": made.id[:MOST_ID], "topic": made.topic[:MOST_TOPIC], "body": made.body[:SHOWN]}
        return msgspec.structs.replace(made, headers=headers, **start)


def _told(error: Exception) -> str:
    return printable(f"{type(error).__name__}: {encodable(str(error)[:MOST_TOLD])}")


def unread(error: Exception, message: Message, log: logging.LoggerAdapter[logging.Logger] | logging.Logger) -> Unusable:
    """Refuse a message on which a format has failed unexpectedly: it must cost no other one. It is logged as a bug, and
    counted as ``internal_error``. :param message: as far as it is known."""
    made = Unusable("internal_error", f"the hub failed on it: {_told(error)}", message)
    log.error("internal error, a message is refused: %s", made, exc_info=error, extra={"action": "bug"})
    return made
