"""A consumer's source of work in a database of jobs: it hands out claimed jobs as deliveries.

It has a few jobs in a buffer, so that no worker waits for the database after each one. How many follows from the pace
of the workers (:mod:`hub.job_database.pace`): a slow job is not claimed before a worker is free for it, here or in
another hub. The source's lock is held for constant time; the :mod:`~hub.job_database.dispatcher` asks the database.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from hub.deadletter import DeadLetter
from hub.errors import Unavailable
from hub.interfaces import Clock
from hub.job_database.interfaces import Dispatching
from hub.job_database.messages import message_of
from hub.job_database.numbers import JobNumbers, SettledSoFar
from hub.job_database.pace import Pace
from hub.job_database.result import Outcome, Result
from hub.job_database.sending import Sending, UnsentJobs
from hub.job_database.slot import NoSlot
from hub.job_database.tries import RememberedTries
from hub.queue.delivery import Delivery
from hub.stats.counters import QueueStats
from hub.store import Outgoing

if TYPE_CHECKING:  # the package brings SQLAlchemy, which a hub without jobs need not load
    from hub.jobs import Jobs
    from hub.jobs.job import Job, JobCounts

Send = Callable[[Sequence[Outgoing]], None]
"""Sends messages, and tells each one's ``sent``. Thread-safe."""


class InHand(NamedTuple):
    """The jobs of one delivery, and the database that they are from."""

    dispatcher: Dispatching
    jobs: list[Job]


