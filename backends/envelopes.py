"""Envelopes of fedmsg around published messages: their numbers, ids, time and user."""

from __future__ import annotations

import getpass
import itertools
import os
import time
import uuid
from collections.abc import Callable

import msgspec

from hub.backends.fedmsg import MAX_HEADERS_SIZE, MAX_TOPIC, check, is_msg_id, wrap
from hub.errors import CannotPublish
from hub.interfaces import Clock
from hub.message import NO_HEADERS, Message

WIDEST = 6
"""Bytes that one byte of the body takes at most in the envelope: those of an escape."""
ENVELOPE = WIDEST * (MAX_TOPIC + MAX_HEADERS_SIZE) + 4096
"""Bytes of the envelope at most, without the body."""
SHALLOW = 256
"""Brackets of a body up to which the encoder surely bears its nesting; a body with more is encoded as a trial."""
HIGHEST = 1 << 63
"""Highest number a message can have: checked with it, a message is never longer when it is sent."""


class Envelopes:
    """Maker of envelopes; it numbers them.

    :param most: bytes of an envelope at most. :param wall: returns epoch seconds.
    :param headers: whether envelopes hold the messages' headers; false for a bus with headers of its own.
    """

    def __init__(
        self, most: int, wall: Clock, new_uuid: Callable[[], uuid.UUID] = uuid.uuid4, headers: bool = True
    ) -> None:
        self._most = most
        self._wall = wall
        self._new_uuid = new_uuid
        self._headers = headers
        self._numbers = itertools.count(1)
        self._username = _username()

    def make(self, message: Message) -> bytes:
        """Make the envelope of a message. An id of fedmsg's form is kept, another one is replaced.

        :raises CannotPublish: the body is not JSON, the headers are not fit for it, or it is too large.
        """
        return self._make(self._enveloped(message), next(self._numbers))

    def check(self, message: Message) -> None:
        """Check that a message with a topic of :data:`MAX_TOPIC` bytes at most has an envelope. Any thread may call it.

        :raises CannotPublish: as :meth:`make`.
        """
        message = self._enveloped(message)
        opening = message.body.count(b"[") + message.body.count(b"{")
        if opening <= SHALLOW and len(message.body) * WIDEST + ENVELOPE <= self._most:
            check(message)
        else:
            self._make(message, HIGHEST)

    def _enveloped(self, message: Message) -> Message:
        return message if self._headers else msgspec.structs.replace(message, headers=NO_HEADERS)

    def _make(self, message: Message, number: int) -> bytes:
        now = self._wall()
        msg_id = message.id if is_msg_id(message.id) else f"{time.gmtime(now).tm_year}-{self._new_uuid()}"
        body = wrap(message, number=number, msg_id=msg_id, timestamp=int(now), username=self._username)
        if len(body) > self._most:
            raise CannotPublish(f"it has {len(body)} bytes, and max_message_size is {self._most}")
        return body


def _username() -> str:
    """Operating system's user, as fedmsg sends it; the number of one without a name, as in containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
