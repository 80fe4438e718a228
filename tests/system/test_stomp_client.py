"""The STOMP client on real brokers, and on the double of the unit tests: what that does, they do."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.backends.stomp.client import StompClient
from hub.errors import CannotPublish, Unavailable
from hub.message import Message
from tests.support import bus_messages
from tests.unit.backends.stomp import clients
from tests.unit.backends.stomp.broker import Broker
from tests.unit.backends.support import Lines, Recorder, turn_for, turn_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

_names = itertools.count(1)
KINDS = ["rabbitmq", "activemq", "stomp_hub", "double"]


@dataclass
class Place:
    """A broker, the login, and a name for destinations that no other test uses."""

    kind: str
    port: int
    login: dict[str, Any]
    name: str

    def running(self, **given: Any) -> AbstractContextManager[tuple[StompClient, Recorder]]:
        return clients.running(self.port, **{**self.login, "destinations": [self.queue], **given})

    @property
    def queue(self) -> str:
        return f"/queue/{self.name}"

    def topic(self, rest: str) -> str:
        return f"/topic/{self.name}.{rest}"

    def below(self) -> str:
        """A subscription to all topics of this name."""
        if self.kind == "double":
            return "/topic/#"
        return f"/topic/{self.name}.{'>' if self.kind == 'activemq' else '#'}"


@pytest.fixture
def login(tmp_path: Path) -> dict[str, Any]:
    passcode = tmp_path / "passcode"
    passcode.write_text("guest\n")
    return {"login": "guest", "passcode": f"file:{passcode}"}


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, login: dict[str, Any]) -> Iterator[Place]:
    name = f"t{next(_names)}"
    if request.param == "double":
        with Broker(heart_beat="1000,1000") as broker:
            yield Place("double", broker.port, login, name)
    else:
        yield Place(request.param, request.getfixturevalue(request.param).port, login, name)


def published(client: StompClient, *bodies: bytes, topic: str = "t", **headers: Any) -> None:
    """Publish, and wait for all receipts."""
    outcomes: list[Any] = []
    for number, body in enumerate(bodies):
        client.publish(Message(f"id-{number}", topic, body, headers)).addBoth(outcomes.append)
    turn_until(lambda: len(outcomes) == len(bodies), "the receipts")
    assert outcomes == [None] * len(bodies)


def received(intake: Recorder, count: int) -> list[bytes]:
    turn_until(lambda: len(intake.messages) >= count, lambda: f"{count} messages, not {len(intake.messages)}")
    turn_for(0.1)  # and no more
    assert len(intake.messages) == count
    return intake.bodies


@pytest.mark.parametrize("ack", ["client", "client-individual", "auto"])
def test_messages_arrive_as_they_were_sent_and_are_acknowledged(place: Place, ack: str) -> None:
    bodies = [b"", b"\0binary\0\n", "täxt".encode(), b"x" * 100_000, *(b"%d" % number for number in range(500))]
    with place.running(ack=ack, publish=place.queue) as (client, intake):
        published(client, *bodies, foo="b:a\\r\nz", n=3, yes=True)
        assert received(intake, len(bodies)) == bodies
        first = intake.messages[1]
        assert (first.id, first.topic) == ("id-1", place.name)
        assert (first.headers["foo"], first.headers["n"], first.headers["yes"]) == ("b:a\\r\nz", "3", "true")
        assert first.headers["destination"] == place.queue
        assert not {"subscription", "message-id", "ack", "receipt", "redelivered"} & set(first.headers)
        client.confirm(intake.tokens)
        assert client.status()["unacknowledged"] == 0
    with place.running() as (_, intake):
        turn_for(0.2)
        assert intake.messages == []


def test_the_topic_is_that_of_the_destination(place: Place) -> None:
    with place.running(destinations=[place.below()], publish="/topic/{topic}") as (client, intake):
        space = "sp-ace" if place.kind == "stomp_hub" else "sp ace"  # a hub's topics have none
        topics = [f"{place.name}.{rest}" for rest in ("a", "b.c", space, "sl/ash%")]
        for topic in topics:
            published(client, b"x", topic=topic)
        received(intake, 4)
        assert [one.topic for one in intake.messages] == topics


def test_fedmsgs_envelopes_have_topic_and_id_both_ways(place: Place) -> None:
    """Real messages as their programs wrapped them, then some of our own."""
    recorded = bus_messages()
    with place.running(publish=place.queue, format="fedmsg") as (client, intake):
        # While it reads: of what was there before, ActiveMQ gives 200 messages, and more only for acknowledged ones.
        with place.running(destinations=[], publish=place.queue) as (sender, _):
            published(sender, *recorded, b"no JSON", b"[1]")
        assert received(intake, len(recorded)) == recorded
        for one, wanted in zip(intake.messages, map(json.loads, recorded), strict=True):
            assert one.topic == wanted["topic"]
            assert one.id == wanted.get("msg_id", one.headers["amqp-message-id"])
        client.confirm(intake.tokens)
        turn_until(lambda: client.status()["malformed"] == {"not_json": 1, "not_an_object": 1}, "the refusals")
        published(client, b'{"n": 1}', topic="org.own", n=3)
        turn_until(lambda: len(intake.messages) > len(recorded), "our own")
        own = intake.messages[-1]
        assert (own.topic, own.headers["n"], own.headers["content-type"]) == ("org.own", "3", "application/json")
        envelope = own.json()
        assert (envelope["topic"], envelope["msg"], envelope["msg_id"]) == ("org.own", {"n": 1}, own.id)
        client.confirm(intake.tokens[len(recorded) :])
    with place.running() as (_, intake):
        turn_for(0.2)
        assert intake.messages == []


@pytest.mark.parametrize("ack", ["client", "client-individual"])
def test_what_was_not_confirmed_comes_again(place: Place, ack: str) -> None:
    with place.running(publish=place.queue, ack=ack) as (client, intake):
        published(client, *(b"%d" % number for number in range(10)))
        received(intake, 10)
        client.confirm(intake.tokens[:4])
        if ack == "client-individual":
            client.confirm(intake.tokens[5:7])
    with place.running(ack=ack) as (client, again):
        left = [b"4", b"5", b"6", b"7", b"8", b"9"] if ack == "client" else [b"4", b"7", b"8", b"9"]
        assert received(again, len(left)) == left
        assert {one.headers.get("redelivered") for one in again.messages} == {"true"}
        assert client.status()["redelivered"] == len(left)
        client.confirm(again.tokens)


def test_an_acknowledgement_settles_nothing_of_another_subscription(place: Place) -> None:
    """RabbitMQ's do."""
    first, second = f"{place.queue}-1", f"{place.queue}-2"
    with place.running(destinations=[], publish=first) as (client, _):
        published(client, b"1", b"2")
    with place.running(destinations=[], publish=second) as (client, _):
        published(client, b"3", b"4")
    with place.running(destinations=[first, second]) as (client, intake):
        received(intake, 4)
        late = [token for token, one in zip(intake.tokens, intake.messages, strict=True) if one.body in (b"2", b"4")]
        client.confirm(late)
    with place.running(destinations=[first, second]) as (client, intake):
        turn_until(lambda: len(intake.messages) >= 2, "what was not confirmed")
        turn_for(0.1)
        assert {b"1", b"3"} <= set(intake.bodies)
        client.confirm(intake.tokens)


