"""Memory accounting: the resident memory, and the part that messages explain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hub.parts.queue_entry import QueueEntry
from hub.status.hub import MemoryStatus


class Memory:
    """Compares resident memory with messages in memory. :param resident: bytes of the process; ``None``: not known."""

    def __init__(self, resident: Callable[[], int | None]) -> None:
        self._resident = resident
        self._at_start: int | None = None

    def begin(self, queues: Iterable[QueueEntry], store: Mapping[str, Any]) -> None:
        """Record the baseline, once the hub has started: its memory without messages."""
        known = _known(queues, store)
        resident = self._resident()
        self._at_start = None if resident is None else resident - known

    def status(self, queues: Iterable[QueueEntry], store: Mapping[str, Any]) -> MemoryStatus:
        """The resident memory, and its growth since the start minus the messages in memory.

        :param queues: open queues. :param store: the store's status.
        """
        resident = self._resident()
        if resident is None or self._at_start is None:
            return {"resident_bytes": resident, "unaccounted_bytes": None}
        unaccounted = resident - self._at_start - _known(queues, store)
        return {"resident_bytes": resident, "unaccounted_bytes": max(0, unaccounted)}


def _known(queues: Iterable[QueueEntry], store: Mapping[str, Any]) -> int:
    """A lower bound of the bytes of messages in memory. Queues share most bodies, so only the largest queue counts:
    counting a body twice would hide growth of other memory."""
    waiting = max((entry.queue.inspect.waiting_bytes() for entry in queues if entry.queue is not None), default=0)
    return waiting + int(store.get("pending_bytes", 0)) + int(store.get("cached_bytes", 0))
