"""The AMQP client on a broker in the tests' reactor."""

from __future__ import annotations

from typing import Any

import pytest
from pika import spec

from hub.backends.amqp.client import PIKA, TLS, AmqpClient
from hub.errors import CannotPublish, MissingExtra, Unavailable
from hub.message import Message
from tests.unit.backends.amqp.broker import Broker
from tests.unit.backends.amqp.clients import connected, make, running, settings
from tests.unit.backends.support import Lines, Recorder, stop, turn_for, turn_until


def test_it_declares_binds_and_consumes_as_configured() -> None:
    queue = {
        "type": "quorum",
        "arguments": {"x-delivery-limit": 3},
        "bindings": [{"exchange": "amq.topic", "keys": ["a.#", "b"]}],
        "prefetch": 7,
        "consume_arguments": {"x-priority": 5},
    }
    with Broker() as broker, running(broker.port, queues={"work": queue}):
        (declared,) = broker.of("Queue.Declare")
        assert (declared.queue, declared.passive, declared.durable, declared.exclusive) == ("work", False, True, False)
        assert declared.arguments == {"x-queue-type": "quorum", "x-delivery-limit": 3}
        assert [(one.exchange, one.routing_key) for one in broker.of("Queue.Bind")] == [
            ("amq.topic", "a.#"),
            ("amq.topic", "b"),
        ]
        assert broker.of("Basic.Qos")[0].prefetch_count == 7
        assert broker.of("Basic.Consume")[0].arguments == {"x-priority": 5}


def test_a_queue_that_is_not_its_own_is_only_asked_for() -> None:
    with Broker() as broker, running(broker.port, queues={"theirs": {"declare": False}}):
        assert broker.of("Queue.Declare")[0].passive


def test_it_logs_in_as_guest_by_password_or_by_certificate(tmp_path: Any) -> None:
    passcode = tmp_path / "passcode"
    passcode.write_text("secret\n")
    with Broker() as broker:
        with running(broker.port):
            assert broker.of("Connection.StartOk")[0].response == b"\0guest\0guest"
        with running(broker.port, login="me", passcode=f"file:{passcode}", virtual_host="v") as (client, _):
            start = broker.of("Connection.StartOk")[1]
            assert (start.mechanism, start.response) == ("PLAIN", b"\0me\0secret")
            assert start.client_properties["connection_name"] == "hubbub bus: receives"
            assert broker.of("Connection.Open")[1].virtual_host == "v"
            assert "secret" not in str(client.status())


def test_messages_of_one_read_are_one_batch_and_one_acknowledgement() -> None:
    with Broker() as broker, running(broker.port) as (client, intake):
        broker.answers["Basic.Ack"] = lambda client, channel, method: broker.settle(client, channel, method)
        for number in range(100):
            broker.send("a.b", b"%d" % number)
        turn_until(lambda: len(intake.messages) == 100, "the messages")
        assert len(intake.batches) < 100
        assert client.status()["unacknowledged"] == 100
        client.confirm(intake.tokens)
        turn_until(lambda: not broker.unacked, "the acknowledgement")
        assert [(one.delivery_tag, one.multiple) for one in broker.of("Basic.Ack")] == [(100, True)]


def test_a_prefetch_that_is_used_up_is_told() -> None:
    with Broker() as broker, running(broker.port, queues={"q": {"prefetch": 2}}) as (client, intake):
        for number in range(2):
            assert client.at_bound() is None
            broker.send("a.b", b"%d" % number)
            turn_until(lambda number=number: len(intake.messages) == number + 1, "the message")  # type: ignore[misc]
        assert client.at_bound() == "the broker sends no more from queue q, whose prefetch of 2 is used up"
        client.confirm(intake.tokens[:1])
        assert client.at_bound() is None


def test_what_is_held_while_the_hub_is_held_back_is_told() -> None:
    with Broker() as broker, running(broker.port) as (client, intake):
        client.pause()
        broker.send("a.b", b"x" * 1000)
        broker.send("a.b", b"x" * 500)
        turn_until(lambda: client.status()["held_bytes"] == 1500, "the messages")
        assert intake.messages == []
        client.resume()
        assert (len(intake.messages), client.status()["held_bytes"]) == (2, 0)
        client.pause()
        broker.send("a.b", b"x")
        turn_until(lambda: client.status()["held_bytes"] == 1, "another one")
        broker.disconnect()
        turn_until(lambda: client.status()["held_bytes"] == 0, "the end of the connection")


