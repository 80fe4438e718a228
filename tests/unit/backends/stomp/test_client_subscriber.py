"""Subscriptions of the STOMP client, and its acknowledgements: on a broker in the same reactor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.backends.stomp import client_subscriber
from hub.backends.stomp.client import StompClient
from hub.backends.stomp.client_message import message_of
from hub.backends.stomp.frame import Frame
from hub.message import Message
from tests.unit.backends.stomp.broker import Broker, Client, settled
from tests.unit.backends.stomp.clients import connected, make, running, settings
from tests.unit.backends.support import Lines, Recorder, hub_context, stop, turn_for, turn_until


def test_it_is_connected_once_all_subscriptions_are_confirmed() -> None:
    held: list[tuple[Client, Frame]] = []
    with Broker() as broker:
        broker.answers["SUBSCRIBE"] = lambda client, frame: held.append((client, frame))
        with running(broker.port, wait=False, destinations=["/queue/x", "/queue/y"]) as (client, _):
            turn_until(lambda: len(held) == 2, "the subscriptions")
            for number, (peer, frame) in enumerate(held):
                assert client.status()["state"] == "connecting"
                assert client.status()["not_ready"] == f"{client.status()['endpoints'][0]['endpoint']}: " + (
                    "the broker has not confirmed all subscriptions"
                )
                assert len(client.status()["subscriptions"]) == number
                peer.receipt(frame)
                settled()
            assert client.status()["state"] == "connected"
            assert client.status()["not_ready"] is None
            assert client.status()["subscriptions"] == ["/queue/x", "/queue/y"]


def test_a_broker_that_confirms_no_subscription_is_left() -> None:
    lines = Lines()
    with Broker() as broker:
        broker.answers["SUBSCRIBE"] = lambda client, frame: None
        with running(broker.port, wait=False, lines=lines, connect_timeout=0.1) as (client, _):
            turn_until(lambda: broker.connections > 2, "another attempt")
            assert "does not confirm the subscription to /queue/a.b within 0.1 s" in lines.texts[0]
            assert client.status()["handshake_failures"] >= 2
            del broker.answers["SUBSCRIBE"]
            connected(client)


def test_a_refused_subscription_keeps_it_red() -> None:
    with Broker() as broker:
        broker.answers["SUBSCRIBE"] = lambda client, frame: client.error("access_refused")
        with running(broker.port, wait=False) as (client, _):
            turn_until(lambda: broker.connections > 2, "another attempt")
            settled()
            assert client.status()["state"] == "connecting"
            assert "access_refused" in client.status()["endpoints"][0]["error"]


def test_an_unexpected_error_costs_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(frame: Frame, *given: Any) -> Message:
        if frame.body == b"bad":
            1 / 0  # noqa: B018
        return message_of(frame, *given)

    monkeypatch.setattr(client_subscriber, "message_of", fails)
    with Broker() as broker, running(broker.port) as (client, intake):
        for body in (b"1", b"bad", b"2"):
            broker.send("/queue/a.b", body)
        turn_until(lambda: intake.bodies == [b"1", b"2"] and intake.refused, "the messages")
        ((message, reason),) = intake.refused
        assert (message.body, "ZeroDivisionError" in reason) == (b"bad", True)
        assert client.status()["malformed"] == {"internal_error": 1}
        assert client.status()["disconnects"] == 0


@pytest.mark.parametrize("ack", ["client", "client-individual"])
def test_a_message_is_acknowledged_once_the_hub_confirms_it(ack: str) -> None:
    with Broker() as broker, running(broker.port, ack=ack) as (client, intake):
        for number in range(5):
            broker.send("/queue/a.b", b"%d" % number)
        turn_until(lambda: len(intake.messages) == 5, "the messages")
        settled()
        assert broker.of("ACK") == []
        assert client.status()["unacknowledged"] == 5
        client.confirm(intake.tokens[:3])
        turn_until(lambda: broker.unacked()["0"] == 2, "the acknowledgement")
        assert len(broker.of("ACK")) == (1 if ack == "client" else 3)
        assert client.status()["unacknowledged"] == 2


@pytest.mark.parametrize("ack", ["client", "client-individual"])
def test_a_prefetch_that_is_used_up_is_told(ack: str) -> None:
    with Broker() as broker, running(broker.port, ack=ack, prefetch=3) as (client, intake):
        for number in range(3):
            assert client.at_bound() is None
            broker.send("/queue/a.b", b"%d" % number)
            turn_until(lambda number=number: len(intake.messages) == number + 1, "the message")  # type: ignore[misc]
        told = str(client.at_bound())
        assert told == "the broker sends no more from /queue/a.b, whose prefetch of 3 is used up"
        client.confirm(intake.tokens[:1])
        assert client.at_bound() is None


def test_after_the_work_each_message_has_its_own_acknowledgement() -> None:
    """Confirmations come out of order then: one that takes long must not hold up the others."""
    intake = Recorder()
    with Broker() as broker:
        client = StompClient(replace(hub_context(settings(broker.port)), settled=True))
        client.start(intake)
        connected(client)
        assert broker.of("SUBSCRIBE")[0].headers["ack"] == "client-individual"
        for number in range(3):
            broker.send("/queue/a.b", b"%d" % number)
        turn_until(lambda: len(intake.messages) == 3, "the messages")
        client.confirm(intake.tokens[1:])
        turn_until(lambda: broker.unacked()["0"] == 1, "the acknowledgements")
        stop(client)


def test_without_acknowledgements_there_are_no_tokens() -> None:
    with Broker() as broker, running(broker.port, ack="auto") as (client, intake):
        broker.send("/queue/a.b", b"1")
        turn_until(lambda: intake.messages, "the message")
        assert (intake.tokens, client.confirms, client.status()["unacknowledged"]) == ([], False, 0)


def test_version_1_1_acknowledges_by_the_id_of_the_message() -> None:
    with Broker(version="1.1") as broker, running(broker.port) as (client, intake):
        broker.send("/queue/a.b", b"1")
        turn_until(lambda: intake.messages, "the message")
        client.confirm(intake.tokens)
        turn_until(lambda: broker.of("ACK"), "the acknowledgement")
        assert broker.of("ACK")[0].headers == {"subscription": "0", "message-id": intake.messages[0].id}


def test_a_lost_connection_is_replaced_and_consumes_again() -> None:
    """What was not confirmed comes again, marked; what is confirmed too late is not told to the new connection."""
    with Broker() as broker, running(broker.port) as (client, intake):
        for number in range(4):
            broker.send("/queue/a.b", b"%d" % number)
        turn_until(lambda: len(intake.messages) == 4, "the messages")
        client.confirm(intake.tokens[:2])
        turn_until(lambda: broker.unacked()["0"] == 2, "the acknowledgement")
        broker.disconnect()
        turn_until(lambda: len(intake.messages) == 6, "the same again")
        assert intake.bodies == [b"0", b"1", b"2", b"3", b"2", b"3"]
        assert [message.headers.get("redelivered") for message in intake.messages[2:]] == [None, None, "true", "true"]
        client.confirm(intake.tokens[2:4])
        settled()
        assert broker.unacked()["0"] == 2
        assert client.status()["redelivered"] == 2
        client.confirm(intake.tokens[4:])
        turn_until(lambda: broker.unacked()["0"] == 0, "the acknowledgement")
        broker.send("/queue/a.b", b"new")
        turn_until(lambda: intake.bodies[-1] == b"new", "a new message")


def test_a_deleted_queue_ends_the_connection_and_is_subscribed_again() -> None:
    """RabbitMQ sends an ERROR then, and keeps the connection open: it would be silent for ever."""
    with Broker() as broker, running(broker.port) as (client, intake):
        broker.clients[0].send("ERROR", {"message": "Server cancelled subscription"})
        turn_until(lambda: broker.connections == 2, "another connection")
        connected(client)
        broker.send("/queue/a.b", b"1")
        turn_until(lambda: intake.messages, "a message")


@pytest.mark.parametrize("ack", ["client", "client-individual"])
def test_an_unusable_message_is_refused_here_and_buried_there(ack: str) -> None:
    """It does not take the good ones before it along."""
    with Broker() as broker, running(broker.port, ack=ack, max_message_size=1024) as (client, intake):
        for body in (b"first", b"x" * 1025, b"last"):
            broker.send("/queue/a.b", body)
        turn_until(lambda: len(intake.messages) == 2, "the good ones")
        assert intake.bodies == [b"first", b"last"]
        ((refused, reason),) = intake.refused
        assert reason == "the body has 1025 bytes, and max_message_size is 1024"
        assert (refused.topic, len(refused.body)) == ("a.b", 1024)
        assert client.status()["malformed"] == {"oversize": 1}
        client.confirm(intake.tokens)
        turn_until(lambda: broker.unacked()["0"] == 0, "all to be settled")
        assert broker.buried == [b"x" * 1025]
        assert broker.of("NACK")[0].headers["requeue"] == "false"


@pytest.mark.parametrize("ack", ["client", "client-individual"])
def test_a_body_without_an_envelope_is_buried_among_others_where_one_is_expected(ack: str) -> None:
    lines = [b'{"topic":"org.a"}', b"no", b"[]", b'{"topic":"org.b"}']
    with Broker() as broker, running(broker.port, ack=ack, format="fedmsg") as (client, intake):
        for body in lines:
            broker.send("/queue/a.b", body)
        turn_until(lambda: len(intake.messages) == 2 and len(intake.refused) == 2, "the messages")
        client.confirm(intake.tokens)
        turn_until(lambda: broker.unacked()["0"] == 0, "the acknowledgements")
        assert [one.topic for one in intake.messages] == ["org.a", "org.b"]
        assert [one.body for one, _ in intake.refused] == [b"no", b"[]"]
        assert client.status()["malformed"] == {"not_json": 1, "not_an_object": 1}
        assert len(broker.of("NACK")) == 2


def test_a_pause_leaves_messages_with_the_broker_and_lets_acknowledgements_pass() -> None:
    with Broker() as broker, running(broker.port, prefetch=2, ack="client-individual") as (client, intake):
        broker.send("/queue/a.b", b"0")
        turn_until(lambda: intake.messages, "the first")
        client.pause()
        for number in range(1, 10):
            broker.send("/queue/a.b", b"%d" % number)
        client.confirm(intake.tokens)
        turn_until(lambda: broker.of("ACK"), "the acknowledgement")
        turn_for(0.1)
        assert len(intake.messages) == 1
        assert broker.unacked()["0"] == 2
        client.resume()

        def all_there() -> bool:
            client.confirm(intake.tokens)  # for the broker's next ones
            return len(intake.messages) == 10

        turn_until(all_there, "the others")
        assert intake.bodies == [b"%d" % number for number in range(10)]


def test_one_that_starts_paused_does_not_subscribe_yet() -> None:
    with Broker() as broker:
        broker.send("/queue/a.b", b"1")
        client, intake = make(broker.port), Recorder()
        client.pause()
        client.start(intake)
        turn_until(lambda: broker.clients, "the connection")
        settled()
        assert (broker.of("SUBSCRIBE"), client.status()["state"]) == ([], "paused")
        client.resume()
        turn_until(lambda: intake.messages, "the message")
        assert client.status()["state"] == "connected"
        stop(client)


def test_a_paused_one_that_loses_its_connection_subscribes_when_it_goes_on() -> None:
    """It notices by its heart-beats: it does not read."""
    with Broker(heart_beat="100,100") as broker, running(broker.port, heart_beat=0.1) as (client, intake):
        client.pause()
        broker.disconnect()
        turn_until(lambda: broker.connections == 2, "another connection")
        broker.send("/queue/a.b", b"1")
        settled()
        assert len(broker.of("SUBSCRIBE")) == 1
        client.resume()
        turn_until(lambda: intake.messages, "the message")


def test_a_stop_acknowledges_what_is_confirmed_and_leaves_the_rest() -> None:
    with Broker() as broker:
        with running(broker.port) as (client, intake):
            for number in range(3):
                broker.send("/queue/a.b", b"%d" % number)
            turn_until(lambda: len(intake.messages) == 3, "the messages")
            client.pause()
            client.confirm(intake.tokens[:1])
        assert broker.commands()[-2:] == ["ACK", "DISCONNECT"]
        assert client.status()["state"] == "stopped"
        with running(broker.port) as (_, later):
            turn_until(lambda: len(later.messages) == 2, "the rest")
            assert later.bodies == [b"1", b"2"]
