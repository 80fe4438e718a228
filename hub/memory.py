"""The memory of the process, and how much of it the hub knows the use of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hub.parts.roster import Member


class Memory:
    """:param resident: bytes that the process has; ``None``: nobody knows."""

    def __init__(self, resident: Callable[[], int | None]) -> None:
        self._resident = resident
        self._at_start: int | None = None

    def begin(self, members: Iterable[Member], store: Mapping[str, Any]) -> None:
        """The hub has started: what it has by now, but for the messages, is what it takes without any."""
        known = _known(members, store)
        resident = self._resident()
        self._at_start = None if resident is None else resident - known

    def status(self, members: Iterable[Member], store: Mapping[str, Any]) -> dict[str, int | None]:
        """The resident memory, and its growth since the start without the messages that are in memory.

        :param members: whose queues hold messages. :param store: its status.
        """
        resident = self._resident()
        if resident is None or self._at_start is None:
            return {"resident_bytes": resident, "unaccounted_bytes": None}
        unaccounted = resident - self._at_start - _known(members, store)
        return {"resident_bytes": resident, "unaccounted_bytes": max(0, unaccounted)}


def _known(members: Iterable[Member], store: Mapping[str, Any]) -> int:
    """Bytes of messages in memory, at least: the queues share most bodies, so that of the one with the most counts. To
    count a body twice would hide as much of what nobody counts."""
    waiting = max((member.queue.waiting_bytes for member in members), default=0)
    return waiting + int(store.get("pending_bytes", 0)) + int(store.get("cached_bytes", 0))
