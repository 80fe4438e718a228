"""Verbs on consumers: pause, resume, drain, and their threads."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from twisted.internet.defer import Deferred

from hub.control import job_orders
from hub.control.hub import HubVerb
from hub.control.queue_state import QueueState, state_of
from hub.errors import HubError
from hub.http.verb import Call
from hub.parts.job_member import JobMember
from hub.workers.supervisor import stack_of

LATEST = 253402300799.0
"""Latest end of a pause in epoch seconds, the end of the year 9999, which calendars can still show."""


class Named(msgspec.Struct, forbid_unknown_fields=True):
    """Name of a consumer."""

    consumer: str


class PauseOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Name of a consumer, and the end of the pause (epoch seconds); without it, the pause lasts until it is resumed."""

    consumer: str
    until: Annotated[float, msgspec.Meta(ge=0, le=LATEST)] | None = None


class Pause(HubVerb):
    """Pause a consumer: it takes no more messages. They wait in its queue, also across a restart of the hub.

    A drained consumer must be resumed first. Of a consumer of jobs, the queue is paused in its database, for all
    programs.
    """

    path, method, access, order, result = "pause", "POST", "actions", PauseOrder, QueueState

    def carry_out(self, order: PauseOrder) -> QueueState | Deferred[QueueState]:
        """Pause, and answer with the queue's state."""
        entry = self.hub.queues.entry(order.consumer)
        if isinstance(entry, JobMember):
            paused = job_orders.pause(self.hub, entry, order.until)
            return paused.addCallback(lambda _: state_of(self.hub, order.consumer))
        self.hub.holds.pause(entry, order.until)
        return state_of(self.hub, order.consumer)


class Resume(HubVerb):
    """Resume a consumer after a pause or a drain."""

    path, method, access, order, result = "resume", "POST", "actions", Named, QueueState

    def carry_out(self, order: Named) -> QueueState | Deferred[QueueState]:
        """Resume, and answer with the queue's state."""
        entry = self.hub.queues.entry(order.consumer)
        if isinstance(entry, JobMember):
            resumed = job_orders.resume(self.hub, entry)
            return resumed.addCallback(lambda _: state_of(self.hub, order.consumer))
        self.hub.holds.resume(entry)
        return state_of(self.hub, order.consumer)


class Drain(HubVerb):
    """Drain a consumer: it works off its backlog. New messages for it are dropped and counted until it is resumed.

    A paused consumer must be resumed first.
    """

    path, method, access, order, result = "drain", "POST", "actions", Named, QueueState

    def carry_out(self, order: Named) -> QueueState:
        """Drain, and answer with the queue's state."""
        self.hub.holds.drain(self.hub.queues.entry(order.consumer))
        return state_of(self.hub, order.consumer)


class Threads(HubVerb):
    """Show the threads of a consumer: the message in hand, the time so far, and the stack."""

    path, about, access, order = "threads", "consumer", "contents", Named

    def carry_out(self, order: Named) -> dict[str, Any]:
        """Return a row for each thread, as in the status, with its stack."""
        crew = self.hub.queues.consumer(order.consumer).crew
        rows = zip(self.hub.supervisor.threads(crew), crew.workers, strict=True)
        return {"threads": [{**row, "stack": stack_of(thread)} for row, (_, thread) in rows]}


class ThreadsOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Number of threads that a consumer is to have."""

    consumer: str
    count: Annotated[int, msgspec.Meta(ge=1, le=256)]


class ThreadsSet(msgspec.Struct):
    """Former and new number of threads; the queue, and the threads as in the status.

    ``workers`` has the topics and ids of messages only for a caller who may see contents.
    """

    before: int
    threads: int
    queue: QueueState
    workers: list[dict[str, Any]]


class SetThreads(HubVerb):
    """Set the number of threads of a consumer, until the hub restarts or the consumer's settings change."""

    path, method, access, order, result = "threads", "POST", "actions", ThreadsOrder, ThreadsSet

    def handle(self, call: Call) -> ThreadsSet:
        """Set the number. :raises HubError: the consumer keeps strict order, or has not started."""
        order: ThreadsOrder = call.order
        member = self.hub.queues.consumer(order.consumer)
        if order.count > 1 and member.part.settings.ordering == "strict":
            raise HubError(f"{order.consumer} keeps strict order: it takes one message at a time")
        before = member.crew.resize(order.count)
        member.rates.restart()
        withheld = {} if call.caller.contents else {"topic": None, "message_id": None}
        workers = [{**row, **withheld} for row in self.hub.supervisor.threads(member.crew)]
        return ThreadsSet(before, order.count, state_of(self.hub, order.consumer), workers)
