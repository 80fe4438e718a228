"""Relay consumer: publishes what it receives to other backends."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, ClassVar

from hub import Consumer, Context, Message, Reject, jsontext
from hub.consumers.relay.settings import Config as _Config
from hub.consumers.relay.way import VIA, Way, way_of
from hub.errors import CannotPublish, NotJSON
from hub.message import HeaderValue
from hub.settings import Settings
from hub.traceparent import NAMES as NAMES_OF_A_TRACE

__all__ = ["Relay"]

ID = "hubbub.id"
"""Header with the id that a message had before it was relayed for the first time: each bus gives it one of its own."""


class Relay(Consumer):
    """Publish each message to other backends, under the same topic or a renamed one, with its headers.

    What it publishes is stored together with the end of the message, so that neither is lost or comes alone. A message
    returns neither to the backend that it came from, nor to a bus that it has passed.
    """

    Config: ClassVar[type[Settings]] = _Config

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._lock = threading.Lock()
        self._relayed = self._looped = 0

    @classmethod
    def topics_of(cls, config: Any) -> Sequence[str]:
        """The topics that are renamed, unless ``hub.conf`` names others."""
        return config.rename.patterns() or cls.topics

    def consume(self, message: Message) -> None:
        """Publish it to each backend. :raises Reject: it can never be published; nothing was."""
        config: _Config = self.config
        if config.only_from and message.backend not in config.only_from:
            return
        try:
            way = way_of(message.headers.get(VIA))
        except ValueError as error:
            raise Reject(f"it is not relayed: {error}") from error
        source = config.bus(message.backend)
        targets = [name for name in config.to if name != message.backend]
        free = [name for name in targets if way.is_open(source, config.bus(name))]
        if free:
            self._publish(message, way.after(source), free)
        with self._lock:
            self._relayed += len(free)
            self._looped += len(targets) - len(free)

    def status(self) -> dict[str, int]:
        """Numbers since the start: messages that were published, loops that were broken."""
        with self._lock:
            return {"relayed": self._relayed, "loops_broken": self._looped}

    def _publish(self, message: Message, way: Way, targets: Sequence[str]) -> None:
        try:
            topic = self.config.rename.apply(message.topic)
            # As JSON: a text is published as it is otherwise, and one such as "7" would arrive as a number.
            body = message.body if self.config.content == "body" else jsontext.write(message.json()["msg"])
        except (NotJSON, TypeError, KeyError, IndexError) as error:
            raise Reject("it is not relayed: its body is no JSON object with a field 'msg'") from error
        headers = self._headers(message, way)
        for name in targets:
            try:
                self.context.publish(topic, body, headers, backend=name)
            except (CannotPublish, ValueError, TypeError) as error:
                raise Reject(f"backend {name!r} can't publish it: {error}") from error

    def _headers(self, message: Message, way: Way) -> dict[str, HeaderValue]:
        # The hub adds those of a trace by itself to what is published while a message is handled: it goes on with them.
        kept = {name: value for name, value in message.headers.items() if name not in NAMES_OF_A_TRACE}
        return {ID: message.id, **kept, VIA: str(way)}
