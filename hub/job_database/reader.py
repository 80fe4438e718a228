"""Reader of a job queue for a backend, whose clients work the jobs; see :class:`hub.job_queues.JobReader`.

It claims what the clients have room for, and no more: what nobody takes goes back.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from hub.backoff import Uniform
from hub.declarations import Taken
from hub.job_database.interfaces import Dispatching
from hub.job_database.messages import message_of
from hub.job_database.numbers import SettledSoFar
from hub.job_database.result import Outcome, Result
from hub.jobs.retries import backoff
from hub.message import Message

if TYPE_CHECKING:
    from hub.jobs.job import Job, JobCounts

FIRST_CLAIM = 16
"""Jobs that are claimed before it is known how large they are."""
CLAIM_BYTES = 1 << 20
"""Bytes of bodies that are claimed at a time, about."""


class TakenJob(NamedTuple):
    """A job in the hands of a client: a :class:`hub.declarations.Taken`."""

    current: Message
    attempts: int
    failures: int
    position: int
    priority: int


class _InHand(NamedTuple):
    job: Job
    dispatcher: Dispatching


class DatabaseReader:
    """Reader of one queue: a source of its database's dispatcher, in whose thread that calls it; the other methods
    belong to the reactor's.

    :param on_ready: called in any thread. :param end: called by ``close``.
    """

    def __init__(
        self,
        name: str,
        queue: str,
        database: str | None,
        on_ready: Callable[[], None],
        end: Callable[[DatabaseReader], None],
        uniform: Uniform = random.uniform,
    ) -> None:
        self.name, self.queue, self.database = name, queue, database
        self._on_ready, self._end = on_ready, end
        self._delay = backoff(uniform)
        self._lock = threading.Lock()
        self._dispatcher: Dispatching | None = None
        self._buffer: deque[Job] = deque()
        self._wanted = 0
        self._in_hand: dict[int, _InHand] = {}
        self._next = 1
        self._size = CLAIM_BYTES / FIRST_CLAIM
        """Bytes of a body, on average of the last ones."""

    # -- the reactor's side

    def want(self, count: int) -> None:
        """See :class:`hub.job_queues.JobReader`."""
        with self._lock:
            self._wanted = count
            back = [self._buffer.pop() for _ in range(len(self._buffer) - count)]
            dispatcher = self._dispatcher
        if dispatcher is not None:
            if back:
                dispatcher.settle(self, [Result(job, "given back") for job in reversed(back)])
            elif count:
                dispatcher.wake()

    def take(self, limit: int) -> Sequence[Taken]:
        """See :class:`hub.job_queues.JobReader`. Nothing, while the lease may have passed."""
        taken: list[TakenJob] = []
        with self._lock:
            dispatcher = self._dispatcher
            if dispatcher is None or not dispatcher.alive:
                return taken
            while self._buffer and len(taken) < limit:
                job, position = self._buffer.popleft(), self._next
                self._next += 1
                self._in_hand[position] = _InHand(job, dispatcher)
                earlier = job.attempt - 1
                taken.append(TakenJob(message_of(job, dispatcher.name), earlier, earlier, position, job.priority))
        return taken

    def put_back(self, taken: Sequence[Taken]) -> None:
        """See :class:`hub.job_queues.JobReader`."""
        moved = []
        with self._lock:
            for one in reversed(taken):
                hand = self._in_hand.pop(one.position)
                if hand.dispatcher is self._dispatcher:
                    self._buffer.appendleft(hand.job)
                else:
                    moved.append(hand)
        for hand in moved:
            hand.dispatcher.settle(self, [Result(hand.job, "given back")])

    def finish(self, taken: Sequence[Taken]) -> None:
        """See :class:`hub.job_queues.JobReader`."""
        self._settle(taken, "finished")

    def retry_delay(self, taken: Taken) -> float:
        """See :class:`hub.job_queues.JobReader`."""
        with self._lock:
            job = self._in_hand[taken.position].job
        return self._delay(job)

    def retry(self, taken: Taken, delay: float, why: str) -> None:
        """See :class:`hub.job_queues.JobReader`."""
        self._settle([taken], "retry", delay, why, failed=True)

    def bury(self, taken: Taken, why: str) -> None:
        """See :class:`hub.job_queues.JobReader`."""
        self._settle([taken], "dead", 0.0, why)

    def give_back(self, taken: Sequence[Taken]) -> None:
        """See :class:`hub.job_queues.JobReader`."""
        self._settle(taken, "given back")

    def _settle(
        self, taken: Sequence[Taken], outcome: Outcome, delay: float = 0.0, why: str = "", failed: bool = False
    ) -> None:
        results: dict[Dispatching, list[Result]] = {}
        with self._lock:
            for one in taken:
                job, dispatcher = self._in_hand.pop(one.position)
                results.setdefault(dispatcher, []).append(Result(job, outcome, delay, why, failed))
        for dispatcher, of_it in results.items():
            dispatcher.settle(self, of_it)

    def close(self) -> None:
        """See :class:`hub.job_queues.JobReader`."""
        self.want(0)
        self._end(self)

    # -- the database's side; see hub.job_database.interfaces.Source

    def attach(self, dispatcher: Dispatching | None) -> None:
        """See :class:`hub.job_database.interfaces.Source`."""
        with self._lock:
            before, self._dispatcher = self._dispatcher, dispatcher
            back = [Result(job, "given back") for job in self._buffer]
            self._buffer.clear()
        if before is not None and back:
            before.settle(self, back)

    @property
    def starved(self) -> bool:
        """True if its clients have nothing at all."""
        return bool(self._wanted) and not self._buffer and not self._in_hand

    @property
    def wants(self) -> int:
        """As many as there is room for, and no more than a bound of bytes, as far as the last ones tell."""
        with self._lock:
            return max(0, min(self._wanted - len(self._buffer), max(1, int(CLAIM_BYTES / self._size))))

    def arrive(self, jobs: Sequence[Job], dispatcher: Dispatching) -> None:
        """See :class:`hub.job_database.interfaces.Source`."""
        with self._lock:
            self._size = max(1.0, sum([len(job.body) for job in jobs]) / len(jobs))
            ours = dispatcher is self._dispatcher
            if ours:
                self._buffer.extend(jobs)
        if ours:
            self._on_ready()
        else:
            dispatcher.settle(self, [Result(job, "given back") for job in jobs])

    def in_hand_of(self, dispatcher: Dispatching) -> int:
        """See :class:`hub.job_database.interfaces.Source`."""
        with self._lock:
            return sum([hand.dispatcher is dispatcher for hand in self._in_hand.values()])

    def buffered(self) -> list[Job]:
        """See :class:`hub.job_database.interfaces.Source`."""
        with self._lock:
            return list(self._buffer)

    def forget(self, jobs: Collection[Job]) -> int:
        """See :class:`hub.job_database.interfaces.Source`."""
        gone = {(job.claim, job.id) for job in jobs}
        with self._lock:
            before = len(self._buffer)
            self._buffer = deque(job for job in self._buffer if (job.claim, job.id) not in gone)
            left = len(self._buffer)
        if left:  # the lease is renewed: they may be taken now
            self._on_ready()
        return before - left

    def settled(self, results: Sequence[Result]) -> None:
        """Does nothing: the database counts."""

    def refused(self, count: int, lost: int) -> None:
        """Does nothing, as above."""

    def progress(self) -> SettledSoFar:
        """Nothing: it is no consumer's queue."""
        return SettledSoFar(0, 0)

    def counted(self, counts: JobCounts, before: SettledSoFar) -> None:
        """Does nothing: nobody claims jobs of a queue that is paused."""
