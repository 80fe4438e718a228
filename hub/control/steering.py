"""What an operator can do to the queues of a running hub. In the reactor's thread, all of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

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
from hub.router import Router
from hub.store import Store
from hub.workers.supervisor import Supervisor, stack_of


class NoSuchQueue(HubError):
    """No consumer, and no queue without one, is called so. Met by whoever asked."""


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
        return [name for name in self._store.queues() if name not in self._roster.members]

    # -- consumers

    def pause(self, name: str, until: float | None) -> None:
        """Have it take no more messages. :param until: epoch seconds; ``None``: until it is resumed.

        :raises ValueError: that time is over.
        """
        queue = self.queue(name)
        if until is not None and until <= self._wall():
            raise ValueError("that time is over: give one that is to come")
        self.standing.pause(name, until)
        queue.pause()

    def resume(self, name: str) -> None:
        """Undo a pause and a drain."""
        queue = self.queue(name)
        self.standing.resume(name)
        queue.resume()
        self._roster.members[name].rates.restart()

    def drain(self, name: str) -> None:
        """Give it no more messages; it works off what it has."""
        queue = self.queue(name)
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
            member = self._roster.members[name]
            self.standing.end_pause(name)
            member.queue.end_pause()
            member.rates.restart()
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

    def delete_letters(self, name: str, numbers: Collection[int]) -> int:
        """Returns how many there were."""
        wanted = set(numbers)
        found = [letter.number for letter in self.dead_letters(name) if letter.number in wanted]
        self.store_of(name).remove_letters(name, found)
        return len(found)

    def retry_letters(self, name: str, numbers: Collection[int]) -> tuple[int, int]:
        """Put them into their queue again, as if they had come now.

        :returns: their positions, the first and that after the last one.
        """
        queue = self.queue(name)
        wanted = set(numbers)
        letters = [letter for letter in self.dead_letters(name) if letter.number in wanted]
        start, stop = self._deliver(queue, [letter.message for letter in letters])
        # Those that a full queue did not take stay dead letters.
        queue.store.remove_letters(name, [letter.number for letter in letters[: stop - start]])
        return start, stop

    def _deliver(self, queue: Queue, messages: Sequence[Message]) -> tuple[int, int]:
        now = self._wall()
        fresh = [msgspec.structs.replace(message, received_at=now) for message in messages]
        start = queue.next_position
        if fresh:
            self._enqueuer.deliver(fresh, [(queue, None)], sum([len(m.body) for m in fresh]), None, copy=True)
        return start, queue.next_position

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

    def pending(self) -> int:
        """Batches that wait for the disk."""
        return int(self._store.status().get("pending", 0))

    def replay(self, order: ReplayOrder) -> Iterator[tuple[int, float]]:
        """Give kept messages to one consumer again. Each step is short; between two others have their turn.

        :returns: after each page, how many there were so far, and when the last one had been received.
        :raises NoSuchQueue: no consumer is called so.
        """
        queue = self.queue(order.consumer)
        topics = order.topics or self._roster.members[order.consumer].part.settings.topics
        return self._replay(queue, Router([(topics, queue)]).route, order)

    def _replay(
        self, queue: Queue, route: Callable[[str], Collection[Queue]], order: ReplayOrder
    ) -> Iterator[tuple[int, float]]:
        count = 0
        for page in self._store.kept(order.since, order.until):
            wanted = [message for message in page if route(message.topic)]
            if not order.dry_run:
                self._deliver(queue, wanted)
            count += len(wanted)
            yield count, page[-1].received_at
