"""Holds of consumers (pauses and drains), as the managers of parts and the status need them."""

from __future__ import annotations

from typing import Protocol


class ConsumerHolds(Protocol):
    """Holds that an operator ordered; they outlive consumers and the hub."""

    def paused(self, name: str) -> bool:
        """True while a consumer is paused."""

    def until(self, name: str) -> float | None:
        """End of a consumer's pause in epoch seconds; ``None``: it is not paused, or has no end."""

    def draining(self, name: str) -> bool:
        """True while a consumer is drained."""

    def rename(self, old: str, new: str) -> None:
        """Move the holds of a consumer to its new name."""

    def forget(self, name: str) -> None:
        """Remove the holds of a queue that is deleted."""


class NoHolds:
    """No holds at all."""

    def paused(self, name: str) -> bool:
        """False: there are no holds."""
        return False

    def until(self, name: str) -> None:
        """``None``: there are no holds."""

    def draining(self, name: str) -> bool:
        """False: there are no holds."""
        return False

    def rename(self, old: str, new: str) -> None:
        """Do nothing: there are no holds."""

    def forget(self, name: str) -> None:
        """Do nothing: there are no holds."""


NO_HOLDS = NoHolds()
