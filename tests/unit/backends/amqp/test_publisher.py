"""Publishing with confirms: on a broker in the tests' reactor, which confirms late, or refuses."""

from __future__ import annotations

from typing import Any

import pytest
from pika import spec

from hub.backends.amqp.client import AmqpClient
from hub.backends.amqp.publisher import MOST_LOSSES
from hub.errors import CannotPublish, PlaceUnavailable, Unavailable
from hub.message import Message
from tests.unit.backends.amqp.broker import Broker
from tests.unit.backends.amqp.clients import connected, running
from tests.unit.backends.support import Lines, turn_until


def outcome(client: AmqpClient, message: Message) -> list[Any]:
    found: list[Any] = []
    client.publish(message).addBoth(lambda result: found.append(getattr(result, "value", result)))
    return found


def test_a_message_is_published_when_the_broker_has_confirmed_it() -> None:
    held: list[Any] = []
    with Broker() as broker, running(broker.port, queues={}, publish="e") as (client, _):
        broker.answers["published"] = lambda other, channel, sent: held.append((other, channel, sent[0]))
        results = [outcome(client, Message("i", "a", b"%d" % number)) for number in range(3)]
        turn_until(lambda: len(held) == 3, "the messages")
        assert results == [[], [], []]
        other, channel, _ = held[0]
        other.send(channel, spec.Basic.Ack(2, multiple=True))
        turn_until(lambda: results[1], "the confirmations")
        assert results == [[None], [None], []]
        other.send(channel, spec.Basic.Nack(3))
        turn_until(lambda: results[2], "the refusal")
        assert isinstance(results[2][0], Unavailable)
        assert (client.status()["published"], client.status()["publish_failed"]) == (2, 1)


def test_a_mandatory_message_that_reaches_no_queue_is_given_up_with_the_reason() -> None:
    def answer(other: Any, channel: int, sent: Any) -> None:
        number, message = sent
        if message.routing_key == "nobody":
            other.content(channel, spec.Basic.Return(312, "NO_ROUTE", "e", "nobody"), message.properties, message.body)
        other.send(channel, spec.Basic.Ack(number))

    with Broker() as broker, running(broker.port, queues={}, publish="e", mandatory=True) as (client, _):
        broker.answers["published"] = answer
        results = [outcome(client, Message("i", topic, b"1")) for topic in ("a", "nobody", "a")]
        turn_until(lambda: all(results), "the verdicts")
        assert all(one.mandatory for one in broker.of("Basic.Publish"))
        assert [results[0], results[2]] == [[None], [None]]
        assert isinstance(results[1][0], CannotPublish)
        assert "NO_ROUTE (312)" in str(results[1][0])


def test_a_missing_exchange_is_told_and_waited_for() -> None:
    lines = Lines()
    with Broker() as broker:
        broker.answers["Exchange.Declare"] = lambda other, channel, _: other.close_channel(
            channel, 404, "NOT_FOUND - e"
        )
        with running(broker.port, lines=lines, queues={}, publish="e", wait=False) as (client, _):
            turn_until(lambda: len(broker.of("Exchange.Declare")) > 2, "more attempts")
            assert client.status()["not_ready"].endswith("exchange e: NOT_FOUND - e (404)")
            with pytest.raises(Unavailable, match="NOT_FOUND"):
                client.publish(Message("i", "a", b""))
            assert len([text for text in lines.texts if "NOT_FOUND" in text]) == 1
            del broker.answers["Exchange.Declare"]
            connected(client)


def test_a_lost_connection_fails_what_is_unconfirmed_for_now() -> None:
    with Broker() as broker, running(broker.port, queues={}, publish="e") as (client, _):
        broker.answers["published"] = lambda other, channel, sent: None
        result = outcome(client, Message("i", "a", b""))
        turn_until(lambda: broker.published, "the message")
        broker.disconnect()
        turn_until(lambda: result, "the failure")
        assert isinstance(result[0], Unavailable)


def outcomes(client: AmqpClient, *bodies: bytes) -> list[Any]:
    """The verdicts on messages that are sent at once."""
    results = [outcome(client, Message("i", "a", body)) for body in bodies]
    turn_until(lambda: all(results), f"the verdicts: {results}")
    return [result[0] for result in results]


def refusing(code: int, text: str) -> Any:
    """An answer to a message: ``bad`` ends the channel, with this code."""

    def answer(other: Any, channel: int, sent: Any) -> None:
        number, message = sent
        if message.body == b"bad":
            other.close_channel(channel, code, text)
        else:
            other.send(channel, spec.Basic.Ack(number))

    return answer


