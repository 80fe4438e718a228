"""The registry of all queues, whoever drains them, with the operations on all of them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from hub.errors import HubError, NotFound
from hub.parts.crowd import Crowds
from hub.parts.holds import NO_HOLDS, ConsumerHolds
from hub.parts.job_member import JobMember
from hub.parts.queue_entry import Member, QueueEntry
from hub.queue.stored import StoredQueue
from hub.refused import PREFIX
from hub.store import Store
from hub.text import some_of

LETTERS_ROOM = 0.25
"""Share of ``max_disk`` that all dead letters together may take."""
READS_AT_ONCE = 16
"""Queues that may read the store in one sample, to see what has expired."""


class NoSuchQueue(NotFound):
    """No consumer or queue has that name. Answered to the caller."""


class Drained(HubError):
    """A drained consumer takes no messages. Answered to the caller; nothing was lost."""


class Queues:
    """The registry of queues. Belongs to the reactor's thread.

    :ivar members: queues that consumers drain, by name; :class:`hub.parts.consumers.Consumers` maintains them.
    :ivar others: queues that something else drains, by name; see :meth:`add`.
    :ivar jobs: consumers of jobs, whose queues are in a database, by name; they are maintained there, too.
    :ivar orphans: open queues whose consumers are no longer configured; a consumer that returns gets its queue back.
    :param store: for durable queues.
    :param holds: earlier pauses and drains; they apply to a queue from its first message on.
    """

    def __init__(self, store: Store, holds: ConsumerHolds = NO_HOLDS) -> None:
        self.members: dict[str, Member] = {}
        self.others: dict[str, QueueEntry] = {}
        self.jobs: dict[str, JobMember] = {}
        self.orphans: dict[str, Member] = {}
        self.holds = holds
        self._crowds = Crowds()
        self._store = store
        self._max_disk: int | None = None
        self._over_quota = False
        self._next_reading = 0

    # -- lookup

    @property
    def active(self) -> Mapping[str, QueueEntry]:
        """Queues that somebody drains, by name."""
        return {**self.members, **self.others, **self.jobs}

    def opened(self) -> list[QueueEntry]:
        """Open queues: first those that somebody drains, then orphans."""
        return list(chain(self.members.values(), self.others.values(), self.orphans.values()))

    def all(self) -> list[QueueEntry]:
        """All queues: first the open ones, then those only in the store."""
        opened = [*self.opened(), *self.jobs.values()]
        known = {entry.name for entry in opened}
        names = [name for name in self._store.queues() if name not in known and not name.startswith(PREFIX)]
        return [*opened, *(QueueEntry(StoredQueue(self._store, name)) for name in names)]

    def rows(self) -> list[QueueEntry]:
        """The entries that have a row in the status: all queues, but of many declared ones the crowds."""
        return [*(entry for entry in self.all() if not self._crowds.hides(entry.name)), *self._crowds]

    def entry(self, name: str) -> QueueEntry:
        """The queue of a name, if somebody drains it. :raises NoSuchQueue: there is none."""
        active = self.active
        if name not in active:
            if self._crowds.named(name):
                raise NoSuchQueue(f"{name!r} are the sums of several queues: name one of them")
            raise NoSuchQueue(f"no consumer is called {name!r}: there are {some_of(active)}")
        return active[name]

    def consumer(self, name: str) -> Member | JobMember:
        """The queue of a configured consumer, of jobs or of messages. :raises NoSuchQueue: there is none of that
        name."""
        return self.jobs[name] if name in self.jobs else self.member(name)

    def member(self, name: str) -> Member:
        """The queue of a configured consumer of messages. :raises NoSuchQueue: there is none of that name."""
        if name in self.jobs:
            raise NoSuchQueue(f"{name!r} is a consumer of jobs: its queue is in a database, not in the hub")
        if name in self.others:
            raise NoSuchQueue(f"{name!r} is a queue that no consumer drains: it has no threads")
        if name not in self.members:
            raise NoSuchQueue(f"no consumer is called {name!r}: there are {', '.join(self.members) or 'none'}")
        return self.members[name]

    def has_messages_of(self, name: str) -> bool:
        """Tell whether there is a queue of messages of that name, open or in the store."""
        return any(name in entries for entries in (self.members, self.others, self.orphans, self._store.queues()))

    def taking(self, name: str) -> QueueEntry:
        """The queue of a name, to put messages into. Raises as ``entry``. :raises Drained: it would drop them."""
        entry = self.entry(name)
        if entry.opened.draining:
            raise Drained(f"{name} is drained and takes no messages in: resume it first")
        return entry

    def stored(self, name: str) -> StoredQueue:
        """The stored part of a queue. :raises NoSuchQueue: there is no such queue."""
        entry = self.active.get(name) or self.orphans.get(name)
        if entry is not None:
            return entry.stored
        if name in self._store.queues() and not name.startswith(PREFIX):
            return StoredQueue(self._store, name)
        raise NoSuchQueue(f"no consumer is called {name!r}, and no queue")

    def delete(self, name: str) -> None:
        """Delete an orphan or declared queue with its dead letters. The owner of a declared one is told.

        :raises HubError: something else drains it.
        """
        if name in self.members:
            raise HubError(f"{name!r} is the queue of a consumer: take it out of the configuration and reload first")
        if name in self.others:
            if (delete := self.others[name].delete) is None:
                raise HubError(f"{name!r} is drained by {self.others[name].drained_by}: it can't be deleted")
            delete()
            return
        stored = self.stored(name)
        orphan = self.orphans.pop(name, None)
        stored.delete()
        if orphan is not None:
            orphan.queue.announcer.excuse()

    # -- queues without a consumer

    def add(self, entry: QueueEntry, now: float | None = None) -> None:
        """Add a queue that its owner drains and routes to; the hub counts, shows, limits and controls it.

        :param now: monotonic seconds, for the baseline of its rates; ``None``: the first sample is the baseline.
        :raises HubError: somebody drains another queue of that name.
        """
        if entry.name in self.members or entry.name in self.others:
            raise HubError(f"there is a queue {entry.name!r} already")
        self.orphans.pop(entry.name, None)
        self.others[entry.name] = entry
        if now is not None:
            entry.sample(now)
        if entry.declared:
            self._crowds.add(entry, now)
        self.limit(entry)
        self.reapply_holds(entry)
        if self._over_quota:
            _set_quota(entry, True)

    def move(self, entry: QueueEntry, crowd: str | None) -> None:
        """Count a declared queue to another crowd."""
        if entry.crowd != crowd:
            self._crowds.remove(entry.name)
            entry.crowd = crowd
            self._crowds.add(entry)

    def remove(self, name: str) -> None:
        """Remove a queue whose owner is gone. Its stored messages stay, as an orphan."""
        entry = self.others.pop(name)
        self._crowds.remove(name)
        if entry.queue is not None:
            entry.queue.announcer.excuse()

    # -- operations on all queues

    def reapply_holds(self, entry: QueueEntry) -> None:
        """Apply an earlier pause or drain to the current owner of a queue."""
        if entry.queue is not None and self.holds.paused(entry.name):
            entry.queue.pause()
        if entry.queue is not None and self.holds.draining(entry.name):
            entry.queue.drain()

    def sample(self, now: float) -> int:
        """Record the numbers of all queues at monotonic time ``now``, and drop expired messages. :returns: the total
        backlog."""
        backlog = 0
        for entry in [*self.opened(), *self.jobs.values()]:
            if not self._crowds.hides(entry.name):
                backlog += entry.sample(now).counters.backlog
        self._expire()
        return backlog + sum([crowd.sample(now).counters.backlog for crowd in self._crowds])

    def _expire(self) -> None:
        """Drop expired messages. Only some queues, in turn, may read the store: this is the reactor's thread."""
        queues = [entry.queue for entry in self.opened() if entry.queue is not None]
        first, reads = self._next_reading % max(1, len(queues)), 0
        for at, queue in enumerate([*queues[first:], *queues[:first]], first):
            if queue.expire(reads < READS_AT_ONCE):
                self._next_reading, reads = at + 1, reads + 1

    def over_quota(self, over: bool) -> None:
        """Make stored queues behave as full, or no longer, because the store passed its size limit."""
        self._over_quota = over
        for entry in self.active.values():
            _set_quota(entry, over)

    def largest(self) -> str:
        """Name of the stored queue with the most bytes that wait; empty: nothing waits."""
        stored = [entry for entry in self.opened() if entry.queue is not None and entry.stored.durable]
        sizes = [(entry.queue.inspect.total_bytes(), entry.name) for entry in stored if entry.queue is not None]
        size, name = max(sizes, default=(0, ""))
        return name if size else ""

    def full(self) -> bool:
        """True if some queue wants the buses held back."""
        return any(entry.queue is not None and entry.queue.full for entry in self.active.values())

    def limit_letters(self, max_disk: int | None) -> None:
        """Drop dead letters beyond the limits of number, bytes and age. Call it periodically.

        :param max_disk: bytes that the store may use; dead letters take at most a share of that.
        """
        self._max_disk = max_disk
        share = self._letters_share()
        for entry in self.active.values():
            _limit_letters(entry, share)

    def limit(self, entry: QueueEntry) -> None:
        """Drop the dead letters of one queue beyond its limits."""
        _limit_letters(entry, self._letters_share())

    def _letters_share(self) -> int | None:
        """Most bytes of the dead letters of one durable queue; ``None``: ``max_disk`` is not set."""
        if self._max_disk is None:
            return None
        sharing = sum([other.stored.durable for other in chain(self.members.values(), self.others.values())])
        return int(self._max_disk * LETTERS_ROOM) // max(1, sharing)


def _set_quota(entry: QueueEntry, over: bool) -> None:
    if entry.queue is not None and entry.stored.durable:
        entry.queue.over_quota(over)


def _limit_letters(entry: QueueEntry, share: int | None) -> None:
    limits, size = entry.letters, entry.letters.size
    if share is not None and entry.stored.durable:
        size = min(size, share)
    entry.stored.limit_letters(limits.count, size, limits.age)
