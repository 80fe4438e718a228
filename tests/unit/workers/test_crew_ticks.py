"""Periodic work."""

from __future__ import annotations

import threading
import time

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
