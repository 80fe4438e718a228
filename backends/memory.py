"""A bus in memory: for tests of consumers and of the hub, without a network."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hub import jsontext
from hub.errors import CannotPublish
from hub.interfaces import BackendContext, Intake
from hub.message import NO_HEADERS, Message
from hub.settings import Settings


class Memory:
    """Hands over what a test delivers, and keeps what consumers publish. Behaves like a broker: it holds what is not
    read, and is told what is safe. It keeps all that it is given and sent: not for a long-lived hub.

    :ivar published: what consumers sent, in order.
    :ivar confirmed: tokens of the messages that the hub has made safe, as ``deliver`` returned them.
    :ivar patterns: what the hub subscribed to, in order of the alphabet. Delivery does not depend on it.
    """

    Config: type[Settings] = Settings
    confirms: bool = True
    holds_back: bool = True

    def __init__(self, context: BackendContext) -> None:
        self.published: list[Message] = []
        self.confirmed: list[int] = []
        self.patterns: list[str] = []
        self._context = context
        self._intake: Intake | None = None
        self._state = "stopped"
        self._held: list[tuple[Message, int]] = []
        self._delivered = self._received = self._bytes = 0

    def deliver(
        self, topic: str, body: object, headers: Mapping[str, str] = NO_HEADERS, id: str | None = None
    ) -> int:  # fmt: skip
        """A message arrives. While the backend is paused or not started it is held. In the reactor's thread only.

        :param body: ``bytes`` and ``str`` as they are, anything else as JSON.
        :param id: the default is ``memory-1``, ``memory-2`` ...
        :returns: the token by which the hub will confirm it.
        """
        self._delivered += 1
        encoded = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else jsontext.write(body)
        name = f"memory-{self._delivered}" if id is None else id
        message = Message(name, topic, encoded, headers, self._context.wall(), self._context.name)
        self._held.append((message, self._delivered))
        self._hand_over()
        return self._delivered

    def _hand_over(self) -> None:
        if self._intake is None or self._state != "connected" or not self._held:
            return
        held, self._held = self._held, []
        self._received += len(held)
        self._bytes += sum(len(message.topic.encode()) + len(message.body) for message, _ in held)
        self._intake.receive([message for message, _ in held], [token for _, token in held])

    def start(self, intake: Intake) -> None:
        """Hand over what was delivered already, then whatever comes."""
        self._intake = intake
        self._state = "paused" if self._state == "paused" else "connected"
        self._hand_over()

    def subscribe(self, patterns: Collection[str]) -> None:
        """Kept for the test to see."""
        self.patterns = sorted(patterns)

    def confirm(self, tokens: Sequence[int]) -> None:
        """Kept for the test to see."""
        self.confirmed.extend(tokens)

    def publish(self, message: Message) -> None:
        """Kept for the test to see. :raises CannotPublish: the backend is not running."""
        if self._intake is None or self._state == "stopped":
            raise CannotPublish(f"backend {self._context.name!r} has stopped")
        self.published.append(message)

    def pause(self) -> None:
        """Hold what is delivered from here on."""
        self._state = "paused" if self._intake is None or self._state == "connected" else self._state

    def resume(self) -> None:
        """Hand over what was held."""
        if self._state == "paused":
            self._state = "connected" if self._intake is not None else "stopped"
            self._hand_over()

    def stop(self) -> None:
        """Hand over nothing more. What a pause held stays with the bus, as a broker would keep it."""
        self._state = "stopped"

    def status(self) -> Mapping[str, Any]:
        """As the hub's status shows it."""
        return {
            "state": self._state,
            "received": self._received,
            "bytes": self._bytes,
            "malformed": {},
            "published": len(self.published),
            "confirmed": len(self.confirmed),
            "held": len(self._held),
        }
