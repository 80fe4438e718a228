"""Ledger of the messages that one channel has brought and the broker has not been told about. Pure."""

from __future__ import annotations

from collections.abc import Iterable

Ack = tuple[int, bool]
"""A delivery tag, and whether it stands for all up to it (``multiple``)."""


class Ledger:
    """Ledger of delivery tags: they count from 1 in each channel.

    It says how to acknowledge with few frames: one for the longest settled beginning, one each for what is settled
    beyond it, so that none waits for an earlier one.
    """

    def __init__(self) -> None:
        self._last = 0
        self._open: dict[int, None] = {}
        """Tags that are not settled, ascending; the prefetch bounds them. While the first message is worked on, the
        broker sends any number after it, so that those which are settled would be without bound."""

    def __len__(self) -> int:
        """Number of messages that the broker has not been told about."""
        return len(self._open)

    def add(self, tag: int) -> None:
        """Note a delivery."""
        self._last = tag
        self._open[tag] = None

    def acknowledge(self, tags: Iterable[int]) -> list[Ack]:
        """Settle deliveries; settled ones are left out. :returns: what the broker is to be told, in this order."""
        fresh = self._settle(tags)
        first = next(iter(self._open), self._last + 1)
        below = [tag for tag in fresh if tag < first]
        # The last one below may have been told of: RabbitMQ closes a channel that acknowledges an unknown tag.
        acks = [(max(below), True)] if below else []
        return acks + [(tag, False) for tag in fresh if tag >= first]

    def refuse(self, tag: int) -> bool:
        """Settle a delivery that is refused. :returns: false if it was settled."""
        return bool(self._settle([tag]))

    def _settle(self, tags: Iterable[int]) -> list[int]:
        fresh = sorted({tag for tag in tags if tag in self._open})
        for tag in fresh:
            del self._open[tag]
        return fresh
