"""Messages of the hub, and the MESSAGE and SEND frames that carry them. Pure."""

from __future__ import annotations

from hub.backends.envelopes import Envelopes
from hub.backends.fedmsg import MAX_ID, MAX_TOPIC, NONE, NoEnvelope, headers_of, read
from hub.backends.stomp.client_destinations import destination_for, topic_of
from hub.backends.stomp.client_settings import OURS, Config
from hub.backends.stomp.frame import Frame
from hub.backends.stomp.message_frame import text_of
from hub.backends.unusable import Unusable
from hub.errors import CannotPublish
from hub.interfaces import Clock
from hub.message import Message

OF_THE_CONNECTION = {"subscription", "message-id", "ack", "receipt", "content-length"}
"""Headers of a MESSAGE that tell something of its delivery, not of the message. RabbitMQ passes on the ``receipt`` that
the publisher asked for."""
REDELIVERED = "redelivered"
"""Header that RabbitMQ sends always, ActiveMQ only with the value ``true``. The hub keeps only that."""
_NOT_SENT = {*OURS, "ack", REDELIVERED}
"""Headers that a message does not take along. Received and published again it would have them of its first way."""


def message_of(frame: Frame, config: Config, now: float, backend: str) -> Message:
    """Make a message of a MESSAGE frame. :param now: epoch seconds.

    :raises Unusable: it has no topic, is too large, or has no envelope where one is expected.
    """
    headers = frame.headers
    named = headers.get(config.topic_header) if config.topic_header else None
    topic = named or topic_of(headers.get("destination", ""))
    own_id = headers.get("message-id", "")
    kept = {name: value for name, value in headers.items() if name not in OF_THE_CONNECTION}
    if kept.get(REDELIVERED) == "false":
        del kept[REDELIVERED]
    message = Message(headers.get(config.id_header) or own_id, topic, frame.body, kept, now, backend)
    if len(frame.body) > config.max_message_size:
        reason = f"the body has {len(frame.body)} bytes, and max_message_size is {config.max_message_size}"
        raise Unusable("oversize", reason, message)
    if config.format == "fedmsg":
        message = _of_envelope(message, named)
    if not message.topic:
        raise Unusable("topic", f"no topic in the destination {headers.get('destination', '')[:100]!r}", message)
    return message


def _of_envelope(message: Message, named: str | None) -> Message:
    """The message with what its envelope says: id, topic and headers. A broker's header of the same name wins.

    :param named: topic that a header has; it wins, too.
    """
    try:
        envelope = read(message.body)
    except NoEnvelope as error:
        raise Unusable(error.kind, f"the body is {error.what}: {str(error)[:200]}", message) from error
    msg_id, topic, headers = envelope.msg_id, envelope.topic or "", message.headers
    if not msg_id or len(msg_id) > MAX_ID:
        msg_id = message.id
    if named or not 0 < len(topic.encode()) <= MAX_TOPIC:
        topic = message.topic
    if envelope.headers is not NONE:
        headers = {**headers_of(envelope.headers), **headers}
    return Message(msg_id, topic, message.body, headers, message.received_at, message.backend)


def envelopes_of(config: Config, wall: Clock) -> Envelopes | None:
    """Make the maker of published envelopes; ``None``: bodies are published as they are.

    Headers stay out of envelopes: SEND has them. :param wall: returns epoch seconds.
    """
    return Envelopes(config.max_message_size, wall, headers=False) if config.format == "fedmsg" else None


def send_headers(message: Message, config: Config) -> dict[str, str]:
    """Headers of the SEND frame of a message, without ``receipt``.

    :raises CannotPublish: it can never be sent; see :func:`check`.
    """
    check(message, config)
    assert config.publish is not None
    headers = {name: text_of(value) for name, value in message.headers.items() if name not in _NOT_SENT}
    if config.format == "fedmsg":
        headers["content-type"] = "application/json"
    headers.update(config.publish_headers)
    if config.topic_header:
        headers[config.topic_header] = message.topic
    headers.setdefault(config.id_header, message.id)
    if config.persistent:
        headers["persistent"] = "true"
    headers["destination"] = destination_for(config.publish, message.topic)
    return headers


def check(message: Message, config: Config) -> None:
    """Check that a message can be sent. :raises CannotPublish: it never can."""
    if config.publish is None:
        raise CannotPublish("the backend has no 'publish': it has no destination to send to")
    if not message.topic:
        raise CannotPublish("a message without a topic has no destination")
    if any(character in message.topic for character in "\r\n\0"):
        raise CannotPublish("the topic holds a line break or NUL")
    if config.format == "fedmsg" and len(message.topic.encode(errors="surrogatepass")) > MAX_TOPIC:
        raise CannotPublish(f"a topic in fedmsg's format has {MAX_TOPIC} bytes at most")
    if len(message.body) > config.max_message_size:
        raise CannotPublish(f"it has {len(message.body)} bytes, and max_message_size is {config.max_message_size}")
