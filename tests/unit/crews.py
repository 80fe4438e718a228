"""Crews with real threads, for the tests of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hub.consumer import Consumer
from hub.interfaces import Clock
from hub.message import Message
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.store.memory import MemoryStore
from hub.workers.crew import Crew, CrewPolicy, Spawn, spawn
from hub.workers.retry import Backoff
from hub.workers.runtime import Runtime
from hub.workers.worker import WorkerPolicy
from tests.unit.doubles import RecordingLog, Scripted, none_at_all
from tests.unit.doubles import offer as offer_to


class Watched(Scripted):
    """Notes every call with its thread; ``start``, ``tick`` and ``stop`` do what they are told."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, str]] = []
        self.start_errors: list[BaseException] = []
        self.on_tick: Callable[[], object] = lambda: None
        self.on_stop: Callable[[], object] = lambda: None

    def start(self) -> None:
        self.note("start")
        if self.start_errors:
            raise self.start_errors.pop(0)

    def consume(self, message: Message) -> None:
        self.note("consume")
        super().consume(message)

    def tick(self) -> None:
        self.note("tick")
        self.on_tick()

    def stop(self) -> None:
        self.note("stop")
        self.on_stop()

    def note(self, what: str) -> None:
        self.calls.append((what, threading.current_thread().name))

    def names(self) -> list[str]:
        return [what for what, _ in self.calls]


def crew_of(
    consumer: Watched,
    threads: int = 1,
    every: float | None = None,
    queue: Queue | None = None,
    uniform: Callable[[float, float], float] = none_at_all,
    spawn: Spawn = spawn,
    make: Callable[[], Consumer] | None = None,
    monotonic: Clock = time.monotonic,
) -> Crew:
    policy = CrewPolicy(threads, 5.0, WorkerPolicy(Backoff(3, 0.01, 1.0)), every)
    around = Runtime(monotonic, time.time, uniform)
    return Crew(
        consumer,
        queue or Queue("c", QueuePolicy(), MemoryStore(), time.monotonic, time.time),
        policy,
        around,
        RecordingLog(),
        spawn,
        make,
    )


def queue_of(crew: Crew) -> Queue:
    """The source that it was made with."""
    assert isinstance(crew.source, Queue)
    return crew.source


def offer(crew: Crew, batch: list[Message]) -> None:
    offer_to(queue_of(crew), batch)


def finished(crew: Crew) -> int:
    return queue_of(crew).stats().counters.finished


def end(crew: Crew) -> None:
    crew.stop()
    assert crew.gone.wait(10)
    for _, thread in crew.workers:
        thread.join(10)
        assert not thread.is_alive()
