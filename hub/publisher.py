"""Messages that the hub's own consumers send out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hub import jsontext, outbox
from hub.errors import CannotPublish
from hub.interfaces import Backend, Clock
from hub.message import Message, new_id
from hub.partlog import part_log
from hub.store import Outgoing
from hub.tracing import Tracing

MOST_HELD = 10_000
"""Messages that wait for the backends. It is a matter of seconds, so more than these come of a fault."""


@dataclass
class PublishCounters:
    """Only grow."""

    published: int = 0
    failed: int = 0


class Publisher:
    """Finds the backend, encodes the body, and has the reactor send it.

    :param backends: those of the running hub, by name.
    :param in_reactor: runs a call in the reactor's thread.
    :ivar tracing: adds what carries on the trace of the message in hand; the hub's only one.
    """

    def __init__(
        self, backends: Mapping[str, Backend], in_reactor: Callable[[Callable[[], None]], Any], wall: Clock
    ) -> None:
        self.counters = PublishCounters()
        self._backends = backends
        self._in_reactor = in_reactor
        self._wall = wall
        self.tracing = Tracing()
        self._log = part_log("hub", "publisher")
        self._held: list[tuple[str, Message]] | None = None

    def publish(self, topic: str, body: object, headers: Mapping[str, str], backend: str | None) -> None:
        """From any thread; see :meth:`hub.consumer.Context.publish`. What fails later, in the reactor, is logged."""
        message = self.message(topic, body, self.tracing.headers(_texts(headers)))
        name = self.choose(backend)
        self.check(name, message)
        post = outbox.current()
        if post is None:
            self._in_reactor(lambda: self._send(name, message))
        else:
            post(Outgoing(name, message))

    def message(self, topic: str, body: object, headers: Mapping[str, str]) -> Message:
        """A new message.

        :raises TypeError: the body can't be encoded as JSON, or a header is no text. :raises ValueError: a bad topic.
        """
        if not topic or len(topic) > 1024 or not topic.isprintable():
            raise ValueError(f"expected a topic of at most 1024 printable characters, not {topic!r}")
        raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else jsontext.write(body)
        now = self._wall()
        return Message(new_id(now), topic, raw, _texts(headers), now)

    def choose(self, name: str | None) -> str:
        """The backend of that name, or the only one. :raises CannotPublish: there is none, or more than one."""
        if name is None and len(self._backends) == 1:
            return next(iter(self._backends))
        if name is None:
            raise CannotPublish(f"name the backend to publish to: there are {', '.join(self._backends) or 'none'}")
        if name not in self._backends:
            raise CannotPublish(f"no backend is called {name!r}: there are {', '.join(self._backends) or 'none'}")
        return name

    def check(self, name: str, message: Message) -> None:
        """In any thread. :raises CannotPublish: that backend could never send it."""
        check = getattr(self._backends.get(name), "check", None)
        if check is not None:
            check(message)

    def send(self, name: str, message: Message) -> None:
        """In the reactor. :raises CannotPublish: the backend can't send it."""
        try:
            self._backends[self.choose(name)].publish(message)
        except Exception:
            self.counters.failed += 1
            raise
        self.counters.published += 1

    def send_out(self, outgoing: Outgoing) -> None:
        """In the reactor: what a consumer sent while it handled a message, now that this one is finished. What can't be
        sent is logged and given up: the backend says that of the message, not of the moment."""
        self._send(outgoing.backend, outgoing.message)

    def hold(self) -> None:
        """The backends do not run yet, or are about to be exchanged: what consumers send waits. In the reactor."""
        self._held = self._held or []

    def let_go(self) -> None:
        """The backends are what they are: send what waited."""
        held, self._held = self._held or [], None
        for name, message in held:
            self._send(name, message)

    def _send(self, name: str, message: Message) -> None:
        if self._held is not None and len(self._held) < MOST_HELD:
            self._held.append((name, message))
            return
        try:
            self.send(name, message)
        except Exception as error:  # noqa: BLE001 - somebody else's code: the hub goes on
            extra = {"action": "publish", "backend": name, "topic": message.topic, "message_id": message.id}
            self._log.error("a message for %s could not be published: %s", message.topic, error, extra=extra)


def _texts(headers: Mapping[str, str]) -> dict[str, str]:
    """A copy. :raises TypeError: one of them is no text."""
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"expected headers of text, not {name!r}: {value!r}")
    return dict(headers)
