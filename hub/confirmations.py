"""Confirmation after the work: a backend is told of a message when all its queues have settled it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from hub.enqueuer import Enqueuer
from hub.intakes import SettledIntake
from hub.interfaces import Backend
from hub.partlog import part_log
from hub.placements import Placement
from hub.queue.queue import Queue
from hub.store import Range
from hub.unsettled import Unsettled


class Confirmations:
    """Confirms messages after the work. Belongs to the reactor's thread.

    What a queue has settled counts once all that must outlive the hub is committed: a dead letter, an outgoing message.
    A message that is in no queue is confirmed as soon as all that came before is committed.
    """

    def __init__(self, enqueuer: Enqueuer, reactor: Any) -> None:
        self._enqueuer = enqueuer
        self._reactor = reactor
        self._unsettled: Unsettled[Queue, Backend] = Unsettled()
        self._open: set[Backend] = set()
        self._log = part_log("hub", "backends")

    def intake(self, backend: Backend) -> SettledIntake:
        """The intake of a backend that is told after the work."""
        self._open.add(backend)
        return SettledIntake(self._enqueuer, partial(self.wait, backend))

    def close(self, backend: Backend) -> None:
        """Drop the messages of a backend that has stopped; its bus gives them again."""
        if backend in self._open:
            self._open.remove(backend)
            for queue in self._unsettled.forget(backend):
                queue.announcer.unwatch()

    def concerns(self, backend: Backend) -> bool:
        """True if the backend is told after the work."""
        return backend in self._open

    def count(self, backend: Backend) -> int:
        """Number of messages from a backend that some queue has not settled."""
        return self._unsettled.count(backend)

    def queues_of(self, backend: Backend) -> list[Queue]:
        """Queues that have not settled some message of a backend."""
        return self._unsettled.queues_of(backend)

    def wait(self, backend: Backend, tokens: Sequence[Any], placements: Sequence[Placement]) -> None:
        """Confirm messages when they are settled. :param placements: the indexes are those of the tokens."""
        if backend not in self._open:
            return
        free = self._unsettled.add(backend, tokens, self._unsettled_places(placements))
        if free:
            confirm = partial(self._reactor.callFromThread, self._confirm, backend, free)
            self._enqueuer.when_stored(confirm, at_once=False)

    def _unsettled_places(self, placements: Sequence[Placement]) -> Iterator[Placement]:
        """The parts of placements that are not settled yet. The rest is known to the store's journals, or to come in
        the next commit."""
        for queue, start, indexes in placements:
            told = partial(self._reactor.callFromThread, self._settled, queue)
            for first, after in queue.announcer.watch(start, start + len(indexes), told):
                yield queue, first, indexes[first - start : after - start]

    def _settled(self, queue: Queue, ranges: Sequence[Range]) -> None:
        ended = self._unsettled.settle(queue, ranges)
        if not self._unsettled.waits_for(queue):
            queue.announcer.unwatch()
        for backend, tokens in ended.items():
            self._confirm(backend, tokens)

    def _confirm(self, backend: Backend, tokens: Sequence[Any]) -> None:
        if backend not in self._open:
            return
        try:
            backend.confirm(tokens)
        except Exception as error:  # noqa: BLE001 - a plugin's code: other backends are told all the same
            self._log.error("messages could not be confirmed", exc_info=error, extra={"action": "confirm"})
