"""Periodic work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hub.workers.crew import Crew
from tests.unit.crews import Watched, crew_of, end


def test_tick_comes_again_and_again_in_a_thread_of_its_own() -> None:
    consumer, ticks = Watched(), threading.Semaphore(0)
    consumer.on_tick = ticks.release
    crew = crew_of(consumer, every=0.001)
    crew.start()
    assert all(ticks.acquire(timeout=10) for _ in range(3))
    end(crew)
    assert {thread for what, thread in consumer.calls if what == "tick"} == {"hubbub-c-tick"}


def test_tick_waits_until_the_consumer_has_started() -> None:
    consumer, ticks = Watched(), threading.Semaphore(0)
    consumer.start_errors = [OSError("not yet")]
    consumer.on_tick = ticks.release
    crew = crew_of(consumer, every=0.001)
    crew.start()
    assert ticks.acquire(timeout=10)
    end(crew)
    names = consumer.names()
    assert names.index("tick") > [at for at, name in enumerate(names) if name == "start"][1]


def test_a_tick_that_fails_is_counted_and_the_next_one_comes() -> None:
    consumer, ticks = Watched(), threading.Semaphore(0)

    def fail() -> None:
        ticks.release()
        raise SystemExit("from tick")

    consumer.on_tick = fail
    crew = crew_of(consumer, every=0.001)
    crew.start()
    assert all(ticks.acquire(timeout=10) for _ in range(3))
    end(crew)
    assert crew.tick_failures >= 3


def test_there_is_an_interval_between_two_ticks() -> None:
    consumer, ticks = Watched(), threading.Semaphore(0)
    consumer.on_tick = ticks.release
    crew = crew_of(consumer, every=0.05)
    begun = time.monotonic()
    crew.start()
    assert all(ticks.acquire(timeout=10) for _ in range(4))
    assert time.monotonic() - begun >= 0.2
    end(crew)


class Waits(threading.Event):
    """In the place of the event that ends a crew: a wait for it takes no time, but the clock goes on.

    :ivar waits: how long each was to be. :ivar on_wait: called at each.
    """

    def __init__(self, now: list[float]) -> None:
        super().__init__()
        self._now = now
        self.waits: list[float] = []
        self.on_wait: Callable[[], object] = lambda: None

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        self.on_wait()
        self._now[0] += timeout
        return self.is_set()


def ticking(consumer: Watched, ticks: list[Callable[[], object]]) -> tuple[Crew, Waits, list[float]]:
    """A crew with a tick every ten seconds, that stops with the last of these ticks, and its clock."""
    now = [100.0]
    crew = crew_of(consumer, every=10.0, monotonic=lambda: now[0])
    crew._stopping = waits = Waits(now)

    def tick() -> None:
        do = ticks.pop(0)
        if not ticks:
            crew.stop()
        do()

    consumer.on_tick = tick
    return crew, waits, now


def test_ticks_keep_their_interval_and_those_that_are_missed_are_skipped() -> None:
    consumer = Watched()

    def taking(seconds: float) -> Callable[[], None]:
        def take() -> None:
            now[0] += seconds

        return take

    crew, waits, now = ticking(consumer, [taking(1.0), taking(25.0), taking(0.0), taking(0.0)])
    crew.start()
    assert crew.gone.wait(10)
    assert waits.waits == [10.0, 9.0, 0.0, 10.0, 10.0]
    assert consumer.names().count("tick") == 4


def test_how_often_it_fails_and_why_is_told_until_one_is_well_and_all_failures_are_counted() -> None:
    def fail() -> None:
        raise SystemExit("from tick")

    crew, waits, _ = ticking(Watched(), [fail, fail, lambda: None, fail])
    told: list[tuple[int, str, int]] = []
    waits.on_wait = lambda: told.append((crew.ticks_failing, crew.tick_error, crew.tick_failures))
    crew.start()
    assert crew.gone.wait(10)
    error = "SystemExit: from tick"
    assert told == [(0, "", 0), (1, error, 1), (2, error, 2), (0, "", 2), (1, error, 3)]
