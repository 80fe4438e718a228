"""The consumers of a running hub: their queues and crews, who joins and who leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hub.configuration.schema import ConsumerSettings, Part
from hub.consumer import Consumer, Context
from hub.errors import ConfigError
from hub.partlog import part_log
from hub.parts.succession import Succession
from hub.queue.ordering import lane_of
from hub.queue.overflow import Measure, QueuePolicy
from hub.queue.queue import Queue
from hub.queue.trial import Trial
from hub.router import Router
from hub.stats.counters import QueueStats
from hub.stats.rates import Rates
from hub.store import Store
from hub.workers.crew import Crew, CrewPolicy
from hub.workers.retry import RetryPolicy
from hub.workers.worker import Surroundings, WorkerPolicy

MOST_IN_MEMORY = 100_000
MOST_BYTES_IN_MEMORY = 128 << 20
"""Bounds of a queue that is not durable, where nothing is configured."""
LETTERS_ROOM = 0.25
"""Share of ``max_disk`` that all dead letters together may take."""

Publish = Callable[[str, object, Mapping[str, str], str | None], None]


@dataclass
class Member:
    """One consumer: what was configured, its queue, and its crew."""

    part: Part
    queue: Queue
    crew: Crew
    rates: Rates

    def sample(self, now: float) -> QueueStats:
        """Note its numbers at monotonic time ``now``. Returns those of its queue."""
        stats = self.queue.stats()
        self.rates.sample(now, stats, self.crew.busy(now), self.queue.store.lost_dead_letters(self.queue.name))
        return stats


class Roster:
    """Belongs to the reactor's thread.

    :ivar members: the consumers, by name.
    :ivar leaving: crews that were told to stop and have not gone yet.
    :ivar orphans: queues of consumers that are configured no more, with what they hold; one that comes back under its
        old name finds its queue again.
    :ivar comply: called with a consumer's name before its threads are: what was ordered before holds from its first
        message on. :ivar renamed: called with a queue's old name and its new one.
    :param store: of the queues that are durable. :param memory: of the others.
    :param holds_back: whether every bus keeps what is not read, for ``overflow = "auto"``; :meth:`suit` changes it.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        store: Store,
        memory: Store,
        publish: Publish,
        state_dir: Path,
        on_room: Callable[[], None],
        holds_back: bool,
    ) -> None:
        self.members: dict[str, Member] = {}
        self.leaving: list[Crew] = []
        self.orphans: dict[str, Member] = {}
        self.comply: Callable[[str], None] = lambda name: None
        self.renamed: Callable[[str, str], None] = lambda old, new: None
        self._around = surroundings
        self._trial = Trial(surroundings.monotonic)
        self._store, self._memory = store, memory
        self._publish = publish
        self._state_dir = state_dir
        self._on_room = on_room
        self._holds_back = holds_back
        self._max_disk: int | None = None
        self.succession = Succession(store, memory, lambda old, new: self.renamed(old, new))

    def make(self, part: Part) -> Consumer:
        """A new instance of the consumer's class. :raises ConfigError: its constructor failed."""
        log = part_log("consumer", part.name)
        context = Context(part.name, part.config, log, self._publish, self._state_dir)
        try:
            consumer = part.plugin.make(f"consumers.{part.name}", context)
        except ConfigError:
            raise
        except (Exception, SystemExit) as error:
            log.error("the consumer could not be made", exc_info=error, extra={"action": "make"})
            raise ConfigError([f"consumers.{part.name}: {part.plugin.cls.__name__}() failed: {error!r}"]) from error
        assert isinstance(consumer, Consumer)
        return consumer

    def hire(self, part: Part, consumer: Consumer) -> None:
        """Start a crew for it, on its old queue where there is one."""
        previous = self.members.pop(part.name, None) or self.orphans.pop(part.name, None)
        previous = self._successor(part, previous)
        store = self.succession.store_for(part, previous.queue if previous else None)
        part = self._in_force(part, store)
        policy = queue_policy(part.settings, self._holds_back)
        if previous is not None and previous.queue.store is store:
            queue, rates = previous.queue, previous.rates
            queue.adopt(policy)
        else:
            clocks = (self._around.monotonic, self._around.wall)
            queue, rates = Queue(part.name, policy, store, *clocks, self._on_room, self._trial), Rates()
            if previous is not None:
                queue.count_on(previous.queue.stats().counters)
        crew = Crew(consumer, queue, crew_policy(part), self._around, part_log("consumer", part.name))
        if previous is not None:
            crew.follow(previous.crew)
        member = self.members[part.name] = Member(part, queue, crew, rates)
        member.sample(self._around.monotonic())  # what comes before the next sample is counted from here
        self._limit_letters(member)
        self.comply(part.name)
        crew.start()

    def _successor(self, part: Part, own: Member | None) -> Member | None:
        """Its queue with all that belongs to it: perhaps the one of its former name."""
        before = part.settings.renamed_from
        orphan = self.orphans.get(before) if before else None
        queues = (own.queue if own else None, orphan.queue if orphan else None)
        if not self.succession.rename(part, *queues, before in self.members):
            return own
        return self.orphans.pop(before, None) if before else None

    def _in_force(self, part: Part, store: Store) -> Part:
        """As it is, with that store. A reload that finds it otherwise configured tries again."""
        changes: dict[str, object] = {}
        if store is not (self._store if part.settings.durable else self._memory):
            changes["durable"] = store.durable
        if any(f".{part.name}.renamed_from:" in problem for problem in self.succession.problems):
            changes["renamed_from"] = None
        return replace(part, settings=part.settings.model_copy(update=changes)) if changes else part

    def stop(self, name: str) -> Crew:
        """Tell its crew to finish what it has in hand; the queue goes on taking messages."""
        crew = self.members[name].crew
        crew.stop()
        self.leaving.append(crew)
        return crew

    def dismiss(self, name: str) -> None:
        """It is configured no more: its queue takes no more messages, and keeps what it has."""
        self.orphans[name] = self.members.pop(name)

    def router(self) -> Router[Queue]:
        """From topics to the queues of the members."""
        return Router((member.part.settings.topics, member.queue) for member in self.members.values())

    def patterns(self) -> list[str]:
        """All that some consumer wants, for the backends to subscribe to."""
        return sorted({topic for member in self.members.values() for topic in member.part.settings.topics})

    def crews(self) -> list[Crew]:
        """Those that work, and those that are leaving."""
        self.leaving = [crew for crew in self.leaving if not crew.gone.is_set()]
        return [*(member.crew for member in self.members.values()), *self.leaving]

    def suit(self, holds_back: bool) -> None:
        """The buses are others now. What ``overflow = "auto"`` means goes by them, for each queue at once.

        :param holds_back: whether every one of them keeps what is not read.
        """
        self._holds_back = holds_back
        for member in self.members.values():
            overflow = overflow_of(member.part.settings, holds_back)
            member.queue.adopt(replace(member.queue.policy, overflow=overflow))

    def squeeze(self, squeezed: bool) -> None:
        """The store is, or is no longer, larger than it may be: the queues that it keeps behave as if full."""
        for member in self.members.values():
            if member.queue.store.durable:
                member.queue.squeeze(squeezed)

    def limit_letters(self, max_disk: int | None) -> None:
        """Dead letters that are too many, too large together or too old go. Again and again, for they grow older.

        :param max_disk: bytes that the store may have in use. Letters are a part of that, and no reason to be full.
        """
        self._max_disk = max_disk
        for member in self.members.values():
            self._limit_letters(member)

    def _limit_letters(self, member: Member) -> None:
        settings, size = member.part.settings, member.part.settings.max_dead_bytes
        if self._max_disk is not None:
            size = min(size, int(self._max_disk * LETTERS_ROOM) // max(1, len(self.members)))
        member.queue.store.limit_dead_letters(member.part.name, settings.max_dead, size, settings.max_dead_age)

    def full(self) -> bool:
        """Whether some queue wants the buses to be held back."""
        return any(member.queue.full for member in self.members.values())


def queue_policy(settings: ConsumerSettings, holds_back: bool) -> QueuePolicy:
    """What the settings say about the queue."""
    in_memory = not settings.durable
    return QueuePolicy(
        max_backlog=settings.max_backlog or (MOST_IN_MEMORY if in_memory else None),
        max_bytes=settings.max_backlog_bytes or (MOST_BYTES_IN_MEMORY if in_memory else None),
        overflow=overflow_of(settings, holds_back),
        lane_of=lane_of(settings),
        max_age=settings.max_age,
        max_kills=settings.max_kills,
    )


def overflow_of(settings: ConsumerSettings, holds_back: bool) -> Measure:
    """What a full queue does.

    Blocking a bus that does not keep what is not read would only move the loss to where nobody counts it, and hold up
    the other consumers for it; so ``auto`` refuses the newest there, and counts: what was accepted stays.
    """
    if settings.overflow != "auto":
        return settings.overflow
    return "block" if holds_back else "drop_newest"


def crew_policy(part: Part) -> CrewPolicy:
    """What the settings say about the threads; a class that overrides ``consume_batch`` is given batches."""
    settings: Any = part.settings
    batches = part.plugin.cls.consume_batch is not Consumer.consume_batch
    return CrewPolicy(
        threads=settings.threads,
        timeout=settings.timeout,
        every=settings.every,
        worker=WorkerPolicy(
            retry=RetryPolicy(settings.max_attempts, settings.backoff, settings.backoff_limit),
            batch_size=settings.batch_size if batches else None,
            batch_wait=settings.batch_wait if batches else 0.0,
        ),
    )
