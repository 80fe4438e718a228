"""Subscriptions, which show messages without a queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from hub.message import Message

Sink = Callable[[Sequence[Message]], None]
"""A sink is called with messages as they arrive, in the reactor's thread; it must not block."""


class Subscription(Protocol):
    """A subscription: the topic patterns of one sink. Belongs to the reactor's thread. The cost of a change does not
    depend on the number of other subscriptions."""

    def add(self, pattern: str) -> None:
        """Add a topic pattern."""

    def remove(self, pattern: str) -> None:
        """Remove a topic pattern. Messages that another pattern matches are still shown."""

    def cancel(self) -> None:
        """End the subscription."""
