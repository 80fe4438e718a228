"""How a new consumer's ``begin`` is kept: it is given what the store has kept, across restarts, until it has all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.internet.task import cooperate, deferLater
from twisted.python.failure import Failure

from hub.configuration.schema import Part
from hub.control.steering import NoSuchQueue, Replayed, ReplayOrder
from hub.control.verbs.steps import MOMENT, breath
from hub.control.verbs.verb import Hub
from hub.interfaces import Clock
from hub.partlog import part_log
from hub.router import Router
from hub.store import Beginning, RoutedBatch, Store

ROOM_EVERY = 0.2
"""Seconds between two looks whether a full queue has room again, or a drained one takes messages in."""


class Beginnings:
    """Those that are going on. Belongs to the reactor's thread.

    :param store: of the queues that are durable.
    :param goes_on: whether the hub does; once it does not, no more is given. The next hub goes on.
    :param wall: epoch seconds.
    """

    def __init__(self, hub: Hub, store: Store, goes_on: Callable[[], bool], wall: Clock) -> None:
        self._hub, self._store, self._goes_on, self._wall = hub, store, goes_on, wall
        self._log = part_log("hub", "steering")
        self._active: set[str] = set()

    def hired(self, part: Part) -> None:
        """A consumer is there. Begin, or go on, in short steps, no faster than the disk and its queue allow."""
        name, begin, steering = part.name, part.settings.begin, self._hub.steering
        if name in self._active:
            return
        queue = steering.queue(name)
        fresh = begin and queue.next_position == 0
        if not queue.store.durable:
            if fresh:
                now = self._wall()
                self._take(name, steering.replay(ReplayOrder(name, now - begin, now), waits=True))
        elif self._store.beginning(name) is not None:
            self._log.info("consumer %s goes on with its beginning", name, extra={"action": "begin", "consumer": name})
            self._take(name, self._begin(name, part.settings.topics))
        elif fresh:
            self._note(name, Beginning(self._wall() - begin))
            self._take(name, self._begin(name, part.settings.topics))

    def _begin(self, name: str, topics: Sequence[str]) -> Iterator[Replayed]:
        """Give it the rest of what is kept, page by page. A page of which it did not take all, because it is full, is
        gone on with at the next step. How far it is is written right behind what it was given."""
        beginning, count = self._store.beginning(name), 0
        if beginning is None:
            return
        route, since = Router([(topics, name)]).route, beginning.since
        for page, kept in self._store.history(name, beginning.page, beginning.until):
            fresh = [one for one, at in kept if at is None and one.received_at >= since and route(one.topic)]
            while fresh:
                taken = self._hub.steering.give(name, fresh)
                count, fresh = count + taken, fresh[taken:]
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
        queue, given = hub.steering.queue(name), 0
        while queue.store.durable and self._store.beginning(name) is None and self._goes_on():
            yield deferLater(hub.reactor, MOMENT)  # it was ordered, and is not committed yet
        while self._goes_on() and self._is_there(name):
            if queue.draining:
                yield deferLater(hub.reactor, ROOM_EVERY)
                continue
            step = next(steps, None)
            if step is None:
                self._log.info("consumer %s was given %d messages that were kept", name, given, extra=extra)
                return
            given = step.given
            yield deferLater(hub.reactor, ROOM_EVERY) if step.not_taken else breath(hub)
        if given:
            text = "consumer %s was given %d messages that were kept, and is given the rest when it is there again"
            self._log.warning(text, name, given, extra=extra)

    def _is_there(self, name: str) -> bool:
        try:
            self._hub.steering.queue(name)
        except NoSuchQueue:
            return False
        return True

    def _tell(self, failure: Failure, name: str) -> None:
        text = "consumer %s was not given all that is kept: %s"
        self._log.error(text, name, failure.getErrorMessage(), extra={"action": "begin", "consumer": name})

    def _over(self, _: object, name: str) -> None:
        self._active.discard(name)