@pytest.mark.parametrize(("refused", "buried"), [("nack", [b"no"]), ("ack", [])])
def test_what_the_format_refuses_goes_where_it_is_configured_and_is_counted(refused: str, buried: list[bytes]) -> None:
    with Broker() as broker, running(broker.port, format="fedora-messaging", refused=refused) as (client, intake):
        broker.send("a.b", b"no")
        broker.send("a.b", b"{}")
        turn_until(lambda: intake.messages and not broker.unacked - 1, "the verdicts")
        assert broker.buried == buried
        assert client.status()["malformed"] == {"not_json": 1}
        ((message, reason),) = intake.refused
        assert (message.topic, message.body) == ("a.b", b"no")
        assert reason.startswith("the body is not JSON")
        assert not any(method.requeue for method in broker.of("Basic.Nack"))


def test_an_unexpected_error_of_the_format_costs_one_message() -> None:
    lines = Lines()
    with Broker() as broker, running(broker.port, lines=lines) as (client, intake):
        read = client._format.read
        client._subscriber._format = FailsOn(b"bad", read)  # type: ignore[assignment]
        for body in (b"1", b"bad", b"2"):
            broker.send("a.b", body)
        turn_until(lambda: intake.bodies == [b"1", b"2"] and intake.refused, "the messages")
        ((message, reason),) = intake.refused
        assert (message.topic, message.body) == ("a.b", b"bad")
        assert reason == "the hub failed on it: ZeroDivisionError: division by zero"
        assert (client.status()["malformed"], client.status()["disconnects"]) == ({"internal_error": 1}, 0)
        assert any("internal error, a message is refused" in text for text in lines.texts)


class FailsOn:
    """A format that fails on one body."""

    def __init__(self, body: bytes, read: Any) -> None:
        self._body, self._read = body, read

    def read(self, delivery: Any) -> Any:
        if delivery.body == self._body:
            1 / 0  # noqa: B018
        return self._read(delivery)


def test_an_old_token_is_of_no_use_on_a_new_connection() -> None:
    with Broker() as broker, running(broker.port) as (client, intake):
        broker.send("a.b", b"{}")
        turn_until(lambda: intake.messages, "the message")
        broker.disconnect()
        turn_until(lambda: len(intake.messages) == 2, "the message again")
        assert client.status()["redelivered"] == 1
        client.confirm(intake.tokens[:1])
        turn_for(0.1)
        assert broker.unacked == 1
        client.confirm(intake.tokens[1:])
        turn_until(lambda: not broker.unacked, "the acknowledgement")


def test_a_consumer_that_the_broker_cancels_consumes_again_by_itself() -> None:
    lines = Lines()
    with Broker() as broker, running(broker.port, lines=lines) as (client, intake):
        (consumer,) = broker.consumers
        consumer.client.send(consumer.channel, spec.Basic.Cancel(consumer.tag))
        turn_until(lambda: len(broker.of("Basic.Consume")) == 2, "another consumer")
        connected(client)
        assert broker.connections == 1
        assert any("the broker has cancelled the consumer" in text for text in lines.texts)
        broker.send("a.b", b"{}")
        turn_until(lambda: intake.messages, "a message")


@pytest.mark.parametrize("method", ["Queue.Declare", "Queue.Bind", "Basic.Consume"])
def test_what_the_broker_refuses_is_told_once_in_its_words_and_tried_again(method: str) -> None:
    lines = Lines()
    queues = {"q": {"bindings": [{"exchange": "x"}]}}
    with Broker() as broker:
        broker.answers[method] = lambda client, channel, _: client.close_channel(channel, 404, "NOT_FOUND - no 'x'")
        with running(broker.port, lines=lines, wait=False, queues=queues) as (client, _):
            turn_until(lambda: len(broker.of(method)) > 2, "more attempts")
            assert client.status()["state"] == "connecting"
            assert client.status()["not_ready"].endswith("queue q: NOT_FOUND - no 'x' (404)")
            told = [text for text in lines.texts if "NOT_FOUND" in text]
            assert told == ["nothing comes from the queue 'q': NOT_FOUND - no 'x' (404); trying on"]
            del broker.answers[method]
            connected(client)
            assert client.status()["not_ready"] is None


