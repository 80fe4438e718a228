"""Messages that no store keeps: whoever waits is told what became of them."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from hub.message import Message
from hub.store import Outgoing
from tests.unit.doubles import FakeReactor, RecordingBackend, message
from tests.unit.test_publisher import Refusing, backend, made_of, publisher


class Late(RecordingBackend):
    """Confirms when the test says so."""

    waiting: list[Deferred[None]]

    def publish(self, message: Message) -> Any:
        self.waiting = [*getattr(self, "waiting", []), Deferred()]
        return self.waiting[-1]


def outgoing(told: list[bool]) -> Outgoing:
    return Outgoing("bus", message(1), told.append)


def test_one_that_the_bus_has_confirmed_is_safe() -> None:
    bus: Any = backend(Late)
    made, told = publisher(bus=bus), list[bool]()
    made.unstored([outgoing(told), Outgoing("bus", message(2))])
    assert told == []
    for waiting in bus.waiting:
        waiting.callback(None)
    assert told == [True]


def test_one_that_the_bus_never_takes_is_given_up() -> None:
    made, told = publisher(bus=backend(Refusing)), list[bool]()
    made.unstored([outgoing(told)])
    assert told == [True]


def test_the_log_says_which_backend_could_not_send(caplog: pytest.LogCaptureFixture) -> None:
    """By the name of the logger, and in a field of its own."""
    made = publisher(bus=backend(Refusing), wire=backend(Refusing))
    for name in ("bus", "wire"):
        made.publish("a", "x", {}, name)
    found = [(line.name, vars(line)["backend"], vars(line)["topic"]) for line in caplog.records]
    assert found == [("hubbub.backend.bus", "bus", "a"), ("hubbub.backend.wire", "wire", "a")]


def test_one_that_finds_no_room_waits_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its message is finished: it could not come again."""
    monkeypatch.setattr("hub.unsent.MOST_UNSTORED", 0)
    made, told = publisher(bus=backend()), list[bool]()
    made.hold(["bus"], 5.0)
    made.unstored([outgoing(told)])
    assert told == []
    made.open()
    assert told == [True]


def test_those_that_the_end_of_the_hub_meets_are_lost() -> None:
    reactor, told = FakeReactor(), list[bool]()
    made = made_of({"bus": backend(Late)}, reactor)
    made.open()
    made.unstored([outgoing(told)])
    made.finish(5.0)
    reactor.advance(5.0)
    assert told == [False]
    made.unstored([outgoing(told)])
    assert told == [False, False]


def test_each_backend_is_told_with_the_numbers_of_its_own_outbox() -> None:
    made = publisher(bus=backend(), wire=backend(Late))
    for name in ("bus", "wire", "wire"):
        made.publish("a", "x", {}, name)
    rows = made.with_outboxes({name: {"state": name} for name in ("bus", "wire", "new")})
    numbers = [(row["state"], row["outbox_sent"], row["outbox_unconfirmed"]) for row in rows.values()]
    assert (list(rows), numbers) == (["bus", "wire", "new"], [("bus", 1, 0), ("wire", 0, 2), ("new", 0, 0)])
