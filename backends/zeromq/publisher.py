"""Publisher: encodes messages into frames and sends them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

import zmq

from hub.backends.envelopes import Envelopes
from hub.backends.fedmsg import MAX_TOPIC
from hub.backends.zeromq.settings import Config
from hub.errors import CannotPublish, Unavailable
from hub.interfaces import Clock
from hub.message import Message


class Outlet(Protocol):
    """Destination of frames: one socket, or several."""

    def send_multipart(self, frames: Sequence[bytes], flags: int, /) -> object:
        """Send frames, as pyzmq's method of that name. :raises zmq.ZMQError: they were not accepted."""


class Publisher:
    """Publisher of messages as frames in the configured format.

    :ivar published: messages sent, received by a subscriber or not. :ivar failed: messages not sent.
    :param wall: returns epoch seconds, for the envelope.
    """

    def __init__(self, config: Config, wall: Clock, new_uuid: Callable[[], uuid.UUID] = uuid.uuid4) -> None:
        self.published = 0
        self.failed = 0
        self._config = config
        self._envelopes = Envelopes(config.max_message_size, wall, new_uuid)

    def send(self, outlet: Outlet, message: Message, flags: int = zmq.NOBLOCK) -> None:
        """Send a message.

        :raises CannotPublish: the format does not allow it, or it is too large. :raises Unavailable: a socket's
            buffer is full.
        """
        try:
            topic, body = self._frames(message)
            outlet.send_multipart([topic, body], flags)
        except zmq.ZMQError as error:
            self.failed += 1
            raise Unavailable(f"ZeroMQ did not accept the message: {error.strerror}") from error
        except CannotPublish:
            self.failed += 1
            raise
        self.published += 1

    def check(self, message: Message) -> None:
        """Check that ``send`` could send a message. Any thread may call it. :raises CannotPublish: it could not."""
        self._topic(message)
        if self._config.format == "fedmsg":
            self._envelopes.check(message)
        else:
            self._bounded(len(message.body))

    def _frames(self, message: Message) -> tuple[bytes, bytes]:
        topic = self._topic(message)
        if self._config.format == "fedmsg":
            return topic, self._envelopes.make(message)
        self._bounded(len(message.body))
        return topic, message.body

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
