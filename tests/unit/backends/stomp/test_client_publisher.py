"""Publishing with receipts: on a broker in the same reactor, which confirms late, or refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hub.backends.stomp.client import StompClient
from hub.backends.stomp.client_publisher import MOST_LOSSES
from hub.backends.stomp.frame import Frame
from hub.errors import CannotPublish, Unavailable
from hub.message import Message
from tests.unit.backends.stomp.broker import Broker, Client, settled
from tests.unit.backends.stomp.clients import connected, running
from tests.unit.backends.support import turn_until


class Outcomes:
    """What became of each message, by its body."""

    def __init__(self, client: StompClient) -> None:
        self.client = client
        self.of: dict[str, Any] = {}

    def publish(self, *bodies: str) -> None:
        for body in bodies:
            self.of[body] = "unconfirmed"
            sending = self.client.publish(Message(body, "t", body.encode()))
            sending.addCallbacks(self._note, self._note, callbackArgs=(body,), errbackArgs=(body,))

    def _note(self, result: Any, body: str) -> None:
        self.of[body] = "confirmed" if result is None else result.value

    def kinds(self) -> list[str]:
        return [one if isinstance(one, str) else type(one).__name__ for one in self.of.values()]

    def all_known(self) -> None:
        turn_until(lambda: "unconfirmed" not in self.of.values(), lambda: f"all outcomes: {self.of}")


@contextmanager
def publishing(broker: Broker, **given: Any) -> Iterator[Outcomes]:
    settings = {"destinations": [], "publish": "/queue/{topic}", **given}
    with running(broker.port, **settings) as (client, _):
        yield Outcomes(client)


def late(held: list[tuple[Client, Frame]]) -> Any:
    """An answer to SEND: none yet."""
    return lambda client, frame: held.append((client, frame))


def test_a_message_is_published_when_its_receipt_has_come() -> None:
    held: list[tuple[Client, Frame]] = []
    with Broker() as broker, publishing(broker) as outcomes:
        broker.answers["SEND"] = late(held)
        outcomes.publish("a", "b", "c")
        turn_until(lambda: len(held) == 3, "the messages")
        assert [frame.headers["destination"] for _, frame in held] == ["/queue/t"] * 3
        assert outcomes.kinds() == ["unconfirmed"] * 3
        held[1][0].receipt(held[1][1])
        settled()
        assert outcomes.kinds() == ["unconfirmed", "confirmed", "unconfirmed"]
        assert outcomes.client.status()["published"] == 1
        for peer, frame in held:
            peer.receipt(frame)
        outcomes.all_known()
        assert outcomes.client.status()["published"] == 3


def test_in_fedmsgs_format_bodies_are_in_envelopes_with_numbers() -> None:
    with Broker() as broker, publishing(broker, format="fedmsg") as outcomes:
        outcomes.publish("1", "[2]")
        outcomes.all_known()
        sent = [json.loads(frame.body) for frame in broker.of("SEND")]
        assert [(one["i"], one["topic"], one["msg"]) for one in sent] == [(1, "t", 1), (2, "t", [2])]
        for call in (outcomes.client.check, outcomes.client.publish):
            with pytest.raises(CannotPublish, match="fedmsg's format takes JSON only"):
                call(Message("x", "t", b"no"))
        assert outcomes.client.status()["publish_failed"] == 1


def test_a_message_whose_envelope_is_too_large_can_not_be_sent() -> None:
    with Broker() as broker, publishing(broker, format="fedmsg", max_message_size=1024) as outcomes:
        message = Message("x", "t", b'"%s"' % (b"x" * 1000))
        for call in (outcomes.client.check, outcomes.client.publish):
            with pytest.raises(CannotPublish, match="and max_message_size is 1024"):
                call(message)
        assert broker.of("SEND") == []


def test_a_lost_connection_fails_them_for_now() -> None:
    held: list[tuple[Client, Frame]] = []
    with Broker() as broker, publishing(broker) as outcomes:
        broker.answers["SEND"] = late(held)
        outcomes.publish("a", "b")
        turn_until(lambda: len(held) == 2, "the messages")
        broker.disconnect()
        outcomes.all_known()
        assert outcomes.kinds() == ["Unavailable", "Unavailable"]
        del broker.answers["SEND"]
        connected(outcomes.client)
        outcomes.publish("a", "b")
        outcomes.all_known()
        assert outcomes.kinds() == ["confirmed", "confirmed"]


def test_without_a_connection_it_says_not_now_and_why() -> None:
    with Broker() as broker:
        broker.answers["CONNECT"] = lambda client, frame: client.error("Bad CONNECT")
        with publishing(broker, wait=False) as outcomes:
            turn_until(lambda: broker.connections > 1, "an attempt")
            with pytest.raises(Unavailable, match="Bad CONNECT"):
                outcomes.publish("a")
            assert outcomes.client.status()["publish_failed"] == 1


def refusing(bad: str, text: str, **headers: str) -> Any:
    """An answer to SEND: the broker's own, but an ERROR for one body."""

    def answer(client: Client, frame: Frame) -> None:
        if frame.body.decode() == bad:
            named = dict.fromkeys(headers, frame.headers["receipt"])
            client.error(text, **named)
        else:
            client.answer(client, frame)

    return answer


