"""Entries of the registry of queues: a queue with its owner, drained by a consumer's threads, something else, or
nobody."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from hub.configuration.schema import Part
from hub.errors import HubError
from hub.queue.queue import Queue
from hub.queue.stored import StoredQueue
from hub.stats.counters import QueueStats
from hub.stats.rates import Rates
from hub.status.states import NOBODY as NOBODY
from hub.store.letters import LetterLimits
from hub.workers.crew import Crew

THREADS = "threads"
LETTER_LIMITS = LetterLimits(10_000, 64 << 20, 180 * 86400.0)
"""Limits of dead letters for queues without settings: a consumer's defaults."""


@dataclass
class QueueEntry:
    """A queue in the registry, which the status, limits of dead letters, ``max_disk`` and message traces iterate over.

    :ivar stored: the part of the queue that is in its store.
    :ivar queue: the open queue; ``None``: it is only in the store.
    :ivar drained_by: the taker of its messages: ``threads``, ``nobody``, or its owner's name for itself.
    :ivar readers: number of clients that read it, if a backend has declared it; ``None``: nobody counts them.
    :ivar topics: its topic patterns.
    :ivar kind: the type of its owner, as in ``hub.conf``; ``None``: not known.
    :ivar delete: deletes the queue by way of its owner, if a backend has declared it; ``None``: nobody has.
    :ivar crowd: the crowd that its backend counts it to; ``None``: to none, its name stays.
    :ivar summed_in: the name of the crowd that it is in; ``None``: exporters are shown its own row.
    :ivar part: the configuration of its consumer. :ivar crew: the threads that drain it, or did. ``None``: no consumer.
    """

    stored: StoredQueue
    queue: Queue | None = None
    drained_by: str = NOBODY
    topics: Collection[str] = ()
    kind: str | None = None
    letters: LetterLimits = LETTER_LIMITS
    rates: Rates = field(default_factory=Rates)
    part: Part | None = None
    crew: Crew | None = None
    delete: Callable[[], None] | None = None
    crowd: str | None = None
    summed_in: str | None = None
    readers: int | None = None

    @classmethod
    def of(cls, queue: Queue, drained_by: str, topics: Collection[str] = (), kind: str | None = None) -> QueueEntry:
        """Make the entry of an open queue without a consumer."""
        return cls(queue.stored, queue, drained_by, topics, kind)

    @property
    def name(self) -> str:
        """The name of the queue."""
        return self.stored.name if self.queue is None else self.queue.name

    @property
    def opened(self) -> Queue:
        """The open queue. :raises HubError: it is not open."""
        if self.queue is None:
            raise HubError(f"the queue {self.name!r} is not open: no consumer of this hub has it")
        return self.queue

    @property
    def paused(self) -> bool:
        """True if it is paused, while somebody drains it."""
        return self.queue is not None and self.queue.paused and not self.orphan

    @property
    def draining(self) -> bool:
        """True if new messages are dropped, while somebody drains it."""
        return self.queue is not None and self.queue.draining and not self.orphan

    @property
    def orphan(self) -> bool:
        """True if nobody drains the queue, or will: a declared queue may be read again."""
        return self.drained_by == NOBODY and not self.declared

    @property
    def declared(self) -> bool:
        """True if a backend has declared the queue."""
        return self.delete is not None

    @property
    def of_one_client(self) -> bool:
        """True if the queue belongs to one client of a backend, as a subscription does."""
        return self.summed_in is not None

    @property
    def unread(self) -> bool:
        """True if nobody reads the declared queue now."""
        return self.drained_by == NOBODY and self.declared

    def stats(self, last: QueueStats | None = None) -> QueueStats:
        """The queue's numbers. :param last: as of ``Queue.stats``."""
        return self.stored.stats() if self.queue is None else self.queue.stats(last)

    def busy(self, now: float) -> float:
        """Seconds that threads have spent on the queue's messages, up to monotonic time ``now``."""
        return 0.0 if self.crew is None else self.crew.busy(now)

    def sample(self, now: float) -> QueueStats:
        """Record the queue's numbers at monotonic time ``now``, and return them."""
        stats = self.stats()
        self.rates.sample(now, stats, self.busy(now), self.stored.lost_letters)
        return stats


class Member(QueueEntry):
    """The queue of a consumer, which its crew drains."""

    queue: Queue
    part: Part
    crew: Crew

    def __init__(self, part: Part, queue: Queue, crew: Crew, rates: Rates) -> None:
        settings = part.settings
        letters = LetterLimits(settings.max_dead, settings.max_dead_bytes, settings.max_dead_age)
        super().__init__(queue.stored, queue, THREADS, settings.topics, settings.type, letters, rates, part, crew)
