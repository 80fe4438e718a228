"""Publisher: the user of the connection that sends. A message is published when the broker has confirmed it."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from hub.backends.amqp.broker_text import reason_of
from hub.backends.amqp.connection import Connection
from hub.backends.amqp.formats import Format, Outgoing
from hub.backends.amqp.properties import check_frame
from hub.backends.amqp.settings import Config
from hub.backends.failover import Failover
from hub.backends.recent_refusal import RecentRefusal
from hub.backoff import Uniform, delay_after
from hub.errors import CannotPublish, HubError, PlaceUnavailable, Unavailable
from hub.interfaces import BackendContext
from hub.message import Message

NACKED = "the broker does not accept it (basic.nack): a queue may be full"
PASSING = frozenset({320, 403, 404, 405, 506, 541})
"""Reply codes that an operator or time can mend: a stop, rights, a missing exchange, a lock, resources, a fault of the
broker's own. With others a broker refuses the message itself, such as 406: it is larger than ``max_message_size``."""
REFUSED = 403
OF_A_TOPIC = "access to topic"
"""Part of RabbitMQ's words for a routing key that a user may not write to, in an exchange where he may write others."""
MOST_LOSSES = 10
"""Connections that end, one after the other, while nothing but the same message is unconfirmed. A broker ends one on a
frame that it can't read."""


class Sending(msgspec.Struct, eq=False):
    """A message on its way.

    :ivar done: fires with the broker's confirmation. :ivar returned: why it reached no queue; empty: it did.
    """

    outgoing: Outgoing
    done: Deferred[None]
    returned: str = ""


