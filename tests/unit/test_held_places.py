"""Messages that are put off, and hold up the bus that waits for them."""

from __future__ import annotations

from typing import Any, cast

from hub.held_places import HeldPlaces
from hub.interfaces import Backend
from tests.unit.doubles import RecordingBackend, RecordingLog, messages
from tests.unit.test_confirmations import ASK, Desk


class Bounded(RecordingBackend):
    """A bus that gives four messages."""

    most = 4
    given = 0

    def at_bound(self) -> str | None:
        return "it has given all it may" if self.given >= self.most else None


class Bench:
    def __init__(self, count: int) -> None:
        self.desk, self.log = Desk(Bounded), RecordingLog()
        self.bus = cast("Any", self.desk.backends[0])
        self.desk.intakes[0].receive(messages(count), list(range(count)))
        self.bus.given = count
        self.places = HeldPlaces(self.desk.confirmations, self.log)

    def put_off(self, count: int) -> None:
        for _ in range(count):
            delivery = self.desk.queue.take(1, timeout=0)
            assert delivery is not None
            self.desk.queue.retry(delivery, 600.0, failed=False)

    def look(self) -> str:
        backends: dict[str, Backend] = {"bus": self.bus, "other": self.desk.backends[1]}
        self.places.look(backends)
        return self.desk.queue.announcer.holds_up


def test_a_bus_that_is_held_up_by_what_is_put_off_is_told_once() -> None:
    bench = Bench(4)
    assert bench.look() == ""
    bench.put_off(1)
    assert bench.look() == ""
    bench.put_off(1)
    reason = "it has given all it may; 2 of 4 messages wait for their next attempt and keep their places"
    assert bench.look() == reason
    bench.put_off(1)
    assert "3 of 4" in bench.look()
    assert bench.log.lines() == [f"backend bus is held up: {reason}; docs/amqp.rst says what to do"]


def test_one_that_may_give_more_is_not_held_up() -> None:
    bench = Bench(3)
    bench.put_off(3)
    assert bench.look() == ""
    assert bench.log.lines() == []


def test_what_is_over_is_told_too() -> None:
    bench = Bench(4)
    bench.put_off(4)
    assert bench.look()
    bench.bus.given = 3
    assert bench.look() == ""
    assert bench.log.lines()[-1] == "backend bus is held up no more"


def test_one_that_went_while_it_was_held_up_leaves_no_condition() -> None:
    bench = Bench(4)
    bench.put_off(4)
    assert bench.look()
    bench.desk.confirmations.close(bench.bus)
    assert bench.look() == ""


def test_a_bus_that_tells_no_bound_is_left_alone() -> None:
    bench = Bench(4)
    bench.bus = RecordingBackend(ASK)
    bench.put_off(4)
    assert bench.look() == ""