class JobSource:
    """Source of work; see :class:`hub.workers.source.WorkSource`. Thread-safe.

    :param queue: name of the jobs' queue. :param database: name of the part that has it; ``None``: the only one.
    :param clock: monotonic seconds. :param wall: epoch seconds. :param send: for what jobs publish.
    :ivar paused: whether nobody is to claim jobs of the queue, as far as is known.
    """

    def __init__(
        self, name: str, queue: str, database: str | None, clock: Clock, wall: Clock, send: Send = lambda batch: None
    ) -> None:
        self.name = name
        self.queue = queue
        self.database = database
        self.paused = self.closed = False
        self._clock, self._wall = clock, wall
        self._send = send
        self._changed = threading.Condition()
        self._dispatcher: Dispatching | None = None
        self._buffer: deque[Job] = deque()
        self._taken: dict[Delivery, InHand] = {}
        self._tries = RememberedTries()
        self._wanted = self._nudges = self._position = 0
        self._unsent = UnsentJobs()
        self._pace = Pace(clock())
        self._numbers = JobNumbers()

    slot = NoSlot
    durable = False
    """What jobs publish waits in memory; a job ends once the bus has it."""

    # -- the workers' side

    def take(self, limit: int, timeout: float | None = None, linger: float = 0.0) -> Delivery | None:
        """See :class:`hub.workers.source.WorkSource`."""
        now = self._clock()
        deadline = None if timeout is None else now + timeout
        until: float | None = None
        with self._changed:
            nudges = self._nudges
            self._wanted += limit
            try:
                while not self.closed and nudges == self._nudges:
                    if self._deliverable(now):
                        until = now + linger if until is None else until
                        if len(self._buffer) >= limit or now >= until:
                            return self._deliver(limit)
                    else:
                        until = None
                    if deadline is not None and now >= deadline:
                        return None
                    if self._dispatcher is not None and len(self._buffer) < limit:
                        self._dispatcher.wake()
                    ends = [end for end in (deadline, until, self._unsent.rest_ends(now)) if end is not None]
                    self._changed.wait(max(0.0, min(ends) - now) if ends else None)
                    now = self._clock()
            finally:
                self._wanted -= limit
        return None

    def _deliverable(self, now: float) -> bool:
        held = self.paused or self._unsent.full(now) or self._dispatcher is None or not self._dispatcher.alive
        return bool(self._buffer) and not held

    def _deliver(self, limit: int) -> Delivery:
        """A delivery of jobs with equal tries. What was tried before comes alone: it may have killed its process."""
        assert self._dispatcher is not None
        first = self._buffer.popleft()
        jobs, known = [first], self._tries.of(first)
        while known.new and self._buffer and len(jobs) < limit and self._tries.of(self._buffer[0]).new:
            jobs.append(self._buffer.popleft())
        messages = [message_of(job, self._dispatcher.name) for job in jobs]
        positions = range(self._position, self._position + len(jobs))
        self._position += len(jobs)
        self._pace.deliver(len(jobs))
        delivery = Delivery(messages, positions, first.attempt - 1 + known.asked, first.attempt - 1, known.kills)
        self._taken[delivery] = InHand(self._dispatcher, jobs)
        return delivery

    def finish(self, delivery: Delivery, upto: int, outbox: Sequence[Outgoing] = ()) -> None:
        """Settle jobs as finished. Those that published something are finished once the bus has it."""
        with self._changed:
            hand = self._taken[delivery]
            results = [Result(job, "finished") for job in hand.jobs[delivery.done : upto]]
            self._settle(delivery, upto, len(results))
            if outbox:
                self._unsent.add(len(results), len(outbox))
        if outbox:
            Sending(outbox, partial(self._sent, hand.dispatcher, results, len(outbox)))
            self._send(outbox)
        else:
            hand.dispatcher.settle(self, results)

    def _sent(self, dispatcher: Dispatching, results: Sequence[Result], messages: int, safe: bool) -> None:
        """What jobs published was sent, or else they are to be done again."""
        with self._changed:
            self._unsent.end(len(results), messages, safe, self._clock())
            self._changed.notify_all()
        dispatcher.settle(self, results if safe else [one._replace(outcome="given back") for one in results])

    def bury(self, delivery: Delivery, failed: bool, letter: DeadLetter) -> None:
        """Make the next job a dead letter, which stays in the database."""
        text = f"{letter.traceback.rstrip()}\n\n{letter.reason}" if letter.traceback else letter.reason
        self._settle_next(delivery, lambda job: Result(job, "dead", 0.0, text, failed))

    def retry(self, delivery: Delivery, delay: float, failed: bool, why: str = "", killed: bool = False) -> None:
        """Have the next job tried again; see :class:`hub.workers.source.WorkSource`."""
        outcome: Outcome = "retry" if failed or killed else "ask"
        self._settle_next(delivery, lambda job: Result(job, outcome, delay, why, failed), killed)

    def _settle_next(self, delivery: Delivery, result_of: Callable[[Job], Result], killed: bool = False) -> None:
        with self._changed:
            hand = self._taken[delivery]
            result = result_of(hand.jobs[delivery.done])
            self._tries.note(result, killed)
            self._settle(delivery, delivery.done + 1, 1)
        hand.dispatcher.settle(self, [result])

    def _settle(self, delivery: Delivery, upto: int, count: int) -> None:
        delivery.done = upto
        self._numbers.unwritten += count
        if not delivery.left:
            del self._taken[delivery]

    def give_back(self, delivery: Delivery) -> None:
        """Return all that is not settled, as ``give_back_from``."""
        self.give_back_from(delivery, delivery.done)

    def give_back_from(self, delivery: Delivery, first: int) -> None:
        """Return jobs from the index ``first`` on: to other workers, or to the database if the source is closed."""
        with self._changed:
            hand = self._taken.get(delivery)
            if hand is None or first >= len(delivery.messages):
                return
            jobs = hand.jobs[first:]
            delivery.messages, delivery.positions = delivery.messages[:first], delivery.positions[:first]
            self._settle(delivery, delivery.done, 0)
            back = self.closed or hand.dispatcher is not self._dispatcher
            if back:
                self._numbers.unwritten += len(jobs)
            else:
                self._buffer.extendleft(reversed(jobs))
            self._changed.notify_all()
        if back:
            hand.dispatcher.settle(self, [Result(job, "given back") for job in jobs])

    def touch(self, delivery: Delivery) -> None:
        """Does nothing: the lease is the process's."""

    def open(self) -> None:
        """Deliver jobs again, after ``close``."""
        with self._changed:
            self.closed = False

    def close(self) -> None:
        """Close the source. What no worker has goes back to the database at once, and no attempt is counted."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()
        self._empty()

    def _empty(self) -> None:
        with self._changed:
            dispatcher, jobs = self._dispatcher, self._take_buffer()
        self._give_back(dispatcher, jobs)

    def _take_buffer(self) -> list[Job]:
        jobs = list(self._buffer)
        self._buffer.clear()
        self._numbers.unwritten += len(jobs)
        return jobs

    def _give_back(self, dispatcher: Dispatching | None, jobs: Sequence[Job]) -> None:
        if dispatcher is not None and jobs:
            dispatcher.settle(self, [Result(job, "given back") for job in jobs])

    def nudge(self) -> None:
        """Make all threads that wait in ``take`` return without a job."""
        with self._changed:
            self._nudges += 1
            self._changed.notify_all()

    def pause(self, paused: bool) -> None:
        """Note whether the queue is paused, in the database. What no worker has goes back."""
        with self._changed:
            self.paused = paused
            self._changed.notify_all()
        if paused:
            self._empty()

    # -- the database's side

    def attach(self, dispatcher: Dispatching | None) -> None:
        """Take jobs from this database from now on; ``None``: from none. What no worker has goes back."""
        with self._changed:
            before, self._dispatcher = self._dispatcher, dispatcher
            jobs = self._take_buffer()
            self._changed.notify_all()
        self._give_back(before, jobs)

    @property
    def starved(self) -> bool:
        """True if a worker waits in vain."""
        return bool(self._wanted) and not self._buffer

    @property
    def wants(self) -> int:
        """Number of jobs that it wants claimed now."""
        with self._changed:
            if self.closed or self.paused or self._unsent.full(self._clock()):
                return 0
            return self._pace.wanted(self._wanted, len(self._buffer))

    def arrive(self, jobs: Sequence[Job], dispatcher: Dispatching) -> None:
        """Take jobs in that this database has claimed. It was left meanwhile: they go back."""
        size = sum([len(job.body) for job in jobs])
        with self._changed:
            back = self.closed or self.paused or dispatcher is not self._dispatcher
            self._pace.arrive(len(jobs), size, self._clock())
            if back:  # since while they were claimed
                self._numbers.unwritten += len(jobs)
            else:
                self._buffer.extend(jobs)
            self._changed.notify_all()
        if back:
            dispatcher.settle(self, [Result(job, "given back") for job in jobs])

    def in_hand_of(self, dispatcher: Dispatching) -> int:
        """Jobs from a database that are in workers' hands, or whose messages are not sent."""
        with self._changed:
            hands = sum([delivery.left for delivery, hand in self._taken.items() if hand.dispatcher is dispatcher])
            return hands + self._unsent.jobs

    def buffered(self) -> list[Job]:
        """Jobs that no worker has."""
        with self._changed:
            return list(self._buffer)

    def forget(self, jobs: Collection[Job]) -> int:
        """Leave out jobs that are somebody else's by now, as far as no worker has them. :returns: how many."""
        gone = {(job.claim, job.id) for job in jobs}
        with self._changed:
            before = len(self._buffer)
            self._buffer = deque(job for job in self._buffer if (job.claim, job.id) not in gone)
            self._numbers.lost += (count := before - len(self._buffer))
        return count

    def settled(self, results: Sequence[Result]) -> None:
        """Count results that the database has."""
        with self._changed:
            self._numbers.settled(results)
            self._tries.end(results)

    def refused(self, count: int, lost: int) -> None:
        """Count results that the database refused. :param lost: those of them that were of work."""
        with self._changed:
            self._numbers.refused(count, lost)

    @property
    def jobs(self) -> Jobs:
        """The database, for orders. :raises Unavailable: it does not run."""
        if self._dispatcher is None:
            raise Unavailable(f"the database of the queue {self.queue!r} of jobs does not run")
        return self._dispatcher.jobs

    # -- numbers

    def follow(self, before: JobSource) -> None:
        """Continue the counts of the source before this one, of another queue."""
        self._numbers.follow(before._numbers)

    def stats(self) -> QueueStats:
        """Numbers of the queue: its backlog as of the last look, its counters since the hub began."""
        with self._changed:
            return self._numbers.stats(sum([delivery.left - delivery.unreported for delivery in self._taken]))

    def progress(self) -> SettledSoFar:
        """Progress until now."""
        with self._changed:
            return self._numbers.progress

    def counted(self, counts: JobCounts, before: SettledSoFar) -> None:
        """Take a look at the queue in. :param before: progress before the look."""
        with self._changed:
            self._numbers.look(counts, before, self._wall())
        self.pause(counts.paused)

    @property
    def counts(self) -> JobCounts | None:
        """The queue at the last look; ``None``: there was none yet."""
        return self._numbers.counts

    @property
    def lost(self) -> int:
        """Results that the database refused, because the job was somebody else's by then; only grows."""
        return self._numbers.lost