class Publisher:
    """Sends messages in a channel with publisher confirms.

    A broker that refuses a message closes the channel, and does not say which one it was. If several were unconfirmed,
    these are sent one at a time after it (a *trial*): then the next end is about the one that is.

    :ivar link: the failover whose connection it uses; set before the start. :ivar error: why the channel was closed.
    :ivar published: messages that the broker has confirmed. :ivar failed: messages that were not.
    """

    link: Failover[Connection]

    def __init__(self, context: BackendContext, format: Format, uniform: Uniform) -> None:
        self.published = self.failed = 0
        self.error = ""
        self._config: Config = context.config
        self._reactor = context.reactor
        self._log: logging.LoggerAdapter[logging.Logger] = context.log
        self._format = format
        self._uniform = uniform
        self._connection: Connection | None = None
        self._channel: Any = None
        self._number = self._frame_max = 0
        self._unconfirmed: dict[int, Sending] = {}
        self._waiting: deque[Sending] = deque()
        self._trial = 0
        self._lone_losses = 0
        self._failures = 0
        self._logged = ""
        self._timer: Any = None
        self._nack = RecentRefusal(self._reactor.seconds)

    @property
    def ready(self) -> bool:
        """True if messages can be sent."""
        return self._channel is not None

    @property
    def blocked(self) -> str:
        """Why the broker takes no messages, in its own words; empty: it takes them."""
        return "" if self._connection is None else self._connection.blocked

    def start(self) -> None:
        """Connect."""
        self.link.start()

    def publish(self, message: Message) -> Deferred[None]:
        """Send a message.

        :raises CannotPublish: it can never be sent. :raises Unavailable: there is no channel. The Deferred may fail
            with either.
        """
        try:
            outgoing = self._format.write(message)
            if self._channel is None:
                raise Unavailable(f"no connection to a broker: {self.error or self.link.error or 'not ready yet'}")
        except (CannotPublish, Unavailable):
            self.failed += 1
            raise
        sending = Sending(outgoing, Deferred())
        self._waiting.append(sending)
        self._send_some()
        return sending.done

    def _send_some(self) -> None:
        while self._waiting and self._channel is not None and not (self._trial and self._unconfirmed):
            sending = self._waiting.popleft()
            self._number += 1
            self._unconfirmed[self._number] = sending
            out, to = sending.outgoing, self._config.publish
            try:
                check_frame(out.properties, self._frame_max)
                self._channel.basic_publish(to, out.routing_key, out.body, out.properties, self._config.mandatory)
            except Exception:  # noqa: BLE001  it can't be written, by pika or at all. Nothing was sent
                del self._unconfirmed[self._number]
                self._number -= 1
                self.failed += 1
                sending.done.errback()

    # -- the connection; see :class:`~hub.backends.failover.BrokerUser`

    def opened(self, connection: Connection) -> None:
        """Open a channel."""
        self._connection = connection
        self._frame_max = connection.frame_max
        self._failures = 0
        self._try()

    def _try(self) -> None:
        self._timer = None
        if self._connection is None or not self._connection.is_open:
            return  # it is about to end, which is told
        self._timer = self._reactor.callLater(self._config.connect_timeout, self._too_late)
        self._connection.channel(self._open)

    def _too_late(self) -> None:
        self._timer = None
        if self._connection is not None:
            self._connection.fail(f"it does not open a channel within {self._config.connect_timeout:g} s")

    def _open(self, channel: Any) -> None:
        """Ask whether the exchange is there: else the first message would end the channel."""
        if self._connection is None:
            return
        channel.add_on_close_callback(self._closed)
        channel.add_on_return_callback(self._returned)
        if self._config.publish:
            channel.exchange_declare(self._config.publish, passive=True, callback=lambda _: None)
        channel.confirm_delivery(self._told, callback=lambda _: self._confirming(channel))

    def _confirming(self, channel: Any) -> None:
        self._cancel_timer()
        self._channel, self._number = channel, 0
        if not self.link.usable:
            self.link.established()
        self.error = self._logged = ""

    def received(self, batch: list[Any]) -> None:
        """Nothing is consumed here."""

    def _told(self, frame: Any) -> None:
        """The broker has accepted messages (``Basic.Ack``), or has not (``Basic.Nack``)."""
        method = frame.method
        accepted = method.NAME == "Basic.Ack"
        tags = [method.delivery_tag]
        if method.multiple:
            tags = [tag for tag in self._unconfirmed if tag <= method.delivery_tag]
        for tag in tags:
            sending = self._unconfirmed.pop(tag, None)
            if sending is not None:
                self._settle(sending, accepted)
        self._send_some()

    def _settle(self, sending: Sending, accepted: bool) -> None:
        self._trial = max(0, self._trial - 1)
        self._lone_losses = 0
        if accepted and not sending.returned:
            self.published += 1
            self._failures = 0
            self._nack.clear()
            sending.done.callback(None)
            return
        self.failed += 1
        if sending.returned:
            sending.done.errback(CannotPublish(f"the broker returned it: {sending.returned}"))
        else:
            self._nack.note(NACKED)
            sending.done.errback(PlaceUnavailable(NACKED))  # the queues of other keys may have room

    def _returned(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        """A mandatory message has reached no queue; its confirmation follows."""
        for sending in self._unconfirmed.values():
            outgoing = sending.outgoing
            same = (
                outgoing.routing_key == method.routing_key and outgoing.properties.message_id == properties.message_id
            )
            if same and not sending.returned and outgoing.body == body:
                sending.returned = reason_of(method)
                return

    def _closed(self, channel: Any, error: BaseException) -> None:
        """The broker has closed the channel: the exchange is missing, the user may not write to it, or a message is
        refused."""
        if self._channel is not None and channel is not self._channel:
            return
        self._cancel_timer()
        self._channel = None
        if not hasattr(error, "reply_code") or self._connection is None or not self._connection.is_open:
            return  # the connection has ended, which is told below
        self.error = reason_of(error)
        code: Any = getattr(error, "reply_code", 0)
        topic = code == REFUSED and OF_A_TOPIC in self.error
        if self.error != self._logged:
            self._logged = self.error
            text = "nothing can be published to the exchange %r: %s; trying on"
            if topic:
                text = "a message can't be published to the exchange %r for its topic: %s; trying on, and others go on"
            self._log.warning(text, self._config.publish, self.error, extra={"action": "publish"})
        refused: HubError | None = None
        if topic:
            refused = PlaceUnavailable(self.error)  # an operator may allow it; the topics of others may be allowed
        elif code not in PASSING:
            refused = CannotPublish(f"the broker refuses it: {self.error}")
        self._fail_all(self.error, refused)
        self._failures += 1
        delay = delay_after(self._failures, self._uniform, longest=self._config.reconnect_interval_max)
        self._timer = self._reactor.callLater(delay, self._try)

    def lost(self, reason: str, error: Any) -> None:
        """Fail what is unconfirmed: the hub sends it again."""
        self._cancel_timer()
        self._connection = self._channel = None
        self._nack.clear()
        self.error = ""
        self._lone_losses += len(self._unconfirmed) == 1
        refused = None
        if self._lone_losses >= MOST_LOSSES:
            refused = CannotPublish(f"the connection ended {MOST_LOSSES} times while it was sent: {reason}")
        self._fail_all(reason, refused)

    def _fail_all(self, reason: str, refused: HubError | None) -> None:
        """Fail what is unconfirmed for now, or, if that is one message alone, with this verdict."""
        unconfirmed, self._unconfirmed = [*self._unconfirmed.values()], {}
        waiting, self._waiting = self._waiting, deque()
        verdict = refused if len(unconfirmed) == 1 else None
        if verdict is not None:
            self._trial = self._lone_losses = 0
            self.failed += 1
            unconfirmed.pop().done.errback(verdict)
        self._trial = max(self._trial, len(unconfirmed))
        for sending in (*unconfirmed, *waiting):
            self.failed += 1
            sending.done.errback(Unavailable(reason))

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def not_ready(self) -> str | None:
        """Why nothing can be published; ``None``: it can."""
        if self.blocked:
            return f"the broker takes no messages: {self.blocked}"
        if self._channel is None:
            return f"exchange {self._config.publish}: {self.error or 'the broker has not opened a channel'}"
        if nack := self._nack.reason:
            return f"exchange {self._config.publish}: no message is published: {nack}"
        return None

    def status(self) -> dict[str, Any]:
        """Counters, and the reason while the broker takes no messages."""
        return {"published": self.published, "publish_failed": self.failed, "blocked": self.blocked}
