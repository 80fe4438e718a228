"""The AMQP client on a real RabbitMQ."""

from __future__ import annotations

import datetime
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.backends.amqp.client import AmqpClient
from hub.errors import CannotPublish, Unavailable
from hub.message import Message
from tests.certificates import Authority
from tests.system.rabbitmq import RabbitMQ
from tests.unit.backends.amqp.clients import connected, running, settings
from tests.unit.backends.support import Lines, turn_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

_names = itertools.count(1)
SHORT: dict[str, Any] = {"reconnect_interval_max": "500ms"}


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"amqp-{next(_names)}"


def below(name: str) -> dict[str, Any]:
    """A queue for all topics that begin with the name."""
    return {name: {"bindings": [{"exchange": "amq.topic", "keys": [f"{name}.#"]}]}}


def published(client: AmqpClient, *messages: Message) -> list[Any]:
    """Publish, and wait for all verdicts."""
    found: list[Any] = []
    for message in messages:
        client.publish(message).addBoth(lambda result: found.append(getattr(result, "value", result)))
    turn_until(lambda: len(found) == len(messages), "the verdicts", 30)
    return found


def test_messages_go_round_with_typed_headers_and_are_gone_once_acknowledged(rabbitmq: RabbitMQ, name: str) -> None:
    headers: dict[str, Any] = {
        "n": 1 << 40,
        "small": 3,
        "yes": True,
        "text": "é☃",
        "content-type": "a/b",
        "priority": 4,
    }
    sent = [Message(f"m{number}", f"{name}.a", b"%d" % number, headers) for number in range(200)]
    with running(rabbitmq.amqp_port, queues=below(name), publish="amq.topic") as (client, intake):
        assert published(client, *sent) == [None] * 200
        turn_until(lambda: len(intake.messages) == 200, "the messages")
        assert [(one.id, one.topic, one.body) for one in intake.messages] == [(m.id, m.topic, m.body) for m in sent]
        assert intake.messages[0].headers == headers
        client.confirm(intake.tokens)
        turn_until(lambda: depth(rabbitmq, name) == ("0", "0"), "the acknowledgement", 30)


def depth(rabbitmq: RabbitMQ, name: str) -> tuple[str, ...]:
    """Messages of a queue that are ready, and that are unacknowledged."""
    lines = rabbitmq.control("list_queues", "name", "messages_ready", "messages_unacknowledged").splitlines()
    return next(tuple(line.split()[1:]) for line in lines if line.split()[:1] == [name])


def test_what_was_not_acknowledged_comes_again_and_says_so(rabbitmq: RabbitMQ, name: str) -> None:
    with running(rabbitmq.amqp_port, queues=below(name), publish="amq.topic") as (client, intake):
        published(client, Message("m", f"{name}.a", b"1"), Message("m", f"{name}.a", b"2"))
        turn_until(lambda: len(intake.messages) == 2, "the messages")
        client.confirm(intake.tokens[1:])  # the second one alone
    with running(rabbitmq.amqp_port, queues=below(name)) as (client, intake):
        turn_until(lambda: intake.messages, "the message again")
        assert [(one.body, one.headers) for one in intake.messages] == [(b"1", {"redelivered": True})]


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_what_the_format_refuses_goes_to_the_dead_letter_exchange(rabbitmq: RabbitMQ, name: str, kind: str) -> None:
    dead = f"{name}-dead"
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}
    queue = {**below(name)[name], "type": kind, "arguments": arguments}
    with (
        running(rabbitmq.amqp_port, queues={dead: {}}) as (_, buried),
        running(rabbitmq.amqp_port, queues={name: queue}, format="fedora-messaging") as (client, intake),
        running(rabbitmq.amqp_port, queues={}, publish="amq.topic") as (other, _),
    ):
        published(other, Message("bad", f"{name}.a", b"no"), Message("good", f"{name}.a", b"{}"))
        turn_until(lambda: buried.messages and intake.messages, "both")
        assert [one.id for one in intake.messages] == ["good"]
        assert client.status()["malformed"] == {"not_json": 1}
        (death,) = json.loads(str(buried.messages[0].headers["x-death.json"]))
        assert (death["reason"], death["queue"], death["count"]) == ("rejected", name, 1)


