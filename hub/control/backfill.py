"""Backfill: gives a new consumer with ``begin`` the kept messages of the past, across restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.internet.task import cooperate, deferLater
from twisted.python.failure import Failure

from hub.configuration.schema import Part
from hub.control.cooperative import MOMENT, backpressure
from hub.control.hub import Hub
from hub.control.redelivery import redeliver
from hub.control.replay import Replayed, ReplayOrder, replay
from hub.interfaces import Clock
from hub.partlog import part_log
from hub.parts.queues import NoSuchQueue
from hub.router import Router
from hub.store import Beginning, RoutedBatch, Store

ROOM_EVERY = 0.2
"""Seconds between two checks whether a full queue has room again, or a drained one takes messages."""


class Backfills:
    """Running backfills. Belongs to the reactor's thread.

    :param store: the durable store.
    :param goes_on: returns false once the hub stops; the next hub continues the backfill.
    :param wall: epoch seconds.
    """

    def __init__(self, hub: Hub, store: Store, goes_on: Callable[[], bool], wall: Clock) -> None:
        self._hub, self._store, self._goes_on, self._wall = hub, store, goes_on, wall
        self._log = part_log("hub", "control")
        self._active: set[str] = set()

    def started(self, part: Part) -> None:
        """Start or continue the backfill of a consumer that has started, in short steps, no faster than the disk and
        its queue allow."""
        name, begin = part.name, part.settings.begin
        if name in self._active:
            return
        queue = self._hub.queues.member(name).queue
        fresh = begin and queue.next_position == 0
        if not queue.durable:
            if fresh:
                now = self._wall()
                self._take(name, replay(self._hub, ReplayOrder(name, now - begin, now), waits=True))
        elif self._store.beginning(name) is not None:
            self._log.info("consumer %s continues its backfill", name, extra={"action": "begin", "consumer": name})
            self._take(name, self._begin(name, part.settings.topics))
        elif fresh:
            self._note(name, Beginning(self._wall() - begin))
            self._take(name, self._begin(name, part.settings.topics))

    def _begin(self, name: str, topics: Sequence[str]) -> Iterator[Replayed]:
        """Replay the rest of the kept messages, page by page. If the queue is full, the page is continued at the next
        step. Progress is written right after the messages."""
        beginning, count = self._store.beginning(name), 0
        if beginning is None:
            return
        route, since = Router([(topics, name)]).route, beginning.since
        for page, kept in self._store.history(name, beginning.page, beginning.until):
            fresh = [one for one, at in kept if at is None and one.received_at >= since and route(one.topic)]
            while fresh:
                start, stop = redeliver(self._hub, self._hub.queues.taking(name).opened, fresh)
                count, fresh = count + stop - start, fresh[stop - start :]
                if fresh:
                    yield Replayed(count, 0, since, len(fresh))
            self._note(name, replace(beginning, page=page))
            yield Replayed(count, 0, since)
        self._note(name, None)

    def _note(self, name: str, beginning: Beginning | None) -> None:
        self._store.append(RoutedBatch([], [], beginning=(name, beginning)), None)

    def _take(self, name: str, steps: Iterator[Replayed]) -> None:
        self._active.add(name)
        cooperate(self._give(name, steps)).whenDone().addErrback(self._tell, name).addBoth(self._over, name)

    def _give(self, name: str, steps: Iterator[Replayed]) -> Iterator[Deferred[None] | None]:
        hub = self._hub
        extra = {"action": "begin", "consumer": name}
        queue, given = hub.queues.member(name).queue, 0
        while queue.durable and self._store.beginning(name) is None and self._goes_on():
            yield deferLater(hub.reactor, MOMENT)  # the order is not committed yet
        while self._goes_on() and self._is_there(name):
            if queue.draining:
                yield deferLater(hub.reactor, ROOM_EVERY)
                continue
            step = next(steps, None)
            if step is None:
                self._log.info("consumer %s was given %d kept messages", name, given, extra=extra)
                return
            given = step.given
            yield deferLater(hub.reactor, ROOM_EVERY) if step.not_taken else backpressure(hub)
        if given:
            text = "consumer %s was given %d kept messages; the rest follows when it is back"
            self._log.warning(text, name, given, extra=extra)

    def _is_there(self, name: str) -> bool:
        try:
            self._hub.queues.member(name)
        except NoSuchQueue:
            return False
        return True

    def _tell(self, failure: Failure, name: str) -> None:
        text = "the backfill of consumer %s failed: %s"
        self._log.error(text, name, failure.getErrorMessage(), extra={"action": "begin", "consumer": name})

    def _over(self, _: object, name: str) -> None:
        self._active.discard(name)
