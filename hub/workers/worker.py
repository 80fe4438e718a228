"""One worker of a consumer: it takes messages, calls ``consume``, and settles or retries them.

The loop runs for every message, so work is done once for a run of messages where possible: a fast consumer takes
several messages at once and reports them together, at the latest after ``REPORT_EVERY``. A slow consumer takes
them one by one, which leaves the others to other threads.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

from hub import current_message
from hub.children import forked, leave
from hub.consumer import Consumer
from hub.deadletter import DeadLetter
from hub.errors import Reject, Retry
from hub.failure import Failure, told
from hub.interfaces import Bury
from hub.message import Message
from hub.queue.delivery import Delivery
from hub.stats.histogram import BOUNDS, Histogram
from hub.store import Outgoing
from hub.traceparent import trace_of_all
from hub.workers import log_context
from hub.workers.answer import give, refuse_unfinished
from hub.workers.retry import SOONEST, RetryPolicy, Verdict
from hub.workers.runtime import Runtime
from hub.workers.source import WorkSource

REPORT_EVERY = 0.005
"""Most seconds that a finished message stays unreported; it bounds the work that a worker takes at once."""
MOST_AT_ONCE = 256
LONGEST_PAUSE = 30.0
"""Longest pause in seconds after a batch's ``Retry``, so that a repaired sink is soon used again."""

BURIED: dict[str, object] = {"action": "bury"}
RETRIED: dict[str, object] = {"action": "retry"}


@dataclass(frozen=True)
class WorkerPolicy:
    """The settings of the workers of one consumer.

    :ivar retry: policy for messages whose ``consume`` raised.
    :ivar batch_size: most messages in a call of ``consume_batch``; ``None``: the consumer has only ``consume``.
    :ivar batch_wait: seconds to wait for a batch to fill.
    """

    retry: RetryPolicy
    batch_size: int | None = None
    batch_wait: float = 0.0


