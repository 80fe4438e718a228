"""Publisher: the user of the connection that sends. A message is published when its RECEIPT has come."""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from hub.backends.envelopes import Envelopes
from hub.backends.failover import Failover
from hub.backends.stomp.client_connection import Connection
from hub.backends.stomp.client_errors import error_text, is_passing
from hub.backends.stomp.client_message import send_headers
from hub.backends.stomp.client_settings import Config
from hub.backends.stomp.frame import Frame, encode
from hub.errors import CannotPublish, Unavailable
from hub.message import Message

MOST_LOSSES = 10
"""Connections that end, one after the other, while nothing but the same message is unconfirmed. ActiveMQ ends a
connection without an ERROR on some messages (a ``priority`` that is no number)."""


class Sending(msgspec.Struct, eq=False):
    """A message on its way. :ivar done: fires with the RECEIPT."""

    headers: dict[str, str]
    body: bytes
    done: Deferred[None]


class Publisher:
    """Sends messages, each with a receipt.

    RabbitMQ's ERROR frames do not say which message they are about, and end the connection. If several were
    unconfirmed, these are sent one at a time after it (a *trial*): then the next ERROR is about the one that is.

    :param envelopes: made around bodies; ``None``: bodies are sent as they are.
    :ivar link: the failover whose connection it uses; set before the start.
    :ivar published: messages that the broker has confirmed. :ivar failed: messages that were not.
    """

    link: Failover[Connection]

    def __init__(self, config: Config, envelopes: Envelopes | None = None) -> None:
        self.published = self.failed = 0
        self._config = config
        self._envelopes = envelopes
        self._numbers = 0
        self._unconfirmed: dict[str, Sending] = {}
        self._waiting: deque[Sending] = deque()
        self._trial = 0
        self._lone_losses = 0

    def start(self) -> None:
        """Connect."""
        self.link.start()

    def publish(self, message: Message) -> Deferred[None]:
        """Send a message.

        :raises CannotPublish: it can never be sent. :raises Unavailable: there is no connection. The Deferred may fail
            with either.
        """
        try:
            headers = send_headers(message, self._config)
            body = message.body if self._envelopes is None else self._envelopes.make(message)
            if self.link.connection is None:
                raise Unavailable(f"no connection to a broker: {self.link.error}")
        except (CannotPublish, Unavailable):
            self.failed += 1
            raise
        sending = Sending(headers, body, Deferred())
        self._waiting.append(sending)
        self._send_some(self.link.connection)
        return sending.done

    def _send_some(self, connection: Connection) -> None:
        while self._waiting and not (self._trial and self._unconfirmed):
            sending = self._waiting.popleft()
            self._numbers += 1
            receipt = str(self._numbers)
            self._unconfirmed[receipt] = sending
            connection.write(encode("SEND", {**sending.headers, "receipt": receipt}, sending.body, connection.version))

    # -- the connection; see :class:`~hub.backends.stomp.client_connection.User`

    def opened(self, connection: Connection) -> None:
        """It can be used at once."""
        self.link.established()

    def received(self, frames: list[Frame]) -> None:
        """Confirm messages."""
        confirmed = [self._unconfirmed.pop(frame.headers.get("receipt-id", ""), None) for frame in frames]
        for sending in confirmed:
            if sending is None:
                continue
            self.published += 1
            self._trial = max(0, self._trial - 1)
            self._lone_losses = 0
            sending.done.callback(None)
        if self.link.connection is not None:
            self._send_some(self.link.connection)

    def lost(self, reason: str, error: Frame | None) -> None:
        """Fail what is unconfirmed: most of it for now; the message that the ERROR was about, perhaps for ever."""
        unconfirmed, self._unconfirmed = self._unconfirmed, {}
        waiting, self._waiting = self._waiting, deque()
        culprit = self._culprit(unconfirmed, error)
        verdict = self._verdict(reason, error) if culprit is not None else None
        self._trial = 0 if verdict is not None else len(unconfirmed)
        for sending in (*unconfirmed.values(), *waiting):
            self.failed += 1
            refused = verdict is not None and sending is culprit
            sending.done.errback(verdict if refused else Unavailable(reason))

    def _culprit(self, unconfirmed: dict[str, Sending], error: Frame | None) -> Sending | None:
        """The message that the end of the connection was about, if that is known."""
        named = unconfirmed.get(error.headers.get("receipt-id", "")) if error is not None else None
        if named is not None:
            return named
        return next(iter(unconfirmed.values())) if len(unconfirmed) == 1 else None

    def _verdict(self, reason: str, error: Frame | None) -> CannotPublish | None:
        """The reason why the broker never accepts the message; ``None``: it may accept it later."""
        if error is not None:
            text = error_text(error)
            return None if is_passing(text) else CannotPublish(f"the broker refuses it: {text}")
        self._lone_losses += 1
        if self._lone_losses < MOST_LOSSES:
            return None
        self._lone_losses = 0
        return CannotPublish(f"the connection ended {MOST_LOSSES} times while it was sent: {reason}")

    def status(self) -> dict[str, Any]:
        """Counters."""
        return {"published": self.published, "publish_failed": self.failed}
