"""Settings of a ``[backends.NAME]`` table with ``type = "amqp"``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator

from hub.backends.broker_address import Scheme
from hub.backends.broker_settings import BrokerSettings
from hub.settings import Duration, Settings, Size, setting

AMQP = Scheme("amqp", "amqps", 5672, 5671)
"""Its ports are those that IANA gave AMQP."""
LONGEST = 255
"""Bytes of a name or of a routing key at most."""
QUEUE_TYPE = "x-queue-type"
QUEUE_TYPES = ("classic", "quorum")
PLACEHOLDER = "{topic}"
"""Stands for the topic in a template of routing keys."""


def _name(text: str) -> str:
    if len(text.encode()) > LONGEST or not text.isprintable():
        raise ValueError(f"expected a name of at most {LONGEST} bytes, not {text[:40]!r}")
    return text


def _template(text: str) -> str:
    if "{" in text.replace(PLACEHOLDER, "") or "}" in text.replace(PLACEHOLDER, ""):
        raise ValueError(f"{text!r}: the only placeholder is {PLACEHOLDER}")
    return _name(text)


def _queues(queues: dict[str, ConsumedQueue]) -> dict[str, ConsumedQueue]:
    for name in queues:
        if not name:
            raise ValueError("a queue needs a name")
        _name(name)
    return queues


Name = Annotated[str, AfterValidator(_name)]
Template = Annotated[str, AfterValidator(_template)]
Arguments = dict[str, str | int | float | bool]


class Binding(Settings):
    """Settings of one binding of a queue."""

    exchange: Name = setting(..., "Exchange, which must exist.", example="amq.topic", min_length=1)
    keys: list[Name] = setting(["#"], "Routing keys: 'a.b', 'a.*', 'a.#'.", min_length=1)
    arguments: Arguments = setting({}, 'Arguments of the binding, such as {x-match = "all"}.')


class ConsumedQueue(Settings):
    """Settings of one queue to receive from."""

    declare: bool = setting(
        True, "The hub makes the queue where it is missing. false: it only asks whether it is there, and makes nothing."
    )
    type: Literal["classic", "quorum"] | None = setting(
        None, "Type of the queue (x-queue-type). Unset: the default of the virtual host."
    )
    durable: bool = setting(True, "The queue outlives a restart of the broker.")
    exclusive: bool = setting(False, "The queue is this connection's alone, and is deleted with it.")
    auto_delete: bool = setting(False, "The broker deletes the queue with its last consumer.")
    arguments: Arguments = setting(
        {},
        'Further arguments of the queue, such as {x-dead-letter-exchange = "dead", x-delivery-limit = 5}. They must be '
        "those that the queue was made with.",
    )
    consume_arguments: Arguments = setting({}, "Arguments of the consumer, such as {x-priority = 5}.")
    bindings: list[Binding] = setting(
        [], "Bindings that the hub makes. It removes none.", example=[{"exchange": "amq.topic", "keys": ["a.#"]}]
    )
    prefetch: int | None = setting(
        None, "Messages of this queue that may be unacknowledged at once. Unset: 'prefetch'.", ge=1, le=65535
    )

    def declared_arguments(self) -> dict[str, str | int | float | bool]:
        """All arguments of the queue."""
        return self.arguments if self.type is None else {QUEUE_TYPE: self.type, **self.arguments}

    def contradictions(self) -> Iterator[str]:
        """Yield each combination of settings that can't be."""
        if "quorum" in (self.type, self.arguments.get(QUEUE_TYPE)) and (
            self.exclusive or self.auto_delete or not self.durable
        ):
            yield "a quorum queue is durable, not exclusive, and not auto_delete"
        if QUEUE_TYPE in self.arguments and self.type is not None:
            yield "x-queue-type is set by 'type'"
        kind = self.arguments.get(QUEUE_TYPE, "classic")
        if kind == "stream":
            yield (
                "a stream (x-queue-type) is not read: it does not remember what was acknowledged; receive from a "
                "quorum or classic queue that is bound to the same exchange"
            )
        elif kind not in QUEUE_TYPES:
            yield f"x-queue-type is {str(kind)[:40]!r}: expected {' or '.join(QUEUE_TYPES)}"
        if "x-stream-offset" in self.consume_arguments:
            yield "x-stream-offset is for streams, which are not read"


