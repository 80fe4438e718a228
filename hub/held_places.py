"""Messages whose next attempt is put off, and that keep their places at a bus that is told after the work.

Such a bus gives a hub so many messages, and then none until it is told of one. While most of them wait for their next
attempt, the queue stands still, and all its parts look well: so the consumer has a condition, and the log says it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from hub.confirmations import Confirmations
from hub.interfaces import Backend
from hub.partlog import PartLog
from hub.queue.queue import Queue
from hub.text import counted

LOOK_EVERY = 2.0
"""Seconds between two looks."""
SHARE = 0.5
"""Share of the messages that a bus waits for, from which on those that are put off are told of."""


@runtime_checkable
class Bounding(Protocol):
    """An optional protocol of backends that confirm: they know when their bus sends no more until it is told of some
    message."""

    def at_bound(self) -> str | None:
        """Return which bound is reached, in a few words; ``None``: the bus may send."""


class HeldPlaces:
    """Looks for places that are held by messages which are put off. Belongs to the reactor's thread."""

    def __init__(self, confirmations: Confirmations, log: PartLog) -> None:
        self._confirmations = confirmations
        self._log = log
        self._holding: set[Queue] = set()
        self._told: set[str] = set()

    def look(self, backends: Mapping[str, Backend]) -> None:
        """Look at all backends, by name, and note at each queue whether it holds one up."""
        holding: dict[Queue, str] = {}
        told: set[str] = set()
        for name, backend in backends.items():
            queues, reason = self._held(name, backend)
            holding.update(dict.fromkeys(queues, reason))
            if reason:
                told.add(name)
                if name not in self._told:
                    text = "backend %s is held up: %s; docs/amqp.rst says what to do"
                    self._log.warning(text, name, reason, extra={"action": "hold", "backend": name})
        for name in self._told - told:
            self._log.info("backend %s is held up no more", name, extra={"action": "hold", "backend": name})
        for queue in self._holding - holding.keys():
            queue.announcer.holds_up = ""
        for queue, reason in holding.items():
            queue.announcer.holds_up = reason
        self._holding, self._told = set(holding), told

    def _held(self, name: str, backend: Backend) -> tuple[list[Queue], str]:
        """The queues whose delayed messages hold a backend up, and why it is; none: it is not."""
        if not self._confirmations.concerns(backend) or not isinstance(backend, Bounding):
            return [], ""
        bound = backend.at_bound()
        if bound is None:
            return [], ""
        delayed = {queue: queue.stats().delayed for queue in self._confirmations.queues_of(backend)}
        count = self._confirmations.count(backend)
        put_off = min(count, sum(delayed.values()))
        if not put_off or put_off < SHARE * count:
            return [], ""
        reason = f"{bound}; {put_off} of {counted(count, 'message')} wait for their next attempt and keep their places"
        return [queue for queue, number in delayed.items() if number], reason
