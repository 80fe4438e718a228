"""The intake, into which a backend puts what it has received."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from hub.message import Message
from hub.receipt import Answer


class Intake(Protocol):
    """The intake to which a backend passes received messages. Called only in the reactor's thread."""

    def receive(self, messages: list[Message], tokens: Sequence[Any] = (), answer: Answer | None = None) -> None:
        """Receive one batch in the bus's order: the messages from one turn of the backend's reader.

        :param tokens: one for each message, passed to ``Backend.confirm`` later; empty if the sender expects no
            confirmation.
        :param answer: called in the reactor's thread with the receipt, before this method returns unless a stage checks
            the messages first. ``Backend.confirm`` tells when they are safe.
        """

    def refuse(self, message: Message, reason: str) -> None:
        """Count a message with an unusable body. A truncated copy is kept for a while; it is not delivered."""