def test_a_message_that_comes_too_often_goes_to_the_dead_letter_exchange(rabbitmq: RabbitMQ, name: str) -> None:
    dead = f"{name}-dead"
    arguments = {"x-delivery-limit": 1, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}
    queue = {name: {**below(name)[name], "type": "quorum", "arguments": arguments}}
    with running(rabbitmq.amqp_port, queues={dead: {}}, publish="") as (client, buried):
        for attempt in range(2):
            with running(rabbitmq.amqp_port, queues=queue) as (_, intake):
                if attempt == 0:
                    published(client, Message("m", name, b"1"))
                turn_until(lambda intake=intake: intake.messages, "the message", 30)  # type: ignore[misc]
                assert intake.messages[0].headers.get("x-delivery-count", 0) == attempt
        turn_until(lambda: buried.messages, "the dead letter", 30)
        (death,) = json.loads(str(buried.messages[0].headers["x-death.json"]))
        assert (death["reason"], death["queue"]) == ("delivery_limit", name)


def test_a_deleted_queue_is_made_anew_and_consumed_from(rabbitmq: RabbitMQ, name: str) -> None:
    lines = Lines()
    with running(rabbitmq.amqp_port, lines=lines, queues=below(name), publish="amq.topic", **SHORT) as (client, intake):
        rabbitmq.control("delete_queue", name)
        turn_until(lambda: any("cancelled the consumer" in text for text in lines.texts), "the cancellation")
        connected(client)
        published(client, Message("m", f"{name}.a", b"1"))
        turn_until(lambda: intake.messages, "the message")
        assert client.status()["disconnects"] == 0


def test_what_it_refuses_is_told_in_its_words_until_it_is_mended(rabbitmq: RabbitMQ, name: str) -> None:
    lines = Lines()
    queues = {name: {"declare": False}}
    with running(rabbitmq.amqp_port, lines=lines, wait=False, queues=queues, **SHORT) as (client, _):
        turn_until(lambda: "NOT_FOUND" in str(client.status()["not_ready"]), "the refusal")
        assert f"no queue '{name}'" in lines.texts[0]
        with running(rabbitmq.amqp_port, queues=below(name)):
            connected(client)
    with running(rabbitmq.amqp_port, wait=False, queues={name: {"durable": False}}) as (client, _):
        turn_until(lambda: "PRECONDITION_FAILED" in str(client.status()["not_ready"]), "the refusal")
        assert "inequivalent arg 'durable'" in str(client.status()["not_ready"])


def test_a_wrong_login_and_a_wrong_host_are_told_in_its_words(rabbitmq: RabbitMQ, name: str, tmp_path: Path) -> None:
    passcode = tmp_path / "passcode"
    passcode.write_text("wrong")
    login: dict[str, Any] = {"login": "guest", "passcode": f"file:{passcode}"}
    for given, text in ((login, "ACCESS_REFUSED"), ({"virtual_host": "nowhere"}, "vhost nowhere not found")):
        with running(rabbitmq.amqp_port, wait=False, **given) as (client, _):
            turn_until(lambda text=text, client=client: text in str(client.status()["not_ready"]), text, 30)  # type: ignore[misc]


def test_a_message_that_reaches_no_queue_is_given_up_if_it_must(rabbitmq: RabbitMQ, name: str) -> None:
    for mandatory, kind in ((True, CannotPublish), (False, type(None))):
        with running(rabbitmq.amqp_port, queues={}, publish="amq.topic", mandatory=mandatory) as (client, _):
            (result,) = published(client, Message("m", f"{name}.nobody", b"1"))
            assert isinstance(result, kind)


def test_a_message_beyond_the_brokers_limit_is_given_up_and_others_are_published(rabbitmq: RabbitMQ, name: str) -> None:
    rabbitmq.control("eval", "application:set_env(rabbit, max_message_size, 1000).")
    small, large = Message("s", f"{name}.a", b"1"), Message("l", f"{name}.a", b"x" * 1001)
    try:
        with running(rabbitmq.amqp_port, queues=below(name), publish="amq.topic", **SHORT) as (client, _):
            assert {type(one) for one in published(client, large, small, small)} == {Unavailable}
            connected(client)
            refused, *others = published(client, large, small, small)
            assert isinstance(refused, CannotPublish)
            assert "message size 1001 is larger than configured max size 1000 (406)" in str(refused)
            assert {type(one) for one in others} == {Unavailable}
            connected(client)
            assert published(client, small, small) == [None, None]
    finally:
        rabbitmq.control("eval", "application:unset_env(rabbit, max_message_size).")


def test_the_longest_expiration_is_one_that_the_broker_takes(rabbitmq: RabbitMQ, name: str) -> None:
    sent = [Message("m", f"{name}.a", b"1", {"expiration": given}) for given in (0xFFFFFFFF, "60000")]
    with running(rabbitmq.amqp_port, queues=below(name), publish="amq.topic") as (client, intake):
        assert published(client, *sent) == [None, None]
        turn_until(lambda: len(intake.messages) == 2, "the messages")
        assert [one.headers["expiration"] for one in intake.messages] == ["4294967295", "60000"]
        with pytest.raises(CannotPublish, match="'expiration' is a property of AMQP"):
            client.publish(Message("m", f"{name}.a", b"1", {"expiration": "soon"}))
        assert published(client, sent[1]) == [None]


