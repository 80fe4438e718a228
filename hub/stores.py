"""The stores of a running hub: reports their state, and passes outgoing messages to the publisher."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from hub.configuration.schema import Configuration
from hub.partlog import part_log
from hub.publisher import Publisher
from hub.store import Store
from hub.store.commit_timer import CommitTimer
from hub.store.durable import DurableStore
from hub.store.memory import MemoryStore
from hub.units import parse_duration

LOW_DISK = 0.9
"""Share of ``max_disk`` below which queues no longer behave as full."""
STEPS = 64
"""The store's size is looked at again once half of the room that it had at the last look was appended, or this part of
``max_disk``: what is appended is known only as an estimate, which may be half of what the disk takes."""


def durable_store(configuration: Configuration) -> DurableStore:
    """Open the configured store. :raises ConfigError: the directory holds something else, or can't be read."""
    sync = configuration.hub.sync
    interval = sync.startswith("interval:")
    return DurableStore(
        configuration.state_dir,
        part_log("hub", "store"),
        timer=CommitTimer(parse_duration(sync.partition(":")[2])) if interval else CommitTimer(),
        hurries=not interval,
        keep=configuration.hub.keep,
        sync=sync != "none",
        map_size=configuration.hub.map_size,
    )


class Stores:
    """The durable store and the one in memory. Belongs to the reactor's thread.

    :ivar store: for durable queues. :ivar memory: for the others.
    :ivar full: the reason why the store takes nothing now; empty: it does.
    :ivar squeezed: true if the store is over ``max_disk``, so that its queues behave as full.
    :param on_full: called with the reason when the disk is full, or does not keep up.
    :param on_room: called when the store takes messages again.
    :param on_fatal: called with the reason when the disk can't be trusted any more: the hub must end immediately.
    """

    def __init__(
        self,
        store: Store,
        reactor: Any,
        publisher: Publisher,
        on_full: Callable[[str], None],
        on_room: Callable[[], None],
        on_fatal: Callable[[str], None],
    ) -> None:
        self.store = store
        self.memory: Store = MemoryStore()
        self.full = ""
        self._on_full, self._on_room, self._on_fatal = on_full, on_room, on_fatal
        self.squeezed = False
        in_reactor = reactor.callFromThread
        store.watch(
            lambda state, reason: in_reactor(self._look),
            lambda first, batch: in_reactor(publisher.stored, first, batch),
        )
        self.memory.watch(lambda state, reason: None, lambda first, batch: in_reactor(publisher.unstored, batch))

    def _look(self) -> None:
        """Report a change of the store. The current state counts, because two threads may report changes out of
        order."""
        state, reason = self.store.condition()
        self.full = reason if state in ("full", "behind") else ""
        if state == "failed":
            self._on_fatal(reason)
        elif self.full:
            self._on_full("the disk is full" if state == "full" else reason)
        else:
            self._on_room()

    def squeeze(self, limit: int | None, on_change: Callable[[bool], None]) -> None:
        """Tell the queues when the store's size passes its limit, in either direction. It looks again as soon as so
        much was appended that the limit may be reached.

        While history is left, that is removed instead.

        :param limit: bytes; ``None``: none. :param on_change: called each time that it has looked, with ``squeezed``.
        """
        self.store.bound(limit)
        if limit is None:
            self.squeezed = False
            self.store.watch_size(sys.maxsize, lambda: None)
        else:
            status = self.store.status()
            used = int(status.get("used_bytes", 0)) + int(status.get("pending_bytes", 0))
            if used < limit * LOW_DISK or status.get("history_pages"):
                self.squeezed = False
            elif used > limit:
                self.squeezed = True
            self.store.watch_size(max((limit - used) // 2, limit // STEPS), partial(self.squeeze, limit, on_change))
        on_change(self.squeezed)

    def close(self) -> None:
        """Close the stores. What can't be stored now is lost, and reported by ``on_fatal``."""
        if not self.store.close():
            self._on_fatal("the last messages could not be stored")