Queues = Annotated[dict[str, ConsumedQueue], AfterValidator(_queues)]
Format = Literal["plain", "fedora-messaging", "cloudevents"]


class Config(BrokerSettings):
    """Settings of brokers, queues, exchange and format."""

    scheme = AMQP

    connect: list[Annotated[str, AfterValidator(AMQP.written)]] = setting(
        ...,
        "Brokers: 'amqp://host:port', or 'amqps://host:port' for TLS. The hub uses one of them, and the next one when "
        "that is away.",
        example=["amqp://127.0.0.1:5672"],
        min_length=1,
    )
    reconnect_interval_max: Duration = setting(
        "4s", "After a round of all brokers the hub waits, for a random time that grows up to this.", ge=0.1
    )
    virtual_host: str = setting("/", "Virtual host of the broker.", min_length=1)
    queues: Queues = setting({}, "Queues to receive from, by name.")
    prefetch: int = setting(
        1000, "Messages of a queue that the broker may send before the first of them is acknowledged.", ge=1, le=65535
    )
    publish: Name | None = setting(
        None,
        "Exchange of published messages. '': the default one, whose routing keys are names of queues. Unset: nothing "
        "can be published.",
        example="amq.topic",
    )
    routing_key: Template = setting("{topic}", "Routing key of published messages.")
    mandatory: bool = setting(
        False, "A published message that reaches no queue is given up, with that reason. false: it counts as published."
    )
    persistent: bool = setting(True, "Published messages outlive a restart of the broker, in durable queues.")
    publish_window: int = setting(
        100,
        "Published messages that may be unconfirmed at once. 1 keeps their order also when one is sent again.",
        ge=1,
    )
    format: Format = setting(
        "plain",
        "'plain': bodies are any bytes and are not parsed. 'fedora-messaging': as its publishers and consumers have "
        "them. 'cloudevents': CloudEvents 1.0, of which both modes are read.",
    )
    topic_prefix: str | None = setting(
        None,
        "fedora-messaging: put before topics of published messages, with a dot, unless a topic has it.",
        example="org.fedoraproject.prod",
        min_length=1,
    )
    cloudevents_mode: Literal["binary", "structured"] = setting(
        "binary",
        "cloudevents: how events are published. 'binary': attributes are headers. 'structured': all is one JSON body.",
    )
    cloudevents_source: str = setting(
        "hubbub", "cloudevents: 'source' of published events that have no header ce-source.", min_length=1
    )
    refused: Literal["nack", "ack"] = setting(
        "nack",
        "What the broker is told of a message that the format refuses. 'nack': not to be delivered again: it goes to "
        "the queue's dead-letter exchange, if there is one. 'ack': it is done with. Either way it is counted, and the "
        "beginning of it is kept with the refused messages.",
    )
    heart_beat: Duration = setting(
        "15s",
        "Interval of heart-beats, in whole seconds. The hub connects again when the broker has sent nothing for this "
        "and 5 s; it looks as often, so a broker that is cut off is noticed within 40 s by default. 0: none.",
    )
    max_message_size: Size = setting(
        "8MiB", "Larger bodies are refused, counted as malformed: oversize, and not published.", ge=1024
    )

    @property
    def external(self) -> bool:
        """True if the certificate is the login (SASL EXTERNAL)."""
        return self.login is None and self.tls_certificate_file is not None

    def contradictions(self) -> Iterator[str]:
        """Yield each combination of settings that can't be."""
        yield from super().contradictions()
        if not self.queues and self.publish is None:
            yield "give queues to receive from, or an exchange to publish to, or both"
        if self.login is not None and self.passcode is None:
            yield "login needs passcode"
        if self.topic_prefix is not None and self.format != "fedora-messaging":
            yield "topic_prefix is for format = 'fedora-messaging'"