def test_the_broker_stops_at_the_prefetch(place: Place) -> None:
    with place.running(publish=place.queue, prefetch=10) as (client, intake):
        published(client, *(b"%d" % number for number in range(50)))
        received(intake, 10)
        client.pause()
        client.confirm(intake.tokens)
        turn_for(0.3)
        assert len(intake.messages) == 10
        client.resume()

        def all_there() -> bool:
            client.confirm(intake.tokens)
            return len(intake.messages) == 50

        turn_until(all_there, "the others")
        assert intake.bodies == [b"%d" % number for number in range(50)]


@pytest.mark.parametrize("ack", ["client", "client-individual"])
def test_a_rejected_message_does_not_come_again(place: Place, ack: str) -> None:
    with place.running(publish=place.queue, ack=ack, max_message_size=1024) as (client, _):
        published(client, b"before")
    with place.running(destinations=[], publish=place.queue) as (client, _):
        published(client, b"x" * 2000, b"after")
    with place.running(ack=ack, max_message_size=1024) as (client, intake):
        assert received(intake, 2) == [b"before", b"after"]
        assert client.status()["malformed"] == {"oversize": 1}
        client.confirm(intake.tokens)
    with place.running() as (_, intake):
        turn_for(0.2)
        assert intake.messages == []


def test_heart_beats_keep_an_idle_connection(place: Place) -> None:
    """Brokers end one that has been silent for three intervals. So they do where the machine stands still for as long:
    one of some tries has to last."""
    assert any(lasts(place) for _ in range(5))


