"""Sends messages out."""

from __future__ import annotations

import getpass
import itertools
import os
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

import zmq

from hub.backends.zeromq.fedmsg import MAX_HEADERS_SIZE, check, is_msg_id, wrap
from hub.backends.zeromq.frames import MAX_TOPIC
from hub.backends.zeromq.settings import Config
from hub.errors import CannotPublish
from hub.interfaces import Clock
from hub.message import Message

WIDEST = 6
"""Bytes that the envelope takes at most for a byte of the body: an escape."""
ENVELOPE = WIDEST * (MAX_TOPIC + MAX_HEADERS_SIZE) + 4096
"""Bytes that it takes at most for all else."""
SHALLOW = 256
"""Brackets of a body whose nesting is no matter for the encoder; of others it is tried."""
HIGHEST = 1 << 63
"""No message has a higher number, so none is longer when it is sent."""


class Outlet(Protocol):
    """Where frames go: a socket, or several."""

    def send_multipart(self, frames: Sequence[bytes], flags: int, /) -> object:
        """As pyzmq's. :raises zmq.ZMQError: they were not taken."""


class Publisher:
    """Turns messages into frames of the configured format and sends them.

    :ivar published: sent; whether anybody listened is not known. :ivar failed: not sent.
    :param wall: epoch seconds, for the envelope.
    """

    def __init__(self, config: Config, wall: Clock, new_uuid: Callable[[], uuid.UUID] = uuid.uuid4) -> None:
        self.published = 0
        self.failed = 0
        self._config = config
        self._wall = wall
        self._new_uuid = new_uuid
        self._numbers = itertools.count(1)
        self._username = _username()

    def send(self, outlet: Outlet, message: Message, flags: int = zmq.NOBLOCK) -> None:
        """Send it. :raises CannotPublish: the format does not take it, it is too large, or there is no room."""
        try:
            topic, body = self._frames(message)
            outlet.send_multipart([topic, body], flags)
        except zmq.ZMQError as error:
            self.failed += 1
            raise CannotPublish(f"ZeroMQ did not take it: {error.strerror}") from error
        except CannotPublish:
            self.failed += 1
            raise
        self.published += 1

    def check(self, message: Message) -> None:
        """In any thread. :raises CannotPublish: ``send`` could not send it."""
        self._topic(message)
        size = len(message.body)
        if self._config.format == "fedmsg":
            opening = message.body.count(b"[") + message.body.count(b"{")
            if opening <= SHALLOW and size * WIDEST + ENVELOPE <= self._config.max_message_size:
                check(message)
                return
            size = len(self._envelope(message, HIGHEST))
        self._bounded(size)

    def _frames(self, message: Message) -> tuple[bytes, bytes]:
        topic = self._topic(message)
        raw = self._config.format == "raw"
        body = message.body if raw else self._envelope(message, next(self._numbers))
        self._bounded(len(body))
        return topic, body

    def _topic(self, message: Message) -> bytes:
        try:
            topic = message.topic.encode()
        except UnicodeEncodeError as error:
            raise CannotPublish("the topic can't be written as UTF-8") from error
        if not 0 < len(topic) <= MAX_TOPIC:
            raise CannotPublish(f"a topic has 1 to {MAX_TOPIC} bytes, this one has {len(topic)}")
        return topic

    def _bounded(self, size: int) -> None:
        if size > self._config.max_message_size:
            raise CannotPublish(f"it has {size} bytes, and max_message_size is {self._config.max_message_size}")

    def _envelope(self, message: Message, number: int) -> bytes:
        now = self._wall()
        msg_id = message.id if is_msg_id(message.id) else f"{time.gmtime(now).tm_year}-{self._new_uuid()}"
        return wrap(message, number=number, msg_id=msg_id, timestamp=int(now), username=self._username)


def _username() -> str:
    """The operating system's user, as fedmsg gives it; the number of one without a name, as in containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