def test_one_queue_that_is_missing_holds_up_no_other() -> None:
    with Broker() as broker:

        def declare(client: Any, channel: int, method: Any) -> None:
            if method.queue == "missing":
                client.close_channel(channel, 404, "NOT_FOUND")
            else:
                client.send(channel, spec.Queue.DeclareOk(method.queue, 0, 0))

        broker.answers["Queue.Declare"] = declare
        with running(broker.port, wait=False, queues={"missing": {}, "q": {}}) as (client, intake):
            broker.send("a.b", b"{}")
            turn_until(lambda: intake.messages, "the message")
            assert client.status()["subscriptions"] == ["q"]
            assert client.status()["state"] == "connecting"


def test_a_broker_that_confirms_no_subscription_is_left() -> None:
    """Readiness is red meanwhile: a connection alone receives nothing."""
    lines, text = Lines(), "it does not confirm the subscription to 'q' within 1 s"
    with Broker() as broker:
        broker.answers["Basic.Consume"] = lambda client, channel, method: None
        with running(broker.port, lines=lines, wait=False, connect_timeout="1s") as (client, _):
            turn_until(lambda: broker.of("Basic.Consume"), "the subscription", 30)
            assert client.status()["not_ready"] is not None
            assert client.status()["state"] == "connecting"
            turn_until(lambda: any(text in line for line in lines.texts), "the line", 30)
            turn_until(lambda: broker.connections > 1, "another connection")


def test_a_refused_login_is_told_in_the_brokers_words() -> None:
    lines = Lines()
    with Broker() as broker:
        broker.answers["Connection.StartOk"] = lambda client, channel, method: client.send(
            0, spec.Connection.Close(403, "ACCESS_REFUSED - Login was refused", 0, 0)
        )
        with running(broker.port, lines=lines, wait=False) as (client, _):
            turn_until(lambda: broker.connections > 2, "more attempts")
            assert "ACCESS_REFUSED - Login was refused (403)" in client.status()["not_ready"]
            assert len([text for text in lines.texts if "ACCESS_REFUSED" in text]) == 1


def test_a_timeout_of_the_broker_is_named() -> None:
    lines = Lines()
    with Broker() as broker, running(broker.port, lines=lines):
        (consumer,) = broker.consumers
        text = "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out"
        consumer.client.close_channel(consumer.channel, 406, text)
        turn_until(lambda: any("consumer_timeout" in line for line in lines.texts), "the line")


NO_FRAME = b"\x01\0\0\0\0\0\x01xx"
"""Its last byte should be the end mark."""


def test_what_is_no_amqp_ends_the_connection() -> None:
    with Broker() as broker:
        broker.answers["Connection.StartOk"] = lambda client, channel, method: client.transport.write(NO_FRAME)
        with running(broker.port, wait=False) as (client, _):
            turn_until(lambda: broker.connections > 1, "another attempt")
            assert client.status()["handshake_failures"]


def test_the_next_broker_is_tried_when_one_goes() -> None:
    with Broker() as first, Broker() as second, running(first.port, second.port) as (client, intake):
        first.__exit__()
        turn_until(lambda: second.consumers, "the other broker")
        second.send("a.b", b"{}")
        turn_until(lambda: intake.messages, "the message")
        assert client.status()["disconnects"] == 1
        first.__enter__()


def test_nothing_is_published_before_the_start() -> None:
    client = make(1, publish="e")
    with pytest.raises(Unavailable, match="does not run"):
        client.publish(Message("i", "a", b""))
    client.check(Message("i", "a", b""))
    with pytest.raises(CannotPublish):
        client.check(Message("i", "", b""))


def test_a_broker_that_never_says_goodbye_holds_up_no_stop() -> None:
    with Broker() as broker:
        client, intake = make(broker.port), Recorder()
        client.start(intake)
        connected(client)
        broker.answers["Connection.Close"] = lambda other, channel, method: None
        stop(client)
        assert client.status()["state"] == "stopped"


def test_the_extras_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(AmqpClient.needed_extras(settings(1))) == [PIKA]
    assert list(AmqpClient.needed_extras(settings(connect=["amqps://a"]))) == [PIKA, TLS]
    monkeypatch.setitem(__import__("sys").modules, "pika", None)
    with pytest.raises(MissingExtra, match=r"AMQP needs an optional library: pip install 'hubbub\[amqp\]'"):
        make(1).start(Recorder())


def test_a_login_beyond_the_machine_is_warned_of() -> None:
    lines = Lines()
    client = make(lines=lines, connect=["amqp://192.0.2.1"])
    client.start(Recorder())
    stop(client)
    assert "use 'amqps:' beyond this machine" in lines.texts[0]