def test_a_full_queue_refuses_for_now(rabbitmq: RabbitMQ, name: str) -> None:
    arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    with running(rabbitmq.amqp_port, queues={name: {"type": "classic", "arguments": arguments}}):
        pass
    with running(rabbitmq.amqp_port, queues={}, publish="") as (client, _):
        results = published(client, *[Message("m", name, b"1") for _ in range(20)])
        assert None in results
        assert any(isinstance(result, Unavailable) for result in results)


@pytest.mark.parametrize(
    ("order", "low", "well", "said"),
    [
        ("set_vm_memory_high_watermark", "0.00001", "0.6", "low on memory"),
        ("set_disk_free_limit", "900000GB", "50MB", "low on disk"),
    ],
    ids=["memory", "disk"],
)
def test_a_broker_that_is_short_of_something_is_named_and_waited_for(
    rabbitmq: RabbitMQ, name: str, order: str, low: str, well: str, said: str
) -> None:
    with running(rabbitmq.amqp_port, queues=below(name), publish="amq.topic") as (client, intake):
        found: list[Any] = []
        rabbitmq.control(order, low)
        try:
            client.publish(Message("m", f"{name}.a", b"1")).addBoth(found.append)
            turn_until(lambda: client.status()["blocked"], "the alarm", 30)
            assert said in str(client.status()["not_ready"])
            assert found == []
        finally:
            rabbitmq.control(order, well)
        turn_until(lambda: found, "the confirmation", 60)
        assert found == [None]
        turn_until(lambda: intake.messages, "the message")
        turn_until(lambda: client.status()["not_ready"] is None, "readiness")


def test_it_consumes_again_when_the_broker_is_back(rabbitmq: RabbitMQ, name: str) -> None:
    with running(rabbitmq.amqp_port, queues=below(name), publish="amq.topic", **SHORT) as (client, intake):
        published(client, Message("m", f"{name}.a", b"1"))
        turn_until(lambda: intake.messages, "the message")
        rabbitmq.control("stop_app")
        try:
            turn_until(lambda: client.status()["peers"] == 0, "the end of the connections", 30)
            assert client.status()["state"] == "connecting"
            assert client.status()["subscriptions"] == []
        finally:
            rabbitmq.control("start_app")
        connected(client)
        turn_until(lambda: intake.bodies.count(b"1") > 1, "the message again", 30)
        published(client, Message("m", f"{name}.a", b"2"))
        turn_until(lambda: b"2" in intake.bodies, "the next one")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[RabbitMQ]:
    with RabbitMQ(tmp_path_factory.mktemp("secure"), authority) as broker:
        yield broker


def test_a_certificate_is_the_login(secure: RabbitMQ, authority: Authority, name: str) -> None:
    mine = authority.sign("hubuser")
    given: dict[str, Any] = {
        "connect": [f"amqps://127.0.0.1:{secure.amqps_port}"],
        "tls_ca_file": str(authority.file),
        "tls_certificate_file": str(mine.file),
        "tls_key": f"file:{mine.key}",
        "queues": {name: {}},
    }
    with running(wait=False, **given, **SHORT) as (client, intake):
        turn_until(lambda: client.status()["handshake_failures"], "the refusal", 30)
        secure.control("add_user", "hubuser", "unused")
        turn_until(lambda: "access to vhost '/' refused" in str(client.status()["not_ready"]), "the other refusal", 30)
        secure.control("set_permissions", "hubuser", ".*", ".*", ".*")
        connected(client)
        sender = AmqpClient.sender(settings(**given))  # that of the command line
        sender.publish(Message("m", name, b"1"))
        sender.close()
        turn_until(lambda: intake.bodies == [b"1"], "the message")


def test_a_certificate_that_has_expired_is_named_with_its_date(secure: RabbitMQ, authority: Authority) -> None:
    mine = authority.sign("late", ends=datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC))
    given: dict[str, Any] = {
        "connect": [f"amqps://127.0.0.1:{secure.amqps_port}"],
        "tls_ca_file": str(authority.file),
        "tls_certificate_file": str(mine.file),
        "tls_key": f"file:{mine.key}",
    }
    lines = Lines()
    with running(wait=False, lines=lines, **given, **SHORT) as (client, _):
        turn_until(lambda: client.status()["handshake_failures"] >= 2, "the refusals", 30)
        assert "the hub's own certificate expired on 2024-02-29" in str(client.status()["not_ready"])
        assert "expired on 2024-02-29" in lines.texts[0]