class Worker:
    """Worker that runs ``consume`` for the messages of one source, in the thread that calls ``run`` or ``step``.

    :ivar delivery: the messages that it has in flight, or ``None``. The supervisor reads it in another thread.
    :ivar since: monotonic seconds at which the current message was begun.
    :ivar busy: seconds spent on deliveries, without the current one.
    :ivar last_failure: the last attempt that did not finish its message.
    """

    def __init__(
        self,
        consumer: Consumer,
        source: WorkSource,
        policy: WorkerPolicy,
        runtime: Runtime,
        log: logging.LoggerAdapter[logging.Logger],
    ) -> None:
        self.delivery: Delivery | None = None
        self.since = 0.0
        self.busy = 0.0
        self.last_failure: Failure | None = None
        self._begun = 0.0
        self.consume_times = Histogram()
        self.ages = Histogram()
        self._consumer = consumer
        self._source = source
        self._policy = policy
        self._runtime = runtime
        self._log = log
        self._stopping = False
        self._halt = threading.Event()
        self._limit = 1
        self._refusals = 0
        self._resume_at = 0.0
        self._slot = source.slot()
        self._outbox: list[tuple[int, Outgoing]] = []
        self._to_begin: Iterator[tuple[int, Message]] = iter(())

    def stop(self) -> None:
        """Stop after the current message. To end a waiting worker, close its source too. Thread-safe."""
        self._stopping = True
        self._halt.set()

    def run(self) -> None:
        """Work until the source is closed or ``stop`` is called."""
        log_context.use(self._source.name, self._logged_delivery)
        while not self._stopping and (self.step(None) or not self._source.closed):
            pass

    def step(self, timeout: float | None) -> bool:
        """Take messages once, and handle them. Returns whether there were any."""
        if not self._rested(timeout):
            return False
        batch_size = self._policy.batch_size
        delivery = self._source.take(batch_size or self._limit, timeout, self._policy.batch_wait)
        if delivery is None:
            return False
        # Set before ``delivery``, or the worker would look stuck since the one before.
        self.since = self._begun = self._runtime.monotonic()
        self._to_begin = iter(())
        self.delivery = delivery
        self._note_slot(delivery.positions)
        if batch_size is None:
            self._one_by_one(delivery)
        else:
            self._as_batch(delivery)
        current_message.use(None)
        self._put_down(delivery)
        return True

    def _put_down(self, delivery: Delivery) -> None:
        if delivery.left:
            self._source.give_back(delivery)
        self._slot.drop()
        self.delivery = None
        self._to_begin = iter(())  # a used iterator still holds its last message
        self.busy += self.since - self._begun

    def interrupt(self) -> bool:
        """Interrupt a call that hangs. Returns whether that is possible: for threads it is not."""
        return False

    def busy_at(self, now: float) -> float:
        """Seconds spent on messages, up to monotonic time ``now``. Thread-safe."""
        return self.busy + max(0.0, now - self._begun) if self.delivery is not None else self.busy

    def _logged_delivery(self) -> Delivery | None:
        """The delivery for its log lines; ``None`` while a whole batch is consumed."""
        delivery = self.delivery
        alone = self._policy.batch_size is None or (delivery is not None and len(delivery.messages) == 1)
        return delivery if alone else None

    def _note_slot(self, positions: Sequence[int]) -> None:
        """Record positions up to the first gap: messages in the gap are not in flight, and must not be suspected."""
        count = len(positions) if isinstance(positions, range) else 1
        while count < len(positions) and positions[count] == positions[0] + count:
            count += 1
        self._slot.hold(positions[0], positions[0] + count)

    def _post(self, outgoing: Outgoing) -> None:
        assert self.delivery is not None
        self._outbox.append((self.delivery.at, outgoing))

    def _rested(self, timeout: float | None) -> bool:
        """Wait for the end of the pause after a batch's ``Retry``. Returns whether it is over."""
        left = self._resume_at - self._runtime.monotonic() if self._resume_at else 0.0
        if left <= 0:
            return True
        return (timeout is None or left <= timeout) and not self._halt.wait(left)

    def abandon(self) -> None:
        """Handle the death of the thread: the current message fails, the others are returned. In it, or afterwards."""
        if (delivery := self.delivery) is not None:
            if delivery.left:
                self._report(delivery, delivery.at)
                self._failed(delivery, RuntimeError("the thread that handled it died"))
            self._put_down(delivery)

    def give_back_rest(self) -> None:
        """Return messages that are not begun, unless they have a key, which keeps them in order. Thread-safe.

        Drawing a message from the iterator is one step of the interpreter, so no message is handled twice, and the loop
        of the worker needs no lock.
        """
        delivery, to_begin = self.delivery, self._to_begin
        if delivery is None or delivery.key is not None:
            return
        rest = list(to_begin)
        if rest and rest[0][0] > 0:  # else the worker itself returns all of them
            first = rest[0][0]
            self._source.give_back_from(delivery, first)
            if self.delivery is delivery:
                self._note_slot(delivery.positions[first - 1 : first])

    def _each(self, delivery: Delivery) -> Iterator[tuple[int, Message]]:
        """Messages with their indexes, until ``give_back_rest`` takes the others."""
        self._to_begin = to_begin = enumerate(delivery.messages)
        return to_begin

    def _one_by_one(self, delivery: Delivery) -> None:
        """Consume messages one by one. This is the hot path."""
        current_message.use(self._post, partial(current_message.trace_in_hand, delivery), self._source.durable)
        consume = self._runtime.tracing.consume(self._consumer, self._source.name, delivery)
        clock, counts = self._runtime.monotonic, self.consume_times.counts
        begun = reported = since = self.since
        gaps = not isinstance(delivery.positions, range)
        at = -1
        for at, message in self._each(delivery):
            delivery.at = at
            if gaps:
                self._note_slot(delivery.positions[at : at + 1])
            try:
                if (answer := consume(message)) is not None or forked:
                    refuse_unfinished(answer, self._consumer.consume)
            except BaseException as error:  # noqa: BLE001 - even SystemExit of a consumer must not end the hub
                self._report(delivery, at)
                self._failed(delivery, error)
                if not delivery.left:
                    self._time()
                    return
            now = clock()
            counts[bisect_right(BOUNDS, now - since)] += 1
            self.since = since = now
            if now - reported > REPORT_EVERY or self._stopping:
                self._report(delivery, at + 1)
                reported = now
                if self._stopping or self._source.paused:
                    return
        self._report(delivery, at + 1)  # fewer, if others were given back
        mean = (since - begun) / max(1, at + 1)
        self._limit = max(1, min(int(REPORT_EVERY / (mean + 1e-9)), 2 * self._limit, MOST_AT_ONCE))

    def _as_batch(self, delivery: Delivery) -> None:
        """Consume a batch. After an error its messages come one by one, so that a bad one does not fail the others."""
        current_message.use(self._post, cache(partial(trace_of_all, delivery.messages)), self._source.durable)
        consume_batch = self._runtime.tracing.consume_batch(self._consumer, self._source.name, delivery)
        try:
            give(consume_batch, list(delivery.messages), self._consumer)  # a copy, since all queues share the list
        except Retry as error:
            self._time()
            self._postpone(delivery, error)
        except BaseException as error:  # noqa: BLE001 - as in _one_by_one
            self._time()
            if len(delivery.messages) == 1:
                self._failed(delivery, error)
            else:
                self._outbox.clear()
                text = "a batch of %d failed with %s, its messages are delivered one by one"
                self._log.warning(text, len(delivery.messages), type(error).__name__, extra={"action": "split"})
                self._split(delivery)
        else:
            self._time()
            self._refusals = 0
            self._report(delivery, len(delivery.messages))

    def _postpone(self, delivery: Delivery, error: Retry) -> None:
        """Retry a batch whose sink is unavailable. The worker pauses with backoff: the next batch would fail too."""
        self._refusals += 1
        self._outbox.clear()
        backoff = min(self._policy.retry.delay(self._refusals, self._runtime.uniform), LONGEST_PAUSE)
        delay = max(backoff if error.delay is None else error.delay, SOONEST)
        self._log.warning("a batch of %d again in %.1f s: %s", len(delivery.messages), delay, error, extra=RETRIED)
        self._resume_at = self._runtime.monotonic() + delay
        self.last_failure = Failure.of(
            error, self._runtime.wall(), delivery.messages[delivery.done], delivery.attempts + 1
        )
        while delivery.left:
            self._source.retry(delivery, delay, failed=False, why=told(error))

    def _split(self, delivery: Delivery) -> None:
        current_message.use(self._post, partial(current_message.trace_in_hand, delivery), self._source.durable)
        consume_batch = self._runtime.tracing.consume_batch(self._consumer, self._source.name, delivery)
        for at, message in self._each(delivery):
            if self._stopping or self._source.paused or not delivery.left:
                return
            delivery.at = at
            try:
                give(consume_batch, [message], self._consumer)
            except BaseException as error:  # noqa: BLE001 - as in _one_by_one
                self._failed(delivery, error)
            else:
                self._report(delivery, at + 1)
            self._time()

    def _time(self) -> None:
        now = self._runtime.monotonic()
        self.consume_times.add(now - self.since)
        self.since = now

    def _report(self, delivery: Delivery, upto: int) -> None:
        """Report the messages before ``upto`` as finished."""
        if upto <= delivery.done:
            return
        now, messages = self._runtime.wall(), delivery.messages
        first, last = messages[delivery.done].received_at, messages[upto - 1].received_at
        if first == last:  # a backend gives all messages of one read the same time
            self.ages.add(now - first, upto - delivery.done)
        else:
            for message in messages[delivery.done : upto]:
                self.ages.add(now - message.received_at)
        if self._outbox:
            self._source.finish(delivery, upto, [outgoing for at, outgoing in self._outbox if at < upto])
            self._outbox = [(at, outgoing) for at, outgoing in self._outbox if at >= upto]
        else:
            self._source.finish(delivery, upto)

    def _failed(self, delivery: Delivery, error: BaseException) -> None:
        """Apply the verdict on the next message, and log it. Messages published for it are dropped."""
        if forked:
            leave(error)
        self._outbox.clear()
        message, attempt = delivery.messages[delivery.done], delivery.attempts + 1
        verdict = self._judge(delivery, error)
        extra = {"topic": message.topic, "message_id": message.id, "attempt": attempt, "error": type(error).__name__}
        self.last_failure = Failure.of(error, self._runtime.wall(), message, attempt)
        if isinstance(verdict, Bury):
            text = "message %r of %s is a dead letter: %s"
            trace = None if isinstance(error, Reject) else error
            self._log.error(text, message.id, message.topic, verdict.reason, exc_info=trace, extra=extra | BURIED)
        else:
            level = logging.WARNING if verdict.failure else logging.INFO
            text = "message %r of %s: %s: %s; again in %.1f s"
            cause = (type(error).__name__, error, verdict.delay)
            self._log.log(level, text, message.id, message.topic, *cause, extra=extra | RETRIED)

    def _judge(self, delivery: Delivery, error: BaseException) -> Verdict:
        """Apply the verdict on the next message."""
        message, uniform = delivery.messages[delivery.done], self._runtime.uniform
        verdict = self._policy.retry.judge(error, message, delivery.attempts, delivery.failures, uniform)
        if isinstance(verdict, Bury):
            now = self._runtime.wall()
            letter = DeadLetter.of(message, verdict.reason, delivery.attempts + 1, now, error)
            self._source.bury(delivery, not isinstance(error, Reject), letter)
        else:
            self._source.retry(delivery, verdict.delay, verdict.failure, told(error))
        return verdict
