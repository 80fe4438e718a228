"""Settings of a ``[backends.NAME]`` table with ``type = "stomp"``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator

from hub.backends.broker_settings import BrokerSettings
from hub.backends.stomp.client_address import STOMP, BrokerAddress
from hub.backends.stomp.client_destinations import PLACEHOLDER
from hub.backends.stomp.limits import Limits
from hub.settings import Duration, Size, setting

OURS = {
    *("id", "destination", "ack", "receipt", "prefetch-count", "activemq.prefetchSize", "content-length"),
    *("subscription", "message-id", "transaction", "login", "passcode", "host", "heart-beat", "accept-version"),
}
"""Headers of STOMP that the backend sets by itself."""


def _destination(text: str) -> str:
    if not text or text != text.strip() or not text.isprintable():
        raise ValueError(f"expected a destination such as '/topic/a.#' or '/queue/work', not {text!r}")
    return text


def _template(text: str) -> str:
    if "{" in text.replace(PLACEHOLDER, "") or "}" in text.replace(PLACEHOLDER, ""):
        raise ValueError(f"{text!r}: the only placeholder is {PLACEHOLDER}")
    return _destination(text)


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if not name or not name.isprintable():
            raise ValueError(f"expected names of headers, not {name!r}")
        if name.lower() in OURS:
            raise ValueError(f"the header {name!r} is set by the backend itself")
    return headers


Destination = Annotated[str, AfterValidator(_destination)]
Template = Annotated[str, AfterValidator(_template)]
Headers = Annotated[dict[str, str], AfterValidator(_headers)]


class Config(BrokerSettings):
    """Settings of brokers, login, destinations and limits."""

    scheme = STOMP

    connect: list[BrokerAddress] = setting(
        ...,
        "Brokers: 'stomp://host:port', or 'stomp+ssl://host:port' for TLS. The hub uses one of them, and the next one "
        "when that is away.",
        example=["stomp://127.0.0.1:61613"],
        min_length=1,
    )
    virtual_host: str = setting("/", "Virtual host of the broker: RabbitMQ's; ActiveMQ ignores it.", min_length=1)
    destinations: list[Destination] = setting(
        [],
        "Destinations to receive from, in the broker's own words: '/topic/a.#' (RabbitMQ and hubbub), '/topic/a.>' "
        "(ActiveMQ), '/queue/work', '/exchange/amq.topic/a.b'. A message has the last part for its topic.",
    )
    publish: Template | None = setting(
        None,
        "Destination of published messages, such as '/topic/{topic}', '/queue/work', '/exchange/NAME/{topic}'. Unset: "
        "nothing can be published.",
    )
    format: Literal["raw", "fedmsg"] = setting(
        "raw",
        "'raw': bodies are any bytes and are not parsed. 'fedmsg': bodies are JSON objects in fedmsg's envelope, which "
        "has the topic and the id; others are rejected (NACK), and counted as malformed: not_json, not_an_object.",
    )
    ack: Literal["client", "client-individual", "auto"] | None = setting(
        None,
        "How messages are acknowledged. 'client': many by one ACK, in the order of arrival. 'client-individual': each "
        "one. 'auto': not at all: the broker forgets a message as it sends it, and a lost connection loses messages. "
        "Unset: 'client', or with confirm = 'settled' 'client-individual', so that none waits for an earlier one.",
    )
    prefetch: int = setting(
        1000, "Messages that the broker may send before the first of them is acknowledged.", ge=1, le=1_000_000
    )
    durable_name: str | None = setting(
        None,
        "Name of durable topic subscriptions: the broker keeps messages for them while the hub is away. No two hubs "
        "may have the same name.",
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
    )
    subscribe_headers: Headers = setting(
        {}, 'Further headers of each subscription, such as {selector = "severity > 1"} or {x-queue-type = "quorum"}.'
    )
    publish_headers: Headers = setting(
        {}, 'Further headers of each published message, such as {amq-msg-type = "text"}.'
    )
    persistent: bool = setting(True, "Published messages outlive a restart of the broker.")
    publish_window: int = setting(
        100,
        "Published messages that may be unconfirmed at once. 1 keeps their order also when one is sent again.",
        ge=1,
    )
    topic_header: str | None = setting(
        None,
        "Header that has the topic, where a message has it; else the topic is that of its destination, or of its "
        "envelope.",
        min_length=1,
    )
    id_header: str = setting(
        "amqp-message-id",
        "Header that has the publisher's id of a message. Where it is missing, the broker's own 'message-id' is taken, "
        "which RabbitMQ changes when it sends the message again.",
        min_length=1,
    )
    heart_beat: Duration = setting(
        "10s",
        "Interval of heart-beats, both ways; the broker may want longer ones. After twice of it without any, the hub "
        "connects again. 0: none.",
    )
    max_message_size: Size = setting(
        "8MiB", "Larger bodies are rejected (NACK), counted as malformed: oversize, and not published.", ge=1024
    )
    max_frame_size: Size = setting(
        "128MiB", "The connection ends when the broker sends a larger body; this bounds the memory.", ge=1024
    )

    def contradictions(self) -> Iterator[str]:
        """Yield each combination of settings that can't be."""
        if not self.destinations and self.publish is None:
            yield "give destinations to receive from, or publish, or both"
        yield from super().contradictions()
        for text in sorted({text for text in self.destinations if self.destinations.count(text) > 1}):
            yield f"destinations: {text} is given twice"
        if self.max_frame_size < self.max_message_size:
            yield "max_frame_size must not be smaller than max_message_size"


def limits(config: Config) -> Limits:
    """Limits on what a broker may send. A MESSAGE has its publisher's headers: as many as the hub would pass on."""
    return Limits(headers=1000, line=64 << 10, body=config.max_frame_size, before_login=64 << 10)
