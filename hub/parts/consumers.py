"""The manager of a hub's consumers, with their queues and crews."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks

from hub.configuration.schema import Part
from hub.consumer import NO_CONNECTIONS, Consumer, Context, no_database, no_status
from hub.errors import ConfigError
from hub.job_access import JobKeeper
from hub.message import Headers
from hub.partlog import part_log
from hub.parts.job_consumers import JobConsumers
from hub.parts.job_member import JobMember
from hub.parts.job_sources import JobSources
from hub.parts.manager import Manager
from hub.parts.policies import crew_policy, overflow_of, queue_policy
from hub.parts.queue_entry import NOBODY, Member
from hub.parts.queues import Queues
from hub.parts.resources import Resources
from hub.parts.status_reader import StatusReader
from hub.parts.succession import Succession
from hub.parts.waiting import all_set, within
from hub.queue.poison import Trial
from hub.queue.queue import Queue
from hub.router import Router
from hub.stats.rates import Rates
from hub.store import Outgoing, Store
from hub.workers.crew import Crew
from hub.workers.runtime import Runtime
from hub.workers.supervisor import is_held_up

QUEUES = "queues"
"""Source of the hold on the buses while a queue is full; see :class:`hub.parts.flow_control.FlowControl`."""

IN_USE = "is still in use, and keeps its queue"
DECLARED = (
    "is a declared queue, and its clients' alone: have one of them read it, or let this consumer have topics that they "
    "send to; 'hubbub queue delete' ends the queue"
)
"""Why a consumer can't take over the queue of its former name."""

Publish = Callable[[str, object, Headers, str | None], None]


