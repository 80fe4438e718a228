"""Between the stores and the rest of the hub: what they say, and what consumers send out through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hub.configuration.schema import Configuration
from hub.partlog import part_log
from hub.publisher import Publisher
from hub.store import Outgoing, Store
from hub.store.durable import PACE, DurableStore
from hub.store.memory import MemoryStore
from hub.units import parse_duration

LOW_DISK = 0.9
"""Share of ``max_disk`` below which queues are no longer treated as full."""


def durable_store(configuration: Configuration) -> DurableStore:
    """As configured. :raises ConfigError: what is in the directory is not ours, or can't be read."""
    sync = configuration.hub.sync
    interval = sync.startswith("interval:")
    return DurableStore(
        configuration.state_dir,
        part_log("hub", "store"),
        pace=parse_duration(sync.partition(":")[2]) if interval else PACE,
        hurries=not interval,
        keep=configuration.hub.keep,
        sync=sync != "none",
        map_size=configuration.hub.map_size,
    )


class Storekeeper:
    """Belongs to the reactor's thread.

    :ivar store: of the queues that are durable. :ivar memory: of the others.
    :ivar full: why nothing can be stored now; empty: it can.
    :ivar squeezed: whether the store is larger than it may be, and the queues behave as if full.
    :param on_full: called when the disk is full, or does not keep up, with the reason.
    :param on_room: called when it is so no longer.
    :param on_fatal: called when the disk can't be trusted any more: the hub must end at once.
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
        self._publisher = publisher
        self._on_full, self._on_room, self._on_fatal = on_full, on_room, on_fatal
        self.squeezed = False
        self._open = False
        self._sent_before = 0
        in_reactor = reactor.callFromThread
        store.watch(
            lambda state, reason: in_reactor(self._look),
            lambda first, batch: in_reactor(self._send_stored, list(enumerate(batch, first))),
        )
        self.memory.watch(lambda state, reason: None, lambda first, batch: in_reactor(self._send, batch))
        publisher.hold()

    def _look(self) -> None:
        """Something changed. What is so now counts: two threads may have told of it in the wrong order."""
        state, reason = self.store.condition()
        self.full = reason if state in ("full", "behind") else ""
        if state == "failed":
            self._on_fatal(reason)
        elif self.full:
            self._on_full("the disk is full" if state == "full" else reason)
        else:
            self._on_room()

    # -- the outbox

    def open_outbox(self) -> None:
        """The backends run: send what was left of the last time, and what consumers have sent since."""
        left = self.store.outbox()
        self._open = True
        self._publisher.let_go()
        self._send_stored(left)
        self._sent_before = max((number for number, _ in left), default=self._sent_before)

    def hold_outbox(self) -> None:
        """Backends are about to be exchanged for others: what is to be sent waits until it is opened again."""
        self._open = False
        self._publisher.hold()

    def close_outbox(self) -> None:
        """The backends are about to stop: what is not sent stays in the store."""
        self._open = False
        self._publisher.let_go()

    def _send_stored(self, batch: Sequence[tuple[int, Outgoing]]) -> None:
        for number, outgoing in batch if self._open else ():
            if number > self._sent_before:
                self._publisher.send_out(outgoing)
                self.store.sent(number)

    def _send(self, batch: Sequence[Outgoing]) -> None:
        for outgoing in batch:
            self._publisher.send_out(outgoing)

    # -- the disk

    def squeeze(self, limit: int | None, squeeze: Callable[[bool], None]) -> None:
        """Tell the queues when the store has become larger, or smaller again, than it may be, in bytes.

        While there is history, that goes, and no queue is full for it.
        """
        self.store.bound(limit)
        status = {} if limit is None else self.store.status()
        used = int(status.get("used_bytes", 0))
        if limit is None or used < limit * LOW_DISK or status.get("history_pages"):
            self.squeezed = False
        elif used > limit:
            self.squeezed = True
        squeeze(self.squeezed)

    def close(self) -> None:
        """The last call: what can't be stored now is not stored."""
        if not self.store.close():
            self._on_fatal("not all of it could be stored")
