"""What an operator can do to the queues of a running hub. In the reactor's thread, all of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from hub.control.standing import StandingOrders
from hub.control.whereabouts import Whereabouts
from hub.deadletter import DeadLetter
from hub.enqueuer import Enqueuer
from hub.errors import HubError
from hub.interfaces import Clock
from hub.message import Message
from hub.parts.fleet import Fleet
from hub.parts.roster import Roster
from hub.queue.queue import Queue
from hub.refused import PREFIX
from hub.router import Router
from hub.store import Store
from hub.workers.supervisor import Supervisor, stack_of

LOOK_UP = 512
"""Bytes that a dead letter is reckoned at beside its body and traceback, and one that is not there."""


class NoSuchQueue(HubError):
    """No consumer, and no queue without one, is called so. Met by whoever asked."""


class Drained(HubError):
    """A consumer that takes no messages in was to be given some. Met by whoever asked; nothing was lost."""


class Held(HubError):
    """A consumer was to be paused and drained both: what comes would be dropped, and what it has not be worked off.
    Met by whoever asked; what was ordered before holds."""


class ReplayOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages are to be given again, and to whom.

    :ivar since: epoch seconds. :ivar until: epoch seconds. :ivar topics: patterns; empty: those of the consumer.
    :ivar dry_run: only count them.
    """

    consumer: str
    since: float
    until: float
    topics: Sequence[str] = ()
    dry_run: bool = False


class Replayed(NamedTuple):
    """How far a replay is.

    :ivar given: messages so far. :ivar left_out: those that still wait for the consumer, or are in hand.
    :ivar at: epoch seconds at which the last one had been received.
    :ivar not_taken: those that a full queue did not take; all that come after the first one are.
    """

    given: int
    left_out: int
    at: float
    not_taken: int = 0


