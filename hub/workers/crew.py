"""The threads of one consumer: they start together, are replaced one by one, and stop together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from hub.consumer import Consumer
from hub.errors import HubError
from hub.failure import Failure, latest, told
from hub.queue.queue import Queue
from hub.stats.histogram import Histogram, merge
from hub.text import counted
from hub.workers.answer import call
from hub.workers.worker import Surroundings, Worker, WorkerPolicy

Spawn = Callable[[Callable[[], None], str], threading.Thread]


def spawn(target: Callable[[], None], name: str) -> threading.Thread:
    """A daemon thread, started: a consumer that hangs must not keep a process alive that was told to exit."""
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread


@dataclass(frozen=True)
class CrewPolicy:
    """How many threads, doing what.

    :ivar timeout: seconds after which a message is reported as stuck.
    :ivar every: seconds between two calls of ``tick``; ``None``: never.
    """

    threads: int
    timeout: float
    worker: WorkerPolicy
    every: float | None = None


class Crew:
    """See the module. ``start``, ``stop`` and ``replace_dead`` belong to one thread, the reactor's.

    The first worker calls the consumer's ``start``, again and again until it succeeds; the others wait for it. The last
    one to leave calls its ``stop``.

    :ivar started: set once the consumer's ``start`` has returned.
    :ivar gone: set once all of its threads have ended.
    :ivar start_error: why ``start`` failed the last time, until it succeeds.
    :ivar ticks_failing: calls of ``tick`` that failed since one succeeded; ``tick_error``: why the last of them did.
    """

    def __init__(
        self,
        consumer: Consumer,
        queue: Queue,
        policy: CrewPolicy,
        surroundings: Surroundings,
        log: logging.LoggerAdapter[logging.Logger],
        spawn: Spawn = spawn,
    ) -> None:
        self.consumer = consumer
        self.queue = queue
        self.policy = policy
        self.log = log
        self.started = threading.Event()
        self.gone = threading.Event()
        self.start_error = ""
        self.replaced = 0
        self.tick_failures = 0
        self.ticks_failing = 0
        self.tick_error = ""
        self._around = surroundings
        self._spawn = spawn
        self._stopping = threading.Event()
        self._go = threading.Event()
        self._lock = threading.Lock()
        self._present = 0
        self._made = 0
        self._retired = Histogram(), Histogram()
        self._retired_busy = self._busiest = 0.0
        self._retired_failure: Failure | None = None
        self._workers: dict[Worker, threading.Thread] = {}
        self._dismissed: dict[Worker, threading.Thread] = {}
        self._ticker: threading.Thread | None = None
        self._step = ""
        self._ticking = False

    @property
    def tried(self) -> bool:
        """Whether the consumer has started, or has failed to."""
        return self.started.is_set() or bool(self.start_error)

    @property
    def workers(self) -> list[tuple[Worker, threading.Thread]]:
        """The workers with their threads, in the order in which they were made, but for those that leave: last."""
        return [*self._workers.items(), *self._dismissed.items()]

    @property
    def busy_with(self) -> str:
        """What its threads are in, for an operator who waits for them to leave; empty: nothing is known."""
        if self._step:
            return f"its {self._step}"
        if any(worker.taken is not None for worker, _ in self.workers):
            return "its message"
        return "its tick()" if self._ticking else ""

    def follow(self, before: Crew) -> None:
        """Its counts go on from those of the crew before it, for a count only grows."""
        for kept, counts in zip(self._retired, before.times(), strict=True):
            kept.counts = counts
        self._retired_busy = before.busy(self._around.monotonic())
        self.replaced, self.tick_failures = before.replaced, before.tick_failures

    def start(self) -> None:
        """Begin; returns at once. ``started`` tells when the consumer has started."""
        self.queue.open()
        for number in range(self.policy.threads):
            self._add_worker(starts=number == 0)
        if self.policy.every is not None:
            self._enter()
            self._ticker = self._spawn(self._tick_forever, f"hubbub-{self.queue.name}-tick")

    def stop(self) -> None:
        """Finish what is in hand; returns at once. ``gone`` tells when the last thread has left."""
        with self._lock:
            if self._stopping.is_set():
                return
            self._stopping.set()
            nobody = not self._present
        for worker in (*self._workers, *self._dismissed):
            worker.stop()
        self._go.set()
        self.queue.close()
        if nobody:
            self._spawn(self._end, f"hubbub-{self.queue.name}-stop")

    def resize(self, count: int) -> int:
        """Have so many threads; those that are too many finish their message first. Returns how many there were.

        :raises HubError: the consumer has not started, or is about to stop; or there are no more threads to be had.
        """
        if self._stopping.is_set() or not self.started.is_set():
            raise HubError(f"{self.queue.name} does not run: its threads can't be changed now")
        before = len(self._workers)
        try:
            for _ in range(before, count):
                self._add_worker(starts=False)
        except RuntimeError as error:  # the system has no more threads to give
            raise HubError(f"{self.queue.name} has {counted(len(self._workers), 'thread')} now: {error}") from error
        for worker in list(self._workers)[count:]:
            self._dismissed[worker] = self._workers.pop(worker)
            worker.stop()
        self.queue.nudge()
        return before

    def _see_off(self) -> None:
        """Those that were dismissed. One that was about to wait when it was told so is told again; one that has a
        message in hand need not be, and the others must not be kept from filling a batch for as long as it has."""
        for worker, thread in list(self._dismissed.items()):
            if not thread.is_alive():
                worker.abandon()
            elif worker.taken is None:
                self.queue.nudge()
        self.forget_ended()

    def forget_ended(self) -> None:
        """Those that were dismissed and have ended with empty hands, which are of no interest any more, but for their
        counts. In the reactor's thread."""
        for worker, thread in list(self._dismissed.items()):
            if not thread.is_alive() and worker.taken is None:
                del self._dismissed[worker]
                self._retire(worker)

    def is_leaving(self, worker: Worker) -> bool:
        """Whether it was told to end."""
        return self._stopping.is_set() or worker in self._dismissed

    def replace_dead(self) -> int:
        """Put a new thread in the place of each that died; what it had in hand counts as failed and comes again.

        :returns: how many.
        """
        self._see_off()
        dead = [worker for worker, thread in self._workers.items() if not thread.is_alive()]
        if self._stopping.is_set() or not dead:
            return 0
        for worker in dead:
            worker.abandon()  # where it could not do so itself
            self._add_worker(starts=not self.started.is_set())  # no thread to be had: the next round tries again
            thread = self._workers.pop(worker)
            self._retire(worker)
            self.log.error("thread %s died and is replaced", thread.name, extra={"action": "replace"})
            self.replaced += 1
        return len(dead)

    def times(self) -> tuple[list[int], list[int]]:
        """Counts of the consume times, and of the ages at which messages were finished, of all threads ever."""
        workers = [worker for worker, _ in self.workers]
        consume, ages = self._retired
        return merge([consume, *(w.consume_times for w in workers)]), merge([ages, *(w.ages for w in workers)])

    def busy(self, now: float) -> float:
        """Seconds that all threads ever have spent on messages, up to monotonic time ``now``."""
        busy = self._retired_busy + sum(worker.busy_at(now) for worker, _ in self.workers)
        self._busiest = max(self._busiest, busy)  # it is read while they work, and a count only grows
        return self._busiest

    @property
    def last_failure(self) -> Failure | None:
        """The last attempt of any thread that failed."""
        return latest(self._retired_failure, *(worker.last_failure for worker, _ in self.workers))

    def _retire(self, worker: Worker) -> None:
        self._retired_failure = latest(self._retired_failure, worker.last_failure)
        self._retired_busy += worker.busy_at(self._around.monotonic())
        for kept, added in zip(self._retired, (worker.consume_times, worker.ages), strict=True):
            kept.counts = merge([kept, added])

    def _add_worker(self, starts: bool) -> None:
        worker = Worker(self.consumer, self.queue, self.policy.worker, self._around, self.log)
        self._enter()
        self._made += 1
        name = f"hubbub-{self.queue.name}-{self._made}"
        try:
            self._workers[worker] = self._spawn(lambda: self._work(worker, starts), name)
        except BaseException:
            self._leave()  # it never came: nobody must wait for it
            raise

    def _work(self, worker: Worker, starts: bool) -> None:
        try:
            if starts:
                self._start_consumer()
            self._go.wait()
            if self.started.is_set():
                worker.run()
        finally:
            self._depart(worker)

    def _depart(self, worker: Worker) -> None:
        """If the thread dies, it gives back what it has in hand before it is counted as gone: once a crew is stopping
        nobody looks after its dead any more, and the crew after it must find the message in the queue."""
        try:
            worker.abandon()
        finally:
            self._leave()

    def _start_consumer(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self._step = "start()"
                call(self.consumer.start)
            except BaseException as error:  # whatever it is, the other consumers go on
                failures += 1
                self.start_error = told(error)
                delay = self.policy.worker.retry.delay(failures, self._around.uniform)
                text = "start() failed, again in %.1f s"
                self._step = ""
                self.log.error(text, delay, exc_info=error, extra={"action": "start"})
                self._stopping.wait(delay)
            else:
                self._step = self.start_error = ""
                self.started.set()
                self._go.set()
                return

    def _tick_forever(self) -> None:
        assert self.policy.every is not None
        try:
            self._go.wait()
            due = self._around.monotonic() + self.policy.every
            while not self._stopping.wait(max(0.0, due - self._around.monotonic())):
                self._tick()
                # A tick that took longer than the interval does not make the next ones come in a rush.
                due = max(due + self.policy.every, self._around.monotonic())
        finally:
            self._leave()

    def _tick(self) -> None:
        try:
            self._ticking = True
            call(self.consumer.tick)
        except BaseException as error:  # as in _start_consumer
            self.tick_failures += 1
            self.ticks_failing += 1
            self.tick_error = told(error)
            self.log.error("tick() failed", exc_info=error, extra={"action": "tick"})
        else:
            self.ticks_failing, self.tick_error = 0, ""
        finally:
            self._ticking = False

    def _enter(self) -> None:
        with self._lock:
            self._present += 1

    def _leave(self) -> None:
        with self._lock:
            self._present -= 1
            last = not self._present and self._stopping.is_set()
        if last:
            self._end()

    def _end(self) -> None:
        try:
            if self.started.is_set():
                self._step = "stop()"
                call(self.consumer.stop)
        except BaseException as error:  # as in _start_consumer
            self.log.error("stop() failed", exc_info=error, extra={"action": "stop"})
        finally:
            self.gone.set()
