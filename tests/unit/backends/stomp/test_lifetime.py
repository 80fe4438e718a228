"""Lifetimes: messages that come later, or not at all any more."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from hub.backends.stomp import lifetime
from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.lifetime import Lifetime
from hub.message import HeaderValue, Message
from hub.replays import ReplayedMessage


def message(**headers: HeaderValue) -> Message:
    return Message("1", "a", b"", headers, received_at=1000.0)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, 0.0),
        ({"expires": "0"}, 0.0),
        ({"expires": "1002001"}, 0.0),
        ({"expires": "1002000"}, None),
        ({"expires": 1001000}, None),
        ({"expiration": "2001"}, 0.0),
        ({"expiration": "2000"}, None),
        ({"AMQ_SCHEDULED_DELAY": "5000"}, 3.0),
        ({"AMQ_SCHEDULED_DELAY": "2000"}, 0.0),
        ({"AMQ_SCHEDULED_DELAY": "5000", "expiration": "1000"}, None),
        ({"AMQ_SCHEDULED_DELAY": "soon", "expires": "soon"}, 0.0),
    ],
)
def test_what_becomes_of_a_message_two_seconds_later(headers: dict[str, HeaderValue], wait: float | None) -> None:
    assert Lifetime(lambda: 1002.0).seconds_to_wait(message(**headers), tried=False) == wait


def test_one_that_has_waited_does_not_wait_again() -> None:
    assert Lifetime(lambda: 1002.0).seconds_to_wait(message(AMQ_SCHEDULED_DELAY="5000"), tried=True) == 0.0


def test_the_hub_keeps_what_goes_into_a_queue_alone_for_what_is_left_of_its_delay() -> None:
    lifetime = Lifetime(lambda: 1002.0)
    assert lifetime.delays([message(), message(expires="1")]) == ()
    batch = [message(AMQ_SCHEDULED_DELAY="5000"), message(), message(AMQ_SCHEDULED_DELAY="1999")]
    assert lifetime.delays(batch) == [3.0, 0.0, 0.0]


@pytest.mark.parametrize(("topic", "wait"), [("/queue/q", 0.0), ("/reply-queue/q", 0.0), ("queue.q", 3.0)])
def test_the_server_delays_only_what_the_hub_has_not(topic: str, wait: float) -> None:
    one = replace(message(AMQ_SCHEDULED_DELAY="5000"), topic=topic)
    lifetime = Lifetime(lambda: 1002.0)
    assert lifetime.seconds_to_wait(one, tried=False) == wait
    assert lifetime.deliveries(ReplayedMessage(one, 1, attempts=2)) == (1 if wait else 2)
    assert lifetime.deliveries(ReplayedMessage(one, 1)) == 0


@pytest.mark.parametrize("name", ["expires", "expiration", "AMQ_SCHEDULED_DELAY"])
@pytest.mark.parametrize("text", ["", "-1", "1.5", "soon", "9" * 16, "\N{ARABIC-INDIC DIGIT FIVE}"])
def test_what_is_no_number_is_refused(name: str, text: str) -> None:
    with pytest.raises(ProtocolError, match=name):
        lifetime.check({name: text})


@pytest.mark.parametrize("name", lifetime.OTHER_SCHEDULES)
def test_schedules_that_repeat_are_refused_and_not_ignored(name: str) -> None:
    with pytest.raises(ProtocolError, match=name):
        lifetime.check({name: "1000"})