def test_a_message_that_ends_the_channel_is_found_and_given_up_and_others_are_sent() -> None:
    with Broker() as broker, running(broker.port, queues={}, publish="e") as (client, _):
        broker.answers["published"] = refusing(406, "PRECONDITION_FAILED - too large")
        first = outcomes(client, b"bad", b"1", b"2")
        assert [type(one) for one in first] == [Unavailable] * 3
        connected(client)
        second = outcomes(client, b"bad", b"1", b"2")
        assert [type(one) for one in second] == [CannotPublish, Unavailable, Unavailable]
        assert "the broker refuses it: PRECONDITION_FAILED - too large (406)" in str(second[0])
        connected(client)
        assert outcomes(client, b"1", b"2") == [None, None]
        assert client.status()["published"] == 2


@pytest.mark.parametrize("code", [403, 404])
def test_rights_and_a_missing_exchange_are_no_messages_fault(code: int) -> None:
    with Broker() as broker, running(broker.port, queues={}, publish="e") as (client, _):
        broker.answers["published"] = refusing(code, "no")
        for _ in range(3):
            assert [type(one) for one in outcomes(client, b"bad")] == [Unavailable]
            connected(client)
        broker.answers.pop("published")
        assert outcomes(client, b"bad", b"1") == [None, None]


def test_a_message_on_which_connections_end_is_given_up() -> None:
    with Broker() as broker, running(broker.port, queues={}, publish="e") as (client, _):
        broker.answers["published"] = lambda other, channel, sent: broker.disconnect()
        for _ in range(MOST_LOSSES - 1):
            assert [type(one) for one in outcomes(client, b"bad", b"1")] == [Unavailable, Unavailable]
            connected(client)
        kinds = [type(one) for one in outcomes(client, b"bad", b"1")]
        if kinds == [Unavailable, Unavailable]:  # at first both were unconfirmed
            connected(client)
            kinds = [type(one) for one in outcomes(client, b"bad", b"1")]
        assert kinds == [CannotPublish, Unavailable]


def test_a_message_that_pika_can_not_write_upsets_no_number() -> None:
    with Broker() as broker, running(broker.port, queues={}, publish="e") as (client, _):
        bad = outcome(client, Message("i", "a", b"", {"n" * 300: 1}))
        assert isinstance(bad[0], Exception)
        assert outcomes(client, b"1", b"2") == [None, None]


def test_a_broker_that_takes_no_messages_is_named_until_it_does() -> None:
    with Broker() as broker, running(broker.port, queues={}, publish="e") as (client, _):
        (other,) = broker.clients
        other.send(0, spec.Connection.Blocked("low on memory"))
        turn_until(lambda: client.status()["blocked"], "the block")
        assert client.status()["blocked"] == "low on memory"
        assert client.status()["not_ready"].endswith("the broker takes no messages: low on memory")
        other.send(0, spec.Connection.Unblocked())
        turn_until(lambda: not client.status()["blocked"], "the end of it")
        assert client.status()["not_ready"] is None


def test_headers_beyond_a_frame_end_no_connection() -> None:
    """Each has more bytes around it than in it."""
    few, many = ({f"{number:x}": "" for number in range(count)} for count in (12_000, 15_000))
    with Broker() as broker, running(broker.port, queues={}, publish="e") as (client, _):
        results = [outcome(client, Message("i", "a", b"1", headers)) for headers in (few, many, {})]
        turn_until(lambda: all(results), "the verdicts")
        assert [results[0], results[2]] == [[None], [None]]
        assert isinstance(results[1][0], CannotPublish)
        assert "its headers need a frame of" in str(results[1][0])
        assert len(broker.of("Basic.Publish")) == 2


def denying(text: str) -> Any:
    def refuse(other: Any, channel: int, _: Any) -> None:
        other.close_channel(channel, 403, text)

    return refuse


def test_a_topic_that_is_forbidden_is_set_aside_and_another_fault_is_not() -> None:
    words = "ACCESS_REFUSED - write access to topic 'a' in exchange 'e' in vhost '/' refused for user 'guest'"
    with Broker() as broker, running(broker.port, queues={}, publish="e") as (client, _):
        for text, kind in ((words, PlaceUnavailable), ("ACCESS_REFUSED - access to exchange 'e' refused", Unavailable)):
            connected(client)
            broker.answers["published"] = denying(text)
            result = outcome(client, Message("i", "a", b"1"))
            turn_until(lambda result=result: result, "the verdict")  # type: ignore[misc]
            assert type(result[0]) is kind
