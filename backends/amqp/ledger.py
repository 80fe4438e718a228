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
        self._floor = 0
        """All tags up to it are settled."""
        self._settled: set[int] = set()
        """Settled tags above the floor."""

    def __len__(self) -> int:
        """Number of messages that the broker has not been told about."""
        return self._last - self._floor - len(self._settled)

    def add(self, tag: int) -> None:
        """Note a delivery."""
        self._last = tag

    def acknowledge(self, tags: Iterable[int]) -> list[Ack]:
        """Settle deliveries; settled ones are left out. :returns: what the broker is to be told, in this order."""
        fresh = self._settle(tags)
        below = [tag for tag in fresh if tag <= self._floor]
        # The floor itself may have been told of: RabbitMQ closes a channel that acknowledges an unknown tag.
        acks = [(max(below), True)] if below else []
        return acks + [(tag, False) for tag in fresh if tag > self._floor]

    def refuse(self, tag: int) -> bool:
        """Settle a delivery that is refused. :returns: false if it was settled."""
        return bool(self._settle([tag]))

    def _settle(self, tags: Iterable[int]) -> list[int]:
        settled, floor = self._settled, self._floor
        fresh = sorted({tag for tag in tags if floor < tag <= self._last and tag not in settled})
        settled.update(fresh)
        while floor + 1 in settled:
            floor += 1
            settled.discard(floor)
        self._floor = floor
        return fresh
