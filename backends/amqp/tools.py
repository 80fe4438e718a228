"""Bus peers for the command line: a publisher that the hub receives from, and a listener to what the hub receives.

They block, so they have pika's blocking connection.
"""

from __future__ import annotations

import logging
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from hub.backends.amqp.broker_text import reason_of
from hub.backends.amqp.formats import Delivery, Format
from hub.backends.amqp.login import Login
from hub.backends.amqp.settings import Binding, Config
from hub.backends.blocking import connect_again, tls_context
from hub.backends.broker_address import Address
from hub.backends.unusable import Unusable, unread
from hub.errors import CannotPublish, Unavailable
from hub.message import Message
from hub.text import printable
from hub.topics import compile_pattern

_log = logging.getLogger(__name__)


def connect(config: Config, title: str) -> Any:
    """Connect to the first broker that answers. :raises Unavailable: none does. :raises ConfigError: a file or secret
    can't be read."""
    from pika import BlockingConnection
    from pika.exceptions import AMQPError

    logging.getLogger("pika").setLevel(logging.CRITICAL)
    login, tls = Login.of(config, title), tls_context(config) if config.tls else None
    reasons = []
    for address in config.addresses:
        try:
            return BlockingConnection(_parameters(config, login, address, tls))
        except (AMQPError, OSError) as error:
            reasons.append(f"{address}: {_why(error)}")
    raise Unavailable("; ".join(reasons))


def _parameters(config: Config, login: Login, address: Address, tls: ssl.SSLContext | None) -> Any:
    from pika import SSLOptions

    parameters = login.parameters()
    parameters.host, parameters.port = address.host, address.port
    parameters.socket_timeout = parameters.stack_timeout = config.connect_timeout
    parameters.blocked_connection_timeout = config.connect_timeout
    if address.tls and tls is not None:
        parameters.ssl_options = SSLOptions(tls, config.tls_server_name or address.host)
    return parameters


def _why(error: BaseException) -> str:
    """The reason; pika wraps what happened below it."""
    inner = getattr(error, "exception", None) or (error.args[0] if error.args else None)
    while isinstance(inner, BaseException) and inner is not error:
        error, inner = inner, getattr(inner, "exception", None)
    return reason_of(error)


class Sender:
    """Publisher outside the hub. It sends to a queue that the hub receives from.

    :param format: writes messages. :raises Unavailable: the hub receives from none, or no broker answers.
    """

    def __init__(self, config: Config, format: Format) -> None:
        if not config.queues:
            raise Unavailable("the backend does not receive: it has no queues")
        self._config = config
        self._format = format
        from pika.exceptions import AMQPError

        self._connection = connect(config, "hubbub publish")
        try:
            self._channel = self._connection.channel()
            self._channel.confirm_delivery()
        except AMQPError as error:
            _close(self._connection)
            raise Unavailable(f"the broker takes no messages: {_why(error)}") from error

    def wait(self, timeout: float) -> bool:
        """True: a broker takes messages whether or not a hub consumes."""
        return True

    def publish(self, message: Message) -> None:
        """Send a message in the backend's format, and wait until the broker has confirmed it.

        :raises CannotPublish: no queue brings the hub messages of its topic, or the format does not take it.
        :raises Unavailable: the broker does not accept it, or the connection ended.
        """
        from pika.exceptions import AMQPError, UnroutableError

        outgoing = self._format.write(message)
        exchange = exchange_of(outgoing.routing_key, self._config)
        try:
            self._channel.basic_publish(exchange, outgoing.routing_key, outgoing.body, outgoing.properties, True)
        except UnroutableError as error:
            raise CannotPublish(f"no queue has a binding for {message.topic}: has the hub run?") from error
        except AMQPError as error:
            raise Unavailable(f"the broker does not take it: {_why(error)}") from error

    def forward(self, topic: str, body: bytes) -> None:
        """Send a body unchanged."""
        self.publish(Message(str(uuid.uuid4()), topic, body))

    def close(self) -> None:
        """Close the connection; all is confirmed."""
        _close(self._connection)


def _close(connection: Any) -> None:
    from pika.exceptions import AMQPError

    try:
        connection.close()
    except AMQPError as error:
        _log.debug("the connection did not end well: %s", printable(repr(error)), extra={"action": "disconnect"})


def exchange_of(routing_key: str, config: Config) -> str:
    """An exchange through which the hub receives messages with this routing key; the default one, if a queue has that
    name. :raises CannotPublish: there is none."""
    for queue in config.queues.values():
        for binding in queue.bindings:
            if any(compile_pattern(key).fullmatch(f"{routing_key}.") for key in binding.keys):
                return binding.exchange
    if routing_key in config.queues:
        return ""
    named = ", ".join(config.queues)
    raise CannotPublish(f"no queue of the backend brings messages for {routing_key}: it has {named}")


class Listening(NamedTuple):
    """A connection, and what its queue brings: methods, properties and bodies."""

    connection: Any
    deliveries: Iterator[tuple[Any, Any, bytes]]


def listen(config: Config, format: Format, sleep: Callable[[float], None] = time.sleep) -> Iterator[Message]:
    """Yield messages as they arrive, without end, from a queue of its own that has the bindings of the hub's; connect
    again when the connection ends.

    :raises Unavailable: there are no bindings, and each message of a queue goes to one reader; at the start no broker
        answers, or it refuses: an exchange is missing, or a right.
    """
    bindings = [binding for queue in config.queues.values() for binding in queue.bindings]
    if not bindings:
        raise Unavailable("the hub's queues have no bindings: each of their messages goes to one reader, the hub")
    return _messages(config, format, _subscribed(config, bindings), bindings, sleep)


def _subscribed(config: Config, bindings: Sequence[Binding]) -> Listening:
    from pika.exceptions import AMQPError

    connection = connect(config, "hubbub tail")
    try:
        channel = connection.channel()
        queue = channel.queue_declare("", exclusive=True, auto_delete=True).method.queue
        for binding in bindings:
            for key in binding.keys:
                channel.queue_bind(queue, binding.exchange, key, binding.arguments)
    except AMQPError as error:
        _close(connection)
        raise Unavailable(f"the broker refuses to send: {_why(error)}") from error
    return Listening(connection, channel.consume(queue, auto_ack=True))


def _messages(
    config: Config, format: Format, line: Listening, bindings: Sequence[Binding], sleep: Callable[[float], None]
) -> Iterator[Message]:
    from pika.exceptions import AMQPError

    try:
        while True:
            try:
                for method, properties, body in line.deliveries:
                    yield from _usable(Delivery(method.routing_key, False, properties, body, time.time(), ""), format)
                reason = "the broker has cancelled the consumer"
            except AMQPError as error:
                reason = f"the connection ended: {_why(error)}"
            _close(line.connection)
            line = connect_again(lambda: _subscribed(config, bindings), reason, _log, sleep)
    finally:
        _close(line.connection)


def _usable(delivery: Delivery, format: Format) -> Iterator[Message]:
    """The message of a delivery; none if it can't be used, which is logged."""
    try:
        made = format.read(delivery)
    except Unusable as error:
        _log.warning("unusable message: %s", error, extra={"action": "refuse"})
    except Exception as error:  # noqa: BLE001 - the others are shown all the same
        unread(error, Message("", delivery.routing_key, delivery.body), _log)
    else:
        yield made
