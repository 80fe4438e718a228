"""Bus peers for the command line: a publisher that the hub receives from, and a listener to what the hub receives."""

from __future__ import annotations

import logging
import random
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence

from hub.backends.stomp.client_destinations import PLACEHOLDER, destination_for, is_shared, template_of, topic_of
from hub.backends.stomp.client_line import Line
from hub.backends.stomp.client_message import envelopes_of, message_of, send_headers
from hub.backends.stomp.client_settings import Config
from hub.backends.stomp.frame import Frame
from hub.backends.unusable import Unusable, unread
from hub.backoff import delay_after
from hub.errors import CannotPublish, Unavailable
from hub.message import Message
from hub.topics import compile_pattern

WINDOW = 100
"""Messages that may wait for their receipts."""
_log = logging.getLogger(__name__)


class Sender:
    """Publisher outside the hub. It sends to the destinations that the hub receives from.

    :raises Unavailable: the hub receives from none, or no broker answers.
    """

    def __init__(self, config: Config) -> None:
        if not config.destinations:
            raise Unavailable("the backend does not receive: it has no destinations")
        self._config = config
        self._envelopes = envelopes_of(config, time.time)
        self._line = Line(config)
        self._numbers = 0
        self._unconfirmed: set[str] = set()

    def wait(self, timeout: float) -> bool:
        """True: a broker takes messages whether or not a hub is subscribed."""
        return True

    def publish(self, message: Message) -> None:
        """Send a message in the backend's format.

        :raises CannotPublish: no destination brings the hub messages of its topic, the format does not take it, or it
            is too large. :raises Unavailable: the broker refuses it, or the connection ended.
        """
        self._send(message, message.body if self._envelopes is None else self._envelopes.make(message))

    def _send(self, message: Message, body: bytes) -> None:
        place = destination_of(message.topic, self._config)
        headers = send_headers(message, self._config.model_copy(update={"publish": place}))
        self._numbers += 1
        receipt = str(self._numbers)
        self._line.send("SEND", {**headers, "receipt": receipt}, body)
        self._unconfirmed.add(receipt)
        while len(self._unconfirmed) >= WINDOW:
            self._confirm(None)

    def forward(self, topic: str, body: bytes) -> None:
        """Send a body unchanged."""
        self._send(Message(str(uuid.uuid4()), topic, body), body)

    def _confirm(self, timeout: float | None) -> None:
        frame = self._line.next(timeout)
        if frame is None:
            raise Unavailable("the broker does not confirm the messages")
        self._unconfirmed.discard(frame.headers.get("receipt-id", ""))

    def close(self) -> None:
        """Wait until the broker has confirmed all messages, for ``connect_timeout`` at most each, then close.

        :raises Unavailable: it has not.
        """
        try:
            while self._unconfirmed:
                self._confirm(self._config.connect_timeout)
        finally:
            self._line.close()


def destination_of(topic: str, config: Config) -> str:
    """A destination of messages that the hub receives with this topic. :raises CannotPublish: there is none."""
    for destination in config.destinations:
        if topic_of(destination) == topic:
            return destination
    for destination in config.destinations:
        template = template_of(destination)
        if PLACEHOLDER in template:
            pattern = re.sub(r">$", "#", topic_of(destination))
            if compile_pattern(pattern).fullmatch(f"{topic}."):
                return destination_for(template, topic)
    if config.topic_header or config.format == "fedmsg":  # any destination will do that is no pattern
        concrete = [destination for destination in config.destinations if PLACEHOLDER not in template_of(destination)]
        if concrete:
            return concrete[0]
    named = ", ".join(config.destinations)
    raise CannotPublish(f"no destination of the backend brings messages for {topic}: it has {named}")


def listen(config: Config, sleep: Callable[[float], None] = time.sleep) -> Iterator[Message]:
    """Yield messages of topics as they arrive, without end; connect again when the connection ends.

    :raises Unavailable: there are only queues, whose messages the hub would miss; or no broker answers at the start.
    """
    places = [destination for destination in config.destinations if not is_shared(destination)]
    if not places:
        raise Unavailable("the hub's destinations are queues: each of their messages goes to one reader, the hub")
    return _messages(config, _subscribed(config, places), places, sleep)


def _subscribed(config: Config, places: Sequence[str]) -> Line:
    line = Line(config)
    for number, place in enumerate(places):
        line.send("SUBSCRIBE", {**config.subscribe_headers, "id": str(number), "destination": place, "ack": "auto"})
    return line


def _messages(config: Config, line: Line, places: Sequence[str], sleep: Callable[[float], None]) -> Iterator[Message]:
    failures = 0
    try:
        while True:
            try:
                frame = line.next(None)
                failures = 0
            except Unavailable as error:
                failures += 1
                _log.warning("%s; connecting again", error, extra={"action": "connect"})
                sleep(delay_after(failures, random.uniform))
                line = _again(config, line, places)
                continue
            if frame is not None and frame.command == "MESSAGE":
                yield from _usable(frame, config)
    finally:
        line.close()


def _usable(frame: Frame, config: Config) -> Iterator[Message]:
    """The message of a frame; none if it can't be used, which is logged."""
    try:
        made = message_of(frame, config, time.time(), "")
    except Unusable as error:
        _log.warning("unusable message: %s", error, extra={"action": "refuse"})
    except Exception as error:  # noqa: BLE001 - the others are shown all the same
        unread(error, Message("", frame.headers.get("destination", ""), frame.body), _log)
    else:
        yield made


def _again(config: Config, ended: Line, places: Sequence[str]) -> Line:
    """A new connection; if there is none, the one that ended: reading it fails, and leads to the next attempt."""
    try:
        made = _subscribed(config, places)
    except Unavailable:
        return ended
    ended.close()
    return made
