"""Beginnings are spread evenly, and whoever waits for one can be told to end."""

from __future__ import annotations

import threading

from hub.consumers.trigger.pace import Pace


class Waits(threading.Event):
    """Moves the clock instead of sleeping."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.waited: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        if self.is_set():
            return True
        self.waited.append(timeout or 0.0)
        self.now += timeout or 0.0
        return False


def test_without_a_limit_nobody_waits() -> None:
    waits = Waits()
    assert Pace(None, lambda: waits.now).wait(waits)
    assert waits.waited == []


def test_the_first_begins_at_once_and_the_others_in_turn() -> None:
    waits = Waits()
    pace = Pace("120/m", lambda: waits.now)
    for _ in range(4):
        assert pace.wait(waits)
    assert waits.waited == [0.5] * 3


def test_time_that_nobody_used_is_not_saved_up() -> None:
    waits = Waits()
    pace = Pace("1/s", lambda: waits.now)
    pace.wait(waits)
    waits.now += 1000
    for _ in range(3):
        pace.wait(waits)
    assert waits.waited == [1.0] * 2


def test_a_turn_that_never_comes_can_be_waited_for() -> None:
    waits = Waits()
    pace = Pace("1/999999d", lambda: waits.now)
    assert [pace.wait(waits), pace.wait(waits)] == [True, True]
    assert waits.waited == [threading.TIMEOUT_MAX]


def test_who_is_to_end_does_not_begin() -> None:
    waits = Waits()
    pace = Pace("1/s", lambda: waits.now)
    pace.wait(waits)
    waits.set()
    assert not pace.wait(waits)