def test_an_error_that_names_the_message_is_its_end() -> None:
    """ActiveMQ names it. The others are sent again."""
    with Broker() as broker, publishing(broker) as outcomes:
        broker.answers["SEND"] = refusing("b", "Invalid destination", **{"receipt-id": ""})
        outcomes.publish("a", "b", "c")
        outcomes.all_known()
        assert outcomes.kinds() == ["confirmed", "CannotPublish", "Unavailable"]
        assert str(outcomes.of["b"]) == "the broker refuses it: Invalid destination"


def test_an_error_that_names_none_is_traced_to_its_message() -> None:
    """RabbitMQ's. After it, those that may be meant are sent one at a time."""
    with Broker() as broker, publishing(broker) as outcomes:
        broker.answers["SEND"] = refusing("c", "Invalid destination")
        outcomes.publish("a", "b", "c", "d")
        outcomes.all_known()
        waiting = [body for body, outcome in outcomes.of.items() if isinstance(outcome, Unavailable)]
        assert {"c", "d"} <= set(waiting)
        connected(outcomes.client)
        outcomes.publish(*waiting, "e")
        outcomes.all_known()
        assert isinstance(outcomes.of["c"], CannotPublish)
        connected(outcomes.client)
        again = [body for body, outcome in outcomes.of.items() if isinstance(outcome, Unavailable)]
        outcomes.publish(*again)
        outcomes.all_known()
        assert outcomes.kinds().count("CannotPublish") == 1
        assert outcomes.kinds().count("confirmed") == 4


def test_the_trial_is_over_when_all_have_passed() -> None:
    held: list[tuple[Client, Frame]] = []
    with Broker() as broker, publishing(broker) as outcomes:
        broker.answers["SEND"] = late(held)
        outcomes.publish("a", "b")
        turn_until(lambda: len(held) == 2, "the messages")
        held[0][0].error("something")
        outcomes.all_known()
        connected(outcomes.client)
        held.clear()
        outcomes.publish("a", "b", "c", "d")
        for number in (1, 2):
            settled()
            assert len(held) == number  # one at a time
            held[-1][0].receipt(held[-1][1])
        turn_until(lambda: len(held) == 4, "the others")


def test_an_error_that_may_pass_keeps_the_message() -> None:
    with Broker() as broker, publishing(broker) as outcomes:
        broker.answers["SEND"] = refusing("a", "access_refused")
        outcomes.publish("a")
        outcomes.all_known()
        assert outcomes.kinds() == ["Unavailable"]
        assert "access_refused" in str(outcomes.of["a"])


def test_a_message_that_ends_the_connection_again_and_again_is_given_up() -> None:
    """ActiveMQ ends it without a word on a ``priority`` that is no number."""
    with Broker() as broker, publishing(broker) as outcomes:
        broker.answers["SEND"] = lambda client, frame: client.transport.abortConnection()
        for _ in range(MOST_LOSSES - 1):
            connected(outcomes.client)
            outcomes.publish("a")
            outcomes.all_known()
            assert outcomes.kinds() == ["Unavailable"]
        connected(outcomes.client)
        outcomes.publish("a")
        outcomes.all_known()
        assert f"the connection ended {MOST_LOSSES} times" in str(outcomes.of["a"])
        assert outcomes.kinds() == ["CannotPublish"]


def test_it_has_a_connection_of_its_own() -> None:
    """A broker that is short of memory reads no more from publishers: acknowledgements must not wait behind them."""
    with Broker() as broker, running(broker.port, publish="/queue/out") as (client, intake):
        assert broker.connections == 2
        broker.send("/queue/a.b", b"1")
        turn_until(lambda: intake.messages, "a message")
        client.pause()
        outcomes = Outcomes(client)
        outcomes.publish("a")
        outcomes.all_known()  # also while nothing is read from the other
        assert outcomes.kinds() == ["confirmed"]