def lasts(place: Place) -> bool:
    lines = Lines()
    with place.running(publish=place.queue, heart_beat=1.0, lines=lines) as (client, intake):
        turn_for(5)
        lasted = client.status()["disconnects"] == 0
        assert not lasted or all("connected to" in text for text in lines.texts)
        clients.connected(client)
        published(client, b"1")
        received(intake, 1)
        client.confirm(intake.tokens)
    return bool(lasted)


@pytest.mark.parametrize("place", ["rabbitmq", "activemq", "stomp_hub"], indirect=True)
def test_a_durable_subscription_keeps_messages_while_the_hub_is_away(place: Place) -> None:
    durable = {"destinations": [place.below()], "durable_name": place.name}
    with place.running(**durable):
        pass
    with place.running(destinations=[], publish="/topic/{topic}") as (client, _):
        published(client, b"1", b"2", topic=f"{place.name}.a")
    with place.running(**durable) as (client, intake):
        assert received(intake, 2) == [b"1", b"2"]
        client.confirm(intake.tokens)


def outcome(client: StompClient, message: Message) -> Any:
    found: list[Any] = []
    client.publish(message).addBoth(found.append)
    turn_until(lambda: found, "the outcome")
    return getattr(found[0], "value", found[0])


def test_rabbitmqs_refusals_are_told_apart(rabbitmq: Any, login: dict[str, Any]) -> None:
    place = Place("rabbitmq", rabbitmq.port, login, f"t{next(_names)}")
    with place.running(destinations=[], publish="/exchange/nope/{topic}") as (client, _):
        found = outcome(client, Message("x", "a", b""))
        assert isinstance(found, Unavailable)
        assert "no exchange 'nope'" in str(found)
    with place.running(destinations=[], publish="/topic/{topic}") as (client, _):
        found = outcome(client, Message("x", "a", b"", {"expiration": "soon"}))
        assert isinstance(found, CannotPublish)
        assert "invalid expiration 'soon'" in str(found)


def test_activemqs_refusals_are_told_apart(activemq: Any, login: dict[str, Any]) -> None:
    place = Place("activemq", activemq.port, login, f"t{next(_names)}")
    with place.running(destinations=[], publish=place.queue) as (client, _):
        found = outcome(client, Message("x", "a", b"", {"long": "x" * 20_000}))
        assert isinstance(found, CannotPublish)
        assert "maximum header length" in str(found)


def test_a_wrong_login_is_told(rabbitmq: Any, tmp_path: Path) -> None:
    passcode = tmp_path / "wrong"
    passcode.write_text("wrong")
    lines = Lines()
    wrong = {"login": "guest", "passcode": f"file:{passcode}"}
    with clients.running(rabbitmq.port, wait=False, lines=lines, **wrong) as (client, _):
        turn_until(lambda: client.status()["handshake_failures"], "the refusal")
        assert client.status()["state"] == "connecting"
        assert "Bad CONNECT: Access refused for user 'guest'" in lines.texts[0]
        assert "wrong" not in str(client.status()) + lines.texts[0].replace("no connection", "")


def test_a_subscription_that_the_broker_refuses_keeps_it_red(rabbitmq: Any, login: dict[str, Any]) -> None:
    """RabbitMQ sends the RECEIPT all the same, after the ERROR."""
    place = Place("rabbitmq", rabbitmq.port, login, "x")
    with place.running(wait=False, destinations=["/amq/queue/nope"]) as (client, _):
        turn_until(lambda: client.status()["handshake_failures"] > 1, "two refusals")
        assert client.status()["state"] == "connecting"
        assert "no queue 'nope'" in client.status()["endpoints"][0]["error"]


def test_a_deleted_queue_is_subscribed_again(rabbitmq: Any, login: dict[str, Any]) -> None:
    """RabbitMQ sends an ERROR, and keeps the connection open."""
    place = Place("rabbitmq", rabbitmq.port, login, f"t{next(_names)}")
    with place.running(publish=place.queue) as (client, intake):
        rabbitmq.control("delete_queue", place.name)
        turn_until(lambda: client.status()["disconnects"] == 1, "the end of the connection")
        clients.connected(client)
        published(client, b"1")
        received(intake, 1)
        client.confirm(intake.tokens)
