"""A crew: the workers of one consumer. They start together, are replaced one by one, and stop together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from hub.consumer import Consumer
from hub.errors import HubError
from hub.failure import Failure, latest, told
from hub.stats.histogram import Histogram, merge
from hub.text import counted
from hub.workers.answer import call
from hub.workers.callback_event import CallbackEvent
from hub.workers.instances import Instance, Instances
from hub.workers.runtime import Runtime
from hub.workers.source import WorkSource
from hub.workers.worker import Worker, WorkerPolicy

Spawn = Callable[[Callable[[], None], str], threading.Thread]


def spawn(target: Callable[[], None], name: str) -> threading.Thread:
    """Start a daemon thread, so that a consumer that hangs can't keep the process from exiting."""
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread


class CrewPolicy(msgspec.Struct, frozen=True):
    """The settings of a crew.

    :ivar timeout: seconds after which a message is reported as stuck.
    :ivar every: seconds between two calls of ``tick``; ``None``: never.
    """

    threads: int
    timeout: float
    worker: WorkerPolicy
    every: float | None = None


class Crew:
    """The crew of one consumer. ``start``, ``stop`` and ``replace_dead`` belong to one thread, the reactor's.

    The first worker calls the consumer's ``start`` until it succeeds; the others wait for that. The last one to leave
    calls ``stop``. With an instance for each worker, each worker starts and stops its own.

    :param consumer: the instance of the first worker, or of all.
    :param source: the source of messages, a queue.
    :param make: makes the instances of the other workers, if each has its own.
    :ivar started: set when the consumer's ``start`` has returned; with several instances, that of one.
    :ivar tried: set when ``start`` has succeeded or failed once, or will not be called any more.
    :ivar gone: set when all threads have ended, by the last of them.
    :ivar start_error: the last error of ``start``, until it succeeds.
    :ivar ticks_failing: failed calls of ``tick`` since one succeeded; ``tick_error``: the last error.
    """

    def __init__(
        self,
        consumer: Consumer,
        source: WorkSource,
        policy: CrewPolicy,
        runtime: Runtime,
        log: logging.LoggerAdapter[logging.Logger],
        spawn: Spawn = spawn,
        make: Callable[[], Consumer] | None = None,
    ) -> None:
        self.source = source
        self.policy = policy
        self.log = log
        self.started = threading.Event()
        self.tried = CallbackEvent()
        self.gone = CallbackEvent()
        self.start_error = ""
        self.replaced = 0
        self.tick_failures = 0
        self.ticks_failing = 0
        self.tick_error = ""
        self._runtime = runtime
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
        self._leaving: dict[Worker, threading.Thread] = {}
        self._instances = Instances(consumer, make if consumer.per_worker else None, log, runtime.monotonic)
        self._instance_of: dict[Worker, Instance] = {}
        self._ticking = False

    @property
    def workers(self) -> list[tuple[Worker, threading.Thread]]:
        """Workers with their threads, in order of creation; workers that leave come last."""
        return [*self._workers.items(), *self._leaving.items()]

    @property
    def busy_with(self) -> str:
        """The call that keeps its threads from leaving, for a log line; empty: none is known."""
        if step := self._instances.step:
            return f"its {step}"
        if any(worker.delivery is not None for worker, _ in self.workers):
            return "its message"
        return "its tick()" if self._ticking else ""

    def follow(self, before: Crew) -> None:
        """Continue the counters of the crew before this one, since counters only grow."""
        for kept, counts in zip(self._retired, before.times(), strict=True):
            kept.counts = counts
        self._retired_busy = before.busy(self._runtime.monotonic())
        self.replaced, self.tick_failures = before.replaced, before.tick_failures

    def start(self) -> None:
        """Start the threads. Returns at once; ``started`` is set when the consumer has started."""
        self.source.open()
        for _ in range(self.policy.threads):
            self._add_worker()
        if self.policy.every is not None:
            self._enter()
            self._spawn(self._tick_forever, f"hubbub-{self.source.name}-tick")

    def stop(self) -> None:
        """Stop after the messages in flight. Returns at once; ``gone`` is set when the last thread has ended."""
        with self._lock:
            if self._stopping.is_set():
                return
            self._stopping.set()
            nobody = not self._present
        for worker in (*self._workers, *self._leaving):
            worker.stop()
        self._instances.tell_stopping()
        self._go.set()
        self.source.close()
        if nobody:
            self._spawn(self._end, f"hubbub-{self.source.name}-stop")

    def resize(self, count: int) -> int:
        """Change the number of threads. Surplus ones finish their message first. Returns the number before.

        :raises HubError: the consumer has not started, or is about to stop; or the system has no more threads.
        """
        if self._stopping.is_set() or not self.started.is_set():
            raise HubError(f"{self.source.name} is not running: its threads can't be changed now")
        before = len(self._workers)
        try:
            for _ in range(before, count):
                self._add_worker()
        except RuntimeError as error:  # the system has no more threads
            raise HubError(f"{self.source.name} has {counted(len(self._workers), 'thread')} now: {error}") from error
        for worker in list(self._workers)[count:]:
            self._leaving[worker] = self._workers.pop(worker)
            worker.stop()
        self.source.nudge()
        return before

    def _reap(self) -> None:
        """Remove workers that have left. A leaving worker that was about to wait is nudged again; one with a message is
        not, because a nudge also keeps the other workers from filling their batches."""
        for worker, thread in list(self._leaving.items()):
            if not thread.is_alive():
                worker.abandon()
            elif worker.delivery is None:
                self.source.nudge()
        self.forget_ended()

    def forget_ended(self) -> None:
        """Remove workers that left without a message; their counters are kept. In the reactor's thread."""
        for worker, thread in list(self._leaving.items()):
            if not thread.is_alive() and worker.delivery is None:
                del self._leaving[worker]
                self._retire(worker)

    def is_leaving(self, worker: Worker) -> bool:
        """Tell whether a worker was told to end."""
        return self._stopping.is_set() or worker in self._leaving

    def replace_dead(self) -> int:
        """Replace each thread that died. Its current message counts as failed, and is retried.

        :returns: number of replaced threads.
        """
        self._reap()
        dead = [worker for worker, thread in self._workers.items() if not thread.is_alive()]
        if self._stopping.is_set() or not dead:
            return 0
        for worker in dead:
            worker.abandon()  # unless it did so itself
            self._add_worker(self._instance_of[worker])  # if that fails, the next round tries again
            thread = self._workers.pop(worker)
            self._retire(worker)
            self.log.error("thread %s died and is replaced", thread.name, extra={"action": "replace"})
            self.replaced += 1
        return len(dead)

    def times(self) -> tuple[list[int], list[int]]:
        """Histogram counts of all threads ever: consume times, and ages of messages when they were finished."""
        workers = [worker for worker, _ in self.workers]
        consume, ages = self._retired
        return merge([consume, *(w.consume_times for w in workers)]), merge([ages, *(w.ages for w in workers)])

    def busy(self, now: float) -> float:
        """Seconds that all threads ever have spent on messages, up to monotonic time ``now``."""
        busy = self._retired_busy + sum(worker.busy_at(now) for worker, _ in self.workers)
        self._busiest = max(self._busiest, busy)  # workers change it meanwhile, and a counter only grows
        return self._busiest

    @property
    def last_failure(self) -> Failure | None:
        """The last failed attempt of any thread."""
        return latest(self._retired_failure, *(worker.last_failure for worker, _ in self.workers))

    def own_status(self) -> Any:
        """The consumer's own status, JSON-able; a list if there are several instances. ``None``: it has none."""
        return self._instances.status()

    def interrupt(self, worker: Worker) -> bool:
        """Interrupt the call that a worker hangs in. Returns whether that is possible: for threads it is not."""
        return worker.interrupt()

    def _retire(self, worker: Worker) -> None:
        self._instance_of.pop(worker, None)
        self._retired_failure = latest(self._retired_failure, worker.last_failure)
        self._retired_busy += worker.busy_at(self._runtime.monotonic())
        for kept, added in zip(self._retired, (worker.consume_times, worker.ages), strict=True):
            kept.counts = merge([kept, added])

    def _add_worker(self, instance: Instance | None = None) -> None:
        """Start a worker. :param instance: the instance of the worker it replaces; ``None``: an additional worker."""
        starts = not self._made if instance is None else not instance.started
        instance = instance or self._instances.another()
        worker = Worker(instance.consumer, self.source, self.policy.worker, self._runtime, self.log)
        self._enter()
        self._made += 1
        name = f"hubbub-{self.source.name}-{self._made}"
        self._instance_of[worker] = instance
        try:
            starts = starts or not self._instances.shared
            self._workers[worker] = self._spawn(lambda: self._work(worker, instance, starts), name)
        except BaseException:
            del self._instance_of[worker]
            self._leave()  # it never started: nothing must wait for it
            raise

    def _work(self, worker: Worker, instance: Instance, starts: bool) -> None:
        try:
            if starts and not instance.started:
                self._start_instance(worker, instance)
            if self._instances.shared:
                self._go.wait()
            if instance.started:
                worker.run()
        finally:
            self._depart(worker, instance)

    def _depart(self, worker: Worker, instance: Instance) -> None:
        """End a worker's thread. It returns its messages before it counts as gone: a stopping crew replaces no threads,
        and the next crew must find the messages in the queue."""
        try:
            worker.abandon()
            if not self._instances.shared and self.is_leaving(worker):
                self._stop_instance(instance)
                self._instances.forget(instance)
        finally:
            self._leave()

    def _start_instance(self, worker: Worker, instance: Instance) -> None:
        failures = 0
        while not self.is_leaving(worker):
            try:
                instance.start()
            except BaseException as error:  # an error of one consumer must not affect others
                failures += 1
                self.start_error = told(error)
                delay = self.policy.worker.retry.delay(failures, self._runtime.uniform)
                self.tried.set()
                self.log.error("start() failed, again in %.1f s", delay, exc_info=error, extra={"action": "start"})
                self._stopping.wait(delay)
            else:
                self.start_error = ""
                self.started.set()
                self._go.set()
                self.tried.set()
                return

    def _stop_instance(self, instance: Instance) -> None:
        try:
            instance.stop()
        except BaseException as error:  # as in _start_instance
            self.log.error("stop() failed", exc_info=error, extra={"action": "stop"})

    def _tick_forever(self) -> None:
        assert self.policy.every is not None
        try:
            self._go.wait()
            due = self._runtime.monotonic() + self.policy.every
            while not self._stopping.wait(max(0.0, due - self._runtime.monotonic())):
                self._tick()
                # After a tick that took longer than the interval, missed ticks are skipped.
                due = max(due + self.policy.every, self._runtime.monotonic())
        finally:
            self._leave()

    def _tick(self) -> None:
        """Call ``tick`` of each instance."""
        self._ticking = True
        for instance in self._instances.started():
            try:
                call(instance.consumer.tick)
            except BaseException as error:  # as in _start_instance
                self.tick_failures += 1
                self.ticks_failing += 1
                self.tick_error = told(error)
                self.log.error("tick() failed", exc_info=error, extra={"action": "tick"})
            else:
                self.ticks_failing, self.tick_error = 0, ""
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
        for instance in self._instances.started():
            self._stop_instance(instance)
        self.tried.set()
        self.gone.set()
