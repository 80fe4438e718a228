"""Settings of the AMQP client."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hub.backends.amqp.settings import Config, ConsumedQueue


def config(**given: Any) -> Config:
    return Config(**{"connect": ["amqp://127.0.0.1"], "queues": {"q": {}}, **given})


def test_addresses_have_the_ports_of_amqp() -> None:
    made = config(connect=["amqp://a", "amqps://b"])
    assert made.connect == ["amqp://a:5672", "amqps://b:5671"]
    assert [address.tls for address in made.addresses] == [False, True]


def test_a_certificate_without_a_login_is_the_login() -> None:
    given = {"connect": ["amqps://a"], "tls_certificate_file": "/c", "tls_key": "file:/k"}
    assert config(**given).external
    assert not config(**given, login="me", passcode="file:/p").external
    assert not config().external


def test_the_type_of_a_queue_is_an_argument() -> None:
    queue = ConsumedQueue(type="quorum", arguments={"x-delivery-limit": 5})
    assert queue.declared_arguments() == {"x-queue-type": "quorum", "x-delivery-limit": 5}
    assert ConsumedQueue().declared_arguments() == {}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"queues": {}}, "give queues to receive from, or an exchange"),
        ({"connect": ["amqp://a", "amqp://a:5672"]}, "amqp://a:5672 is given twice"),
        ({"connect": ["stomp://a"]}, "expected 'amqp://host:port'"),
        ({"login": "me"}, "login needs passcode"),
        ({"passcode": "file:/p"}, "passcode needs login"),
        ({"topic_prefix": "a"}, "topic_prefix is for format = 'fedora-messaging'"),
        ({"tls_ca_file": "/c"}, "begins with 'amqps:'"),
        ({"routing_key": "{other}"}, "the only placeholder is {topic}"),
        ({"queues": {"": {}}}, "a queue needs a name"),
        ({"queues": {"x" * 256: {}}}, "at most 255 bytes"),
        ({"queues": {"q": {"type": "quorum", "durable": False}}}, "a quorum queue is durable"),
        ({"queues": {"q": {"type": "quorum", "arguments": {"x-queue-type": "classic"}}}}, "is set by 'type'"),
        ({"queues": {"q": {"arguments": {"x-queue-type": "stream"}}}}, "a stream (x-queue-type) is not read"),
        ({"queues": {"q": {"arguments": {"x-queue-type": "other"}}}}, "expected classic or quorum"),
        ({"queues": {"q": {"arguments": {"x-queue-type": "quorum"}, "durable": False}}}, "a quorum queue is durable"),
        ({"queues": {"q": {"consume_arguments": {"x-stream-offset": "first"}}}}, "x-stream-offset is for streams"),
    ],
)
def test_contradictions_are_named(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        config(**given)
    assert text in str(caught.value)
