"""The slot of a worker of jobs: the database knows which jobs a killed process had."""

from __future__ import annotations


class NoSlot:
    """A slot that records nothing; see :class:`hub.store.Slot`."""

    def hold(self, start: int, stop: int) -> None:
        """Do nothing."""

    def drop(self) -> None:
        """Do nothing."""
