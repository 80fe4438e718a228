"""One thread of a consumer: take, consume, verdict.

The loop costs every consumer for every message, so what can be done once for a run of messages is not done for each: a
fast consumer takes several at once and reports them together, at the latest after ``REPORT_EVERY``. A slow one takes
them one by one, which leaves the rest to the other threads.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

from hub import outbox
from hub.children import forked, leave
from hub.consumer import Consumer
from hub.deadletter import DeadLetter
from hub.errors import Reject, Retry
from hub.failure import Failure, told
from hub.interfaces import Clock
from hub.message import Message
from hub.queue.queue import Queue
from hub.queue.taken import Taken
from hub.stats.histogram import BOUNDS, Histogram
from hub.store import Outgoing
from hub.traceparent import trace_in_hand, trace_of_all
from hub.tracing import Tracing
from hub.workers import inhand
from hub.workers.answer import give, refuse_unfinished
from hub.workers.retry import SOONEST, Bury, RetryPolicy, Verdict

REPORT_EVERY = 0.005
"""Seconds. How long a finished message may go unreported, and so how much work a worker takes at once."""
MOST_AT_ONCE = 256
LONGEST_PAUSE = 30.0
"""Seconds. Who has mended the database does not want to wait for minutes until it is used again."""

BURIED: dict[str, object] = {"action": "bury"}
RETRIED: dict[str, object] = {"action": "retry"}


@dataclass(frozen=True)
class WorkerPolicy:
    """How a consumer's workers go about it.

    :ivar batch_size: the most that ``consume_batch`` is given; ``None``: the consumer has only ``consume``.
    :ivar batch_wait: seconds that a batch which is not full waits for more.
    """

    retry: RetryPolicy
    batch_size: int | None = None
    batch_wait: float = 0.0


@dataclass(frozen=True)
class Surroundings:
    """What every worker of the hub is given alike; tests put their own in.

    :ivar monotonic: for durations and delays.
    :ivar wall: epoch seconds, for ages.
    :ivar uniform: draws the jitter of retries.
    :ivar tracing: carries traces on from what is consumed to what is published.
    """

    monotonic: Clock
    wall: Clock
    uniform: Callable[[float, float], float]
    tracing: Tracing = field(default_factory=Tracing)


class Worker:
    """Runs ``consume`` for the messages of one queue, in whatever thread calls ``run`` or ``step``.

    :ivar taken: all that this worker has in hand, or ``None``; for the supervisor, which reads it and ``since`` from
        another thread.
    :ivar since: monotonic seconds at which the message in hand was begun.
    :ivar busy: seconds spent on what it took, up to the last time that its hands were empty.
    :ivar last_failure: the last attempt that did not finish its message.
    """

    def __init__(
        self,
        consumer: Consumer,
        queue: Queue,
        policy: WorkerPolicy,
        surroundings: Surroundings,
        log: logging.LoggerAdapter[logging.Logger],
    ) -> None:
        self.taken: Taken | None = None
        self.since = 0.0
        self.busy = 0.0
        self.last_failure: Failure | None = None
        self._begun = 0.0
        self.consume_times = Histogram()
        self.ages = Histogram()
        self._consumer = consumer
        self._queue = queue
        self._policy = policy
        self._around = surroundings
        self._log = log
        self._stopping = False
        self._halt = threading.Event()
        self._limit = 1
        self._refusals = 0
        self._resume_at = 0.0
        self._hand = queue.store.hand(queue.name)
        self._outbox: list[tuple[int, Outgoing]] = []
        self._to_begin: Iterator[tuple[int, Message]] = iter(())

    def stop(self) -> None:
        """Finish the message in hand, give back the others, take no more. Any thread; the queue must be closed too,
        for a worker that waits for a message."""
        self._stopping = True
        self._halt.set()

    def run(self) -> None:
        """Until the queue is closed or ``stop`` is called."""
        inhand.use(self._queue.name, self._in_hand)
        while not self._stopping and (self.step(None) or not self._queue.closed):
            pass

    def step(self, timeout: float | None) -> bool:
        """Take what there is, once, and handle it.

        :returns: whether there was any.
        """
        if not self._rested(timeout):
            return False
        batch_size = self._policy.batch_size
        taken = self._queue.take(batch_size or self._limit, timeout, self._policy.batch_wait)
        if taken is None:
            return False
        # Before ``taken``: it must not look stuck since the one before it.
        self.since = self._begun = self._around.monotonic()
        self._to_begin = iter(())
        self.taken = taken
        self._hold(taken.positions)
        if batch_size is None:
            self._one_by_one(taken)
        else:
            self._as_batch(taken)
        outbox.use(None)
        self._let_go(taken)
        return True

    def _let_go(self, taken: Taken) -> None:
        if taken.left:
            self._queue.give_back(taken)
        self._hand.drop()
        self.taken = None
        self._to_begin = iter(())  # an iterator that is used up has its last message still
        self.busy += self.since - self._begun

    def busy_at(self, now: float) -> float:
        """Seconds spent on what it took, up to monotonic time ``now``. Any thread."""
        return self.busy + max(0.0, now - self._begun) if self.taken is not None else self.busy

    def _in_hand(self) -> Taken | None:
        """What its lines in the log are about; of a batch nobody knows which message."""
        taken = self.taken
        alone = self._policy.batch_size is None or (taken is not None and len(taken.messages) == 1)
        return taken if alone else None

    def _hold(self, positions: Sequence[int]) -> None:
        """Up to the first gap: what lies in one is not in hand, and must not be suspected."""
        count = len(positions) if isinstance(positions, range) else 1
        while count < len(positions) and positions[count] == positions[0] + count:
            count += 1
        self._hand.hold(positions[0], positions[0] + count)

    def _post(self, outgoing: Outgoing) -> None:
        assert self.taken is not None
        self._outbox.append((self.taken.at, outgoing))

    def _rested(self, timeout: float | None) -> bool:
        """Whether the pause after a batch's ``Retry`` is over, after waiting for it if need be."""
        left = self._resume_at - self._around.monotonic() if self._resume_at else 0.0
        if left <= 0:
            return True
        return (timeout is None or left <= timeout) and not self._halt.wait(left)

    def abandon(self) -> None:
        """Its thread dies, or is dead: the message in hand has failed, the others are given back. Nothing in hand: does
        nothing. In that thread, or after its end."""
        taken = self.taken
        if taken is not None:
            if taken.left:
                self._report(taken, taken.at)
                self._failed(taken, RuntimeError("the thread that handled it died"))
            self._let_go(taken)

    def give_back_rest(self) -> None:
        """What it has in hand and has not begun goes to other threads; what is in a lane stays, it must not pass the
        one that is consumed now. Any thread.

        A message belongs to whoever draws it from the iterator, which is one step of the interpreter: nothing is given
        out twice, and the loop of the worker needs no lock.
        """
        taken, to_begin = self.taken, self._to_begin
        if taken is None or taken.lane is not None:
            return
        rest = list(to_begin)
        if rest and rest[0][0] > 0:  # else the worker finds nothing to begin, and gives all of it back
            first = rest[0][0]
            self._queue.give_back_from(taken, first)
            if self.taken is taken:
                self._hold(taken.positions[first - 1 : first])

    def _each(self, taken: Taken) -> Iterator[tuple[int, Message]]:
        """Its messages with their indexes, as long as nobody takes them out of this hand."""
        self._to_begin = to_begin = enumerate(taken.messages)
        return to_begin

    def _one_by_one(self, taken: Taken) -> None:
        """The hot path."""
        outbox.use(self._post, partial(trace_in_hand, taken))
        consume = self._around.tracing.consume(self._consumer, self._queue.name, taken)
        clock, counts = self._around.monotonic, self.consume_times.counts
        begun = reported = since = self.since
        gaps = not isinstance(taken.positions, range)
        at = -1
        for at, message in self._each(taken):
            taken.at = at
            if gaps:
                self._hold(taken.positions[at : at + 1])
            try:
                if (answer := consume(message)) is not None or forked:
                    refuse_unfinished(answer, self._consumer.consume)
            except BaseException as error:  # noqa: BLE001 - a consumer may raise even SystemExit: the hub goes on
                self._report(taken, at)
                self._failed(taken, error)
                if not taken.left:
                    self._time()
                    return
            now = clock()
            counts[bisect_right(BOUNDS, now - since)] += 1
            self.since = since = now
            if now - reported > REPORT_EVERY or self._stopping:
                self._report(taken, at + 1)
                reported = now
                if self._stopping or self._queue.paused:
                    return
        self._report(taken, at + 1)  # fewer than there were, where the others were given back
        mean = (since - begun) / max(1, at + 1)
        self._limit = max(1, min(int(REPORT_EVERY / (mean + 1e-9)), 2 * self._limit, MOST_AT_ONCE))

    def _as_batch(self, taken: Taken) -> None:
        """All at once; after an error one by one, so that a poison message does not take the others with it."""
        outbox.use(self._post, cache(partial(trace_of_all, taken.messages)))
        consume_batch = self._around.tracing.consume_batch(self._consumer, self._queue.name, taken)
        try:
            give(consume_batch, list(taken.messages), self._consumer)  # its own list: the other is shared by all queues
        except Retry as error:
            self._time()
            self._postpone(taken, error)
        except BaseException as error:  # noqa: BLE001 - as in _one_by_one
            self._time()
            if len(taken.messages) == 1:
                self._failed(taken, error)
            else:
                self._outbox.clear()
                text = "a batch of %d failed with %s, its messages are given one by one"
                self._log.warning(text, len(taken.messages), type(error).__name__, extra={"action": "split"})
                self._split(taken)
        else:
            self._time()
            self._refusals = 0
            self._report(taken, len(taken.messages))

    def _postpone(self, taken: Taken, error: Retry) -> None:
        """What a batch goes to is away: the next batch would fare no better, so this worker pauses, with backoff."""
        self._refusals += 1
        self._outbox.clear()
        backoff = min(self._policy.retry.delay(self._refusals, self._around.uniform), LONGEST_PAUSE)
        delay = max(backoff if error.delay is None else error.delay, SOONEST)
        self._log.warning("a batch of %d again in %.1f s: %s", len(taken.messages), delay, error, extra=RETRIED)
        self._resume_at = self._around.monotonic() + delay
        self.last_failure = Failure.of(error, self._around.wall(), taken.messages[taken.done], taken.attempts + 1)
        while taken.left:
            self._queue.retry(taken, delay, failed=False, why=told(error))

    def _split(self, taken: Taken) -> None:
        outbox.use(self._post, partial(trace_in_hand, taken))
        consume_batch = self._around.tracing.consume_batch(self._consumer, self._queue.name, taken)
        for at, message in self._each(taken):
            if self._stopping or self._queue.paused or not taken.left:
                return
            taken.at = at
            try:
                give(consume_batch, [message], self._consumer)
            except BaseException as error:  # noqa: BLE001 - as in _one_by_one
                self._failed(taken, error)
            else:
                self._report(taken, at + 1)
            self._time()

    def _time(self) -> None:
        now = self._around.monotonic()
        self.consume_times.add(now - self.since)
        self.since = now

    def _report(self, taken: Taken, upto: int) -> None:
        """The messages before ``upto`` are done."""
        if upto <= taken.done:
            return
        now, messages = self._around.wall(), taken.messages
        first, last = messages[taken.done].received_at, messages[upto - 1].received_at
        if first == last:  # one turn of a reader has one time, so there is nothing else between them
            self.ages.add(now - first, upto - taken.done)
        else:
            for message in messages[taken.done : upto]:
                self.ages.add(now - message.received_at)
        if self._outbox:
            self._queue.finish(taken, upto, [outgoing for at, outgoing in self._outbox if at < upto])
            self._outbox = [(at, outgoing) for at, outgoing in self._outbox if at >= upto]
        else:
            self._queue.finish(taken, upto)

    def _failed(self, taken: Taken, error: BaseException) -> None:
        """Apply the verdict on the next message, and log it. What it sent out is not sent: it will come again."""
        if forked:
            leave(error)
        self._outbox.clear()
        message, attempt = taken.messages[taken.done], taken.attempts + 1
        verdict = self._judge(taken, error)
        extra = {"topic": message.topic, "message_id": message.id, "attempt": attempt, "error": type(error).__name__}
        self.last_failure = Failure.of(error, self._around.wall(), message, attempt)
        if isinstance(verdict, Bury):
            text = "message %r of %s is a dead letter: %s"
            trace = None if isinstance(error, Reject) else error
            self._log.error(text, message.id, message.topic, verdict.reason, exc_info=trace, extra=extra | BURIED)
        else:
            level = logging.WARNING if verdict.failure else logging.INFO
            text = "message %r of %s: %s: %s; again in %.1f s"
            cause = (type(error).__name__, error, verdict.delay)
            self._log.log(level, text, message.id, message.topic, *cause, extra=extra | RETRIED)

    def _judge(self, taken: Taken, error: BaseException) -> Verdict:
        """Apply the verdict on the next message."""
        verdict = self._policy.retry.judge(error, taken.attempts, taken.failures, self._around.uniform)
        if isinstance(verdict, Bury):
            message, now = taken.messages[taken.done], self._around.wall()
            letter = DeadLetter.of(message, verdict.reason, taken.attempts + 1, now, error)
            self._queue.bury(taken, not isinstance(error, Reject), letter)
        else:
            self._queue.retry(taken, verdict.delay, verdict.failure, told(error))
        return verdict