class Steering:
    """See the module. :param store: of the queues that are durable."""

    def __init__(
        self,
        roster: Roster,
        fleet: Fleet,
        enqueuer: Enqueuer,
        store: Store,
        supervisor: Supervisor,
        standing: StandingOrders,
        wall: Clock,
    ) -> None:
        self.standing = standing
        self._roster = roster
        roster.comply, roster.renamed = self.comply, standing.rename
        self._fleet = fleet
        self._enqueuer = enqueuer
        self._store = store
        self._supervisor = supervisor
        self._wall = wall

    def queue(self, name: str) -> Queue:
        """Of a consumer that is configured. :raises NoSuchQueue: none is called so."""
        if name not in self._roster.members:
            raise NoSuchQueue(f"no consumer is called {name!r}: there are {', '.join(self._roster.members) or 'none'}")
        return self._roster.members[name].queue

    def open_queue(self, name: str) -> Queue:
        """As ``queue``, to put messages into: a drained one would drop them. :raises Drained: it is."""
        queue = self.queue(name)
        if queue.draining:
            raise Drained(f"{name} is drained and takes no messages in: resume it first")
        return queue

    def store_of(self, name: str) -> Store:
        """Where its messages and dead letters are. :raises NoSuchQueue: there is none."""
        member = self._roster.members.get(name) or self._roster.orphans.get(name)
        if member is not None:
            return member.queue.store
        if name in self.orphans():
            return self._store
        raise NoSuchQueue(f"no consumer is called {name!r}, and no queue")

    def orphans(self) -> list[str]:
        """Queues that belong to no consumer."""
        return [
            name for name in self._store.queues() if name not in self._roster.members and not name.startswith(PREFIX)
        ]

    # -- consumers

    def pause(self, name: str, until: float | None) -> None:
        """Have it take no more messages. :param until: epoch seconds; ``None``: until it is resumed.

        :raises ValueError: that time is over. :raises Held: it drains.
        """
        queue = self.queue(name)
        if until is not None and until <= self._wall():
            raise ValueError("that time is over: give one that is to come")
        if queue.draining:
            raise Held(f"{name} is drained, so what comes for it is dropped and would not wait: resume it first")
        self.standing.pause(name, until)
        queue.pause()

    def resume(self, name: str) -> None:
        """Undo a pause and a drain."""
        queue = self.queue(name)
        self.standing.resume(name)
        queue.resume()
        self._roster.members[name].rates.restart()

    def drain(self, name: str) -> None:
        """Give it no more messages; it works off what it has. :raises Held: it is paused."""
        queue = self.queue(name)
        if queue.paused:
            raise Held(f"{name} is paused, so it would not work off what waits: resume it first")
        self.standing.drain(name)
        queue.drain()

    def comply(self, name: str) -> None:
        """A consumer is hired: what was ordered before holds for it too."""
        queue = self.queue(name)
        if self.standing.paused(name):
            queue.pause()
        if self.standing.draining(name):
            queue.drain()

    def end_pauses(self) -> list[str]:
        """Resume those whose time has come. Returns who."""
        over = [name for name in self.standing.over(self._wall()) if name in self._roster.members]
        for name in over:
            self.resume(name)
        return over

    def drain_hub(self, draining: bool) -> None:
        """Hold the buses back, or let them go on."""
        self.standing.drain_hub(draining)
        self._fleet.drain(draining)

    def threads(self, name: str) -> list[dict[str, Any]]:
        """Of that consumer, each with its stack."""
        self.queue(name)
        crew = self._roster.members[name].crew
        rows = self._supervisor.threads(crew)
        return [{**row, "stack": stack_of(thread)} for row, (_, thread) in zip(rows, crew.workers, strict=True)]

    def set_threads(self, name: str, count: int) -> int:
        """Change their number. Returns how many there were.

        :raises HubError: the consumer takes one message at a time, or has not started.
        """
        self.queue(name)
        member = self._roster.members[name]
        if count > 1 and member.part.settings.ordering == "strict":
            raise HubError(f"{name} keeps strict order: it takes one message at a time")
        before = member.crew.resize(count)
        member.rates.restart()
        return before

    def whereabouts(self, id_: str) -> Whereabouts:
        """To find out what became of the messages of that id."""
        route = self._enqueuer.router.route
        return Whereabouts(id_, self._roster, self._store, route, self._supervisor.now, self._wall)

    # -- dead letters

    def dead_letters(self, name: str, after: int = 0, size: int | None = None) -> Sequence[DeadLetter]:
        """The oldest first; see :meth:`hub.store.Store.dead_letters`."""
        return self.store_of(name).dead_letters(name, after, size)

    def delete_letters(self, name: str, numbers: Collection[int], size: int) -> Iterator[int]:
        """In steps of about ``size`` bytes; between two others have their turn.

        :returns: after each, how many there were so far.
        """
        left, count = deque(sorted(set(numbers))), 0
        while True:
            letters = self._some_letters(name, left, size)
            self.store_of(name).remove_letters(name, [letter.number for letter in letters])
            count += len(letters)
            yield count
            if not left:
                return

    def retry_letters(self, name: str, numbers: Collection[int], size: int) -> Iterator[tuple[int, int, int, int]]:
        """Put them into their queue again, as if they had come now, in such steps. From where the queue is full on they
        stay dead letters, and are only counted.

        :returns: after each, their positions so far, the first and that after the last one, between which others' may
            lie; how many they are; and how many were not taken.
        :raises Drained: the consumer is; the rest stays where it is.
        """
        left, count, refused, first, stop = deque(sorted(set(numbers))), 0, 0, 0, 0
        while True:
            queue = self.open_queue(name)
            letters = self._some_letters(name, left, size)
            if not refused:
                start, stop = self._deliver(queue, [letter.message for letter in letters])
                taken = letters[: stop - start]
                queue.store.remove_letters(name, [letter.number for letter in taken], again=True)
                first = first if count else start
                count += len(taken)
                letters = letters[len(taken) :]
            refused += len(letters)
            yield first, stop, count, refused
            if not left:
                return

    def _some_letters(self, name: str, numbers: deque[int], size: int) -> list[DeadLetter]:
        """The first of them, about so many bytes; their numbers are taken out. Some may not be there any more."""
        store, found = self.store_of(name), []
        while numbers and size > 0:
            size -= LOOK_UP
            if (letter := store.letter(name, numbers.popleft())) is not None:
                found.append(letter)
                size -= len(letter.message.body) + len(letter.traceback)
        return found

    def give(self, name: str, messages: Sequence[Message]) -> int:
        """Put them into its queue, as if they had come now. Returns how many it took: the first ones.

        :raises Drained: the consumer is.
        """
        start, stop = self._deliver(self.open_queue(name), messages)
        return stop - start

    def _deliver(self, queue: Queue, messages: Sequence[Message]) -> tuple[int, int]:
        now = self._wall()
        fresh = [msgspec.structs.replace(message, received_at=now) for message in messages]
        start = queue.next_position
        if fresh:
            self._enqueuer.deliver(fresh, [(queue, None)], sum([len(m.body) for m in fresh]), None, copy=True)
        return start, queue.next_position

    # -- input that can't be used

    def refusing(self, backend: str) -> list[str]:
        """That backend; empty: all that have refused something. :raises NoSuchQueue: none is called so."""
        known = sorted({*self._enqueuer.refused.backends(), *self._fleet.backends})
        if backend and backend not in known:
            raise NoSuchQueue(f"no backend is called {backend!r}: there are {', '.join(known) or 'none'}")
        return [backend] if backend else known

    def refused(self, backend: str, after: int = 0, size: int | None = None) -> Sequence[DeadLetter]:
        """What it refused last; see :meth:`hub.store.Store.dead_letters`."""
        return self._store.dead_letters(PREFIX + backend, after, size)

    def refused_one(self, backend: str, number: int) -> DeadLetter | None:
        """The one of that number, if it is kept."""
        return self._store.letter(PREFIX + backend, number)

    # -- queues

    def purge(self, name: str) -> int:
        """Drop all that waits. Returns how many."""
        return self.queue(name).purge()

    def delete(self, name: str) -> None:
        """A queue that belongs to no consumer, with its dead letters. :raises HubError: it belongs to one."""
        if name in self._roster.members:
            raise HubError(f"{name!r} is the queue of a consumer: take it out of the configuration and reload first")
        store = self.store_of(name)
        self._roster.orphans.pop(name, None)
        store.delete(name)
        if self.standing.paused(name) or self.standing.draining(name):  # one that comes with its name is not it
            self.standing.resume(name)

    # -- replay

    def when_stored(self, call: Callable[[], object]) -> None:
        """See :meth:`hub.store.Store.when_stored`."""
        self._store.when_stored(call)

    def pending(self) -> int:
        """Batches that wait for the disk."""
        return self._store.pending()

    def replay(self, order: ReplayOrder, waits: bool = False) -> Iterator[Replayed]:
        """Give kept messages to one consumer again. Each step is short; between two others have their turn.

        What was received for it and is not settled is left out, for it comes anyway. Of a queue that is not durable
        nobody knows that, nor of what was given to it by an earlier replay, or a retry of dead letters. What comes
        after the replay has begun is not its business.

        :param waits: where the queue is full, each further step tries to give the rest of the page, of which there are
            ``not_taken``.
        :returns: after each page, how far it is. Raises Drained where the consumer is, or comes to be, drained: the
            rest is not given.
        :raises NoSuchQueue: no consumer is called so. :raises ValueError: nothing can have been received then.
        """
        queue, now = self.queue(order.consumer), self._wall()
        if order.since > now:
            raise ValueError("'since' is a time that is to come: nothing was received then")
        if order.until < order.since:
            raise ValueError("'until' is before 'since': nothing was received then")
        topics = order.topics or self._roster.members[order.consumer].part.settings.topics
        return self._replay(queue, Router([(topics, queue)]).route, order, min(order.until, now), waits)

    def _replay(
        self, queue: Queue, route: Callable[[str], Collection[Queue]], order: ReplayOrder, until: float, waits: bool
    ) -> Iterator[Replayed]:
        count, left_out, not_taken, at = 0, 0, 0, order.since
        for page in self._store.kept(order.since, until, order.consumer):
            wanted = [one for one in page if route(one[0].topic)]
            settled = [message for message, at in wanted if at is None or not queue.unsettled(at, at + 1)]
            left_out += len(wanted) - len(settled)
            at = page[-1][0].received_at if page else at
            if order.dry_run:
                count, settled = count + len(settled), []
            while settled and not not_taken:
                start, stop = self._deliver(self.open_queue(order.consumer), settled)
                count, settled = count + stop - start, settled[stop - start :]
                if not waits:
                    break
                if settled:
                    yield Replayed(count, left_out, at, len(settled))
            not_taken += len(settled)
            yield Replayed(count, left_out, at, not_taken)
