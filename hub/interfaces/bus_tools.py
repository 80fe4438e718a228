"""The other end of a bus, for the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from hub.message import Message


class Sender(Protocol):
    """A publisher outside the hub, for the command line's ``publish`` and ``feed``. Blocking; no reactor."""

    def wait(self, timeout: float) -> bool:
        """Wait for a listener. :param timeout: seconds. :returns: false if there is none in time."""

    def publish(self, message: Message) -> None:
        """Send a message in the bus's own format (in an envelope, if it has one)."""

    def forward(self, topic: str, body: bytes) -> None:
        """Send a recorded message, byte for byte."""

    def close(self) -> None:
        """Send what is buffered, in bounded time, then close."""


@runtime_checkable
class BusTools(Protocol):
    """An optional protocol of backend classes, with which the command line becomes a peer on the bus."""

    @classmethod
    def sender(cls, config: Any) -> Sender:
        """Make a publisher that a hub with this configuration receives from. :raises Unavailable: it can't be made."""

    @classmethod
    def listener(cls, config: Any, patterns: Sequence[str]) -> Iterator[Message]:
        """Yield messages from the bus as they arrive, forever. :raises Unavailable: it can't listen."""
