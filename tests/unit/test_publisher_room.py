"""Messages that no store keeps, of which a bounded number waits for a bus that is away."""

from __future__ import annotations

from typing import Any

import pytest

from hub import current_message
from hub.errors import Retry, Unavailable
from hub.store import Outgoing
from tests.unit.doubles import FakeReactor, message
from tests.unit.test_publisher import backend, counts, made_of, publisher


class Busy(FakeReactor):
    """Calls what threads ask for when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Any] = []

    def callFromThread(self, function: Any, *args: Any) -> None:
        self.asked.append(lambda: function(*args))


def test_not_more_wait_than_memory_can_bear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.unsent.MOST_UNSTORED", 1)
    reactor = Busy()
    made = made_of({"bus": backend()}, reactor)
    for topic in ("a", "b"):
        made.publish(topic, "x", {}, None)  # the reactor has not taken the first one yet
    for call in reactor.asked:
        call()
    assert counts(made) == (0, 1)
    made.open()
    assert counts(made) == (1, 1)


def test_what_was_published_for_a_finished_message_is_never_given_up_for_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.unsent.MOST_UNSTORED", 1)
    made = publisher(bus=backend())
    made.hold(["bus"], 5.0)
    made.unstored([Outgoing("bus", message(number)) for number in range(3)])
    assert counts(made) == (0, 0)
    made.open()
    assert counts(made) == (3, 0)


@pytest.mark.parametrize("durable", [False, True])
def test_without_room_a_message_whose_end_is_in_memory_comes_again(
    durable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.unsent.MOST_UNSTORED", 1)
    made, posted = publisher(bus=backend()), list[Any]()
    made.hold(["bus"], 5.0)
    made.publish("a", "x", {}, None)
    current_message.use(posted.append, durable=durable)
    if durable:
        made.publish("b", "x", {}, None)
    else:
        with pytest.raises(Retry, match="'bus' is away, and too many messages wait"):
            made.publish("b", "x", {}, None)
        made.open()
        made.publish("b", "x", {}, None)
    assert [outgoing.message.topic for outgoing in posted] == ["b"]


def test_whoever_publishes_is_told_that_too_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.unsent.MOST_UNSTORED", 1)
    made = publisher(bus=backend())
    made.hold(["bus"], 5.0)
    made.publish("a", "x", {}, None)
    with pytest.raises(Unavailable, match="too many messages wait"):
        made.publish("b", "x", {}, None)
    assert counts(made) == (0, 0)