class Consumers(Manager[Consumer]):
    """Runs the consumers; see :class:`hub.parts.manager.Manager`.

    :ivar members: consumers by name; :class:`hub.parts.queues.Queues` holds them among its queues.
    :ivar leaving: crews that were told to stop and still run.
    :ivar orphans: queues whose consumers are no longer configured.
    :param store: for durable queues. :param memory: for the others.
    :param on_room: called in the reactor's thread when no queue is full any more.
    :param connections: shared connections, by name.
    :param holds_back: returns true if every bus keeps unread messages, for ``overflow = "auto"``.
    :param jobs: starts and ends the consumers of jobs. :param status: the hub's, for any thread but the reactor's.
    """

    def __init__(
        self,
        runtime: Runtime,
        reactor: Any,
        queues: Queues,
        store: Store,
        memory: Store,
        publish: Publish,
        state_dir: Path,
        on_room: Callable[[], None],
        holds_back: Callable[[], bool],
        connections: Mapping[str, object] = NO_CONNECTIONS,
        jobs: JobConsumers | None = None,
        status: Callable[[], Mapping[str, Any]] = no_status,
    ) -> None:
        super().__init__()
        self._status = status
        self._jobs = jobs or JobConsumers(queues, runtime, JobSources(), lambda batch: None)
        self.queues = queues
        self.members, self.orphans = queues.members, queues.orphans
        self.leaving: list[Crew] = []
        self._routed: set[Queue] = set()
        self._runtime = runtime
        self._reactor = reactor
        self._trial = Trial(runtime.monotonic)
        self._store, self._memory = store, memory
        self._publish = publish
        self._state_dir = state_dir
        self._on_room = on_room
        self._holds_back = holds_back
        self._connections = connections
        self.succession = Succession(store, memory, queues.holds.rename)

    @classmethod
    def of(cls, hub: Resources) -> Consumers:
        """Make the manager for a hub."""
        return cls(
            hub.runtime,
            hub.reactor,
            hub.queues,
            hub.stores.store,
            hub.stores.memory,
            hub.publisher.publish,
            hub.state_dir,
            partial(hub.flow.release, QUEUES),
            lambda: hub.flow.holds_back,
            hub.connections,
            JobConsumers(hub.queues, hub.runtime, hub.job_sources, partial(_send, hub)),
            StatusReader(hub.reactor, hub.snapshot).read,
        )

    @property
    def stores(self) -> list[Store]:
        """The stores of the queues."""
        return list(dict.fromkeys((self._store, self._memory)))

    # -- as a manager

    def prepare(self, part: Part) -> Consumer:
        """Make an instance of the consumer's class."""
        if part.name in self.queues.others:
            text = "is a declared queue: rename the consumer, or delete the queue first ('hubbub queue delete')"
            raise ConfigError([f"consumers.{part.name}: {part.name!r} {text}"])
        self._jobs.check(part)
        return self._make(part)

    def _make(self, part: Part) -> Consumer:
        calls = (self._jobs.database, self._status)
        return make_consumer(part, self._publish, self._state_dir, self._connections, *calls)

    def start(self, part: Part, prepared: Consumer) -> None:
        """Start a crew for a consumer, on its old queue if it has one. :raises RuntimeError: no thread can be
        started."""
        if part.settings.queue is not None:
            self._jobs.start(part, prepared, partial(self._make, part))
            self.parts[part.name] = part
            return
        self._jobs.remove(part.name)
        previous = self.members.pop(part.name, None) or self.orphans.pop(part.name, None)
        previous = self._successor(part, previous)
        store = self.succession.store_for(part, previous.queue if previous else None)
        part = self._in_force(part, store)
        queue, rates = self._queue_of(part, store, previous)
        another = partial(self._make, part)
        log = part_log("consumer", part.name)
        crew = Crew(prepared, queue, crew_policy(part), self._runtime, log, make=another)
        if previous is not None:
            crew.follow(previous.crew)
        member = Member(part, queue, crew, rates)
        member.sample(self._runtime.monotonic())  # baseline of the rates until the next sample
        self.queues.limit(member)
        self.queues.reapply_holds(member)
        try:
            crew.start()
        except BaseException:
            self.orphans[part.name] = member
            member.drained_by = NOBODY
            self._dissolve(crew)
            raise
        self.members[part.name], self.parts[part.name] = member, part

    def _queue_of(self, part: Part, store: Store, previous: Member | None) -> tuple[Queue, Rates]:
        """The consumer's old queue if it is in the right store, or a new one that continues its counts."""
        policy = queue_policy(part.settings, self._holds_back())
        if previous is not None and previous.queue.stored.is_in(store):
            previous.queue.adopt(policy)
            previous.queue.announcer.expect()
            return previous.queue, previous.rates
        clocks = (self._runtime.monotonic, self._runtime.wall)
        queue = Queue(part.name, policy, store, *clocks, self._made_room, self._trial)
        if previous is not None:
            queue.count_on(previous.queue.stats().counters)
        return queue, Rates()

    def _successor(self, part: Part, own: Member | None) -> Member | None:
        """The former entry of a consumer's queue, perhaps under its former name."""
        before = part.settings.renamed_from
        orphan = self.orphans.get(before) if before else None
        queues = (own.queue if own else None, orphan.queue if orphan else None)
        owned = IN_USE if before in self.members else DECLARED if before in self.queues.others else ""
        if not self.succession.rename(part, *queues, owned):
            return own
        return self.orphans.pop(before, None) if before else None

    def _in_force(self, part: Part, store: Store) -> Part:
        """The part with ``durable`` as in force. A later reload sees the difference and tries again."""
        changes: dict[str, object] = {}
        if store is not (self._store if part.settings.durable else self._memory):
            changes["durable"] = store.durable
        if any(f".{part.name}.renamed_from:" in problem for problem in self.succession.problems):
            changes["renamed_from"] = None
        return replace(part, settings=part.settings.model_copy(update=changes)) if changes else part

    def _dissolve(self, crew: Crew) -> None:
        """Stop the threads of a crew of which not all could be started."""
        with suppress(RuntimeError):  # there may be no thread left to stop it
            crew.stop()
            self.leaving.append(crew)

    def hand_over(self, names: Collection[str], timeout: float) -> Deferred[Any]:
        """Let the crews finish the messages in hand. Their queues continue to receive."""
        leaving = [self.stop_crew(name) for name in names if name in self._working]
        held_up = partial(is_held_up, since=self._runtime.monotonic())

        def give_up() -> bool:
            now = self._runtime.monotonic()
            return all(crew.gone.is_set() or held_up(crew, now=now) for crew in leaving)

        def tell(_: bool) -> None:
            for crew in leaving:
                if not crew.gone.is_set():
                    text = "continues with new threads: an old one has not finished the message in hand"
                    crew.log.warning(text, extra={"action": "reload"})

        gone = all_set([crew.gone for crew in leaving], self._reactor)
        return within(self._reactor, gone, timeout, give_up=give_up).addCallback(tell)

    @property
    def _working(self) -> Mapping[str, Member | JobMember]:
        """All consumers, of messages and of jobs."""
        return {**self.members, **self._jobs.members}

    def stop_crew(self, name: str) -> Crew:
        """Tell a consumer's crew to finish the messages in hand; the queue continues to receive."""
        crew = self._working[name].crew
        if crew not in self.leaving:
            crew.stop()
            self.leaving.append(crew)
        return crew

    def retire(self, names: Collection[str]) -> None:
        """Stop the crews. Successors may start at once: they take over the queues."""
        for name in names:
            if name in self._working:
                self.stop_crew(name)
                self.parts.pop(name, None)

    def remove(self, names: Collection[str]) -> None:
        """Make orphans of the queues, which receive no more, and keep their messages. A bus that is told after the work
        need not keep those that are on the disk."""
        super().remove(names)
        for name in names:
            if name in self._jobs.members:
                self._jobs.remove(name)
                continue
            orphan = self.orphans[name] = self.members.pop(name)
            orphan.drained_by = NOBODY
            if orphan.queue.durable:
                orphan.queue.announcer.excuse()

    @inlineCallbacks
    def stop(self, timeout: float) -> Generator[Deferred[Any], Any, None]:
        """Stop the crews, which finish the messages in hand; late ones stay in ``leaving``."""
        for name in self._working:
            self.stop_crew(name)
        yield within(self._reactor, all_set([crew.gone for crew in self.leaving], self._reactor), timeout)
        self.leaving = [crew for crew in self.leaving if not crew.gone.is_set()]

    def take_problems(self) -> list[str]:
        """Return and clear the lines about settings that could not be applied."""
        return self.succession.take_problems()

    def tried(self, names: Collection[str]) -> Deferred[Any]:
        """Fires when each of these parts has started, or has failed to."""
        working = self._working
        crews = [working[name].crew for name in names if name in working]
        return all_set([crew.tried for crew in crews], self._reactor)

    def failing(self, names: Collection[str]) -> list[str]:
        """Lines about those of these parts that fail to start, and are tried again."""
        working = self._working
        errors = {name: working[name].crew.start_error for name in names if name in working}
        return [
            f"consumers.{name}: does not start: {error}; it is tried again" for name, error in errors.items() if error
        ]

    def status(self) -> dict[str, Any]:
        """Empty: the status has a row for each queue instead, see :mod:`hub.status`."""
        return {}

    # -- their queues

    def reroute(self, router: Router[Queue]) -> None:
        """Update the router to the members' current patterns, and remove its other queues."""
        queues = {member.queue: member.part.settings.topics for member in self.members.values()}
        for queue in self._routed - queues.keys():
            router.assign(queue, ())
        for queue, topics in queues.items():
            router.assign(queue, topics)
        self._routed = set(queues)

    def patterns(self) -> list[str]:
        """Patterns of all consumers, for the backends to subscribe to."""
        return sorted({topic for member in self.members.values() for topic in member.part.settings.topics})

    def crews(self) -> list[Crew]:
        """All crews: those that work, and those that are leaving."""
        self.leaving = [crew for crew in self.leaving if not crew.gone.is_set()]
        return [*(member.crew for member in self._working.values()), *self.leaving]

    def update_overflow(self) -> None:
        """Apply ``overflow = "auto"`` to each queue anew, after the set of backends has changed."""
        for member in self.members.values():
            overflow = overflow_of(member.part.settings, self._holds_back())
            member.queue.adopt(replace(member.queue.policy, overflow=overflow))

    def _made_room(self) -> None:
        """Called in any thread when a queue is no longer full."""
        self._reactor.callFromThread(self.tell_room)

    def tell_room(self) -> None:
        """Release the buses if no queue is full now."""
        if not self.queues.full():
            self._on_room()


def _send(hub: Resources, outbox: Sequence[Outgoing]) -> None:
    hub.reactor.callFromThread(hub.publisher.unstored, outbox)


def make_consumer(
    part: Part,
    publish: Publish,
    state_dir: Path,
    connections: Mapping[str, object] = NO_CONNECTIONS,
    databases: Callable[[str | None], JobKeeper] = no_database,
    status: Callable[[], Mapping[str, Any]] = no_status,
) -> Consumer:
    """Make an instance of a consumer's class. :raises ConfigError: its constructor failed."""
    log = part_log("consumer", part.name)
    try:
        context = Context(part.name, part.config, log, publish, state_dir, connections, databases, status)
        consumer = part.plugin.make(f"consumers.{part.name}", context)
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:
        log.error("the consumer could not be made", exc_info=error, extra={"action": "make"})
        raise ConfigError([f"consumers.{part.name}: {part.plugin.cls.__name__}() failed: {error!r}"]) from error
    assert isinstance(consumer, Consumer)
    return consumer
