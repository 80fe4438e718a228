"""What an operator can do to the queues of a running hub. In the reactor's thread, all of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from hub.deadletter import DeadLetter
from hub.enqueuer import Enqueuer
from hub.errors import HubError
from hub.interfaces import Clock
from hub.message import Message
from hub.queue import Queue
from hub.roster import Roster
from hub.router import Router
from hub.store import Store


class NoSuchQueue(HubError):
    """No consumer, and no queue without one, is called so. Met by whoever asked."""


@dataclass(frozen=True)
class ReplayOrder:
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

    def __init__(self, roster: Roster, enqueuer: Enqueuer, store: Store, wall: Clock) -> None:
        self._roster = roster
        self._enqueuer = enqueuer
        self._store = store
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

    # -- dead letters

    def dead_letters(self, name: str) -> Sequence[DeadLetter]:
        """The oldest first."""
        return self.store_of(name).dead_letters(name)

    def delete_letters(self, name: str, numbers: Collection[int]) -> int:
        """Returns how many there were."""
        found = [letter.number for letter in self.dead_letters(name) if letter.number in set(numbers)]
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
