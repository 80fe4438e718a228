"""Bus peers for the command line: a publisher that the hub receives from, and a listener to what the hub receives.

They block, so they have pika's blocking connection.
"""

from __future__ import annotations

import logging
import ssl
import time
import uuid
from collections.abc import Iterator
from typing import Any

from hub.backends.amqp.broker_text import reason_of
from hub.backends.amqp.formats import Delivery, Format
from hub.backends.amqp.login import Login
from hub.backends.amqp.settings import Config
from hub.backends.broker_address import Address
from hub.backends.unusable import Unusable
from hub.errors import CannotPublish, ConfigError, Unavailable
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


def tls_context(config: Config) -> ssl.SSLContext:
    """Read the files of TLS. Names are always verified. :raises ConfigError: one can't be read or used."""
    try:
        context = ssl.create_default_context(cafile=config.tls_ca_file)
        if config.tls_certificate_file is not None and config.tls_key is not None:
            config.tls_key.read()  # says what is wrong with it
            context.load_cert_chain(config.tls_certificate_file, config.tls_key.path(), password=lambda: b"")
    except (OSError, ValueError) as error:
        raise ConfigError([f"the files of TLS can't be used: {error}"]) from error
    return context


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
        self._connection = connect(config, "hubbub publish")
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()

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
        from pika.exceptions import AMQPError

        try:
            self._connection.close()
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


def listen(config: Config, format: Format) -> Iterator[Message]:
    """Yield messages as they arrive, without end, from a queue of its own that has the bindings of the hub's.

    :raises Unavailable: there are no bindings, and each message of a queue goes to one reader; no broker answers; or
        the connection ended.
    """
    bindings = [binding for queue in config.queues.values() for binding in queue.bindings]
    if not bindings:
        raise Unavailable("the hub's queues have no bindings: each of their messages goes to one reader, the hub")
    connection = connect(config, "hubbub tail")
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True, auto_delete=True).method.queue
    for binding in bindings:
        for key in binding.keys:
            channel.queue_bind(queue, binding.exchange, key, binding.arguments)
    return _messages(connection, channel, queue, format)


def _messages(connection: Any, channel: Any, queue: str, format: Format) -> Iterator[Message]:
    from pika.exceptions import AMQPError

    try:
        for method, properties, body in channel.consume(queue, auto_ack=True):
            try:
                yield format.read(Delivery(method.routing_key, False, properties, body, time.time(), ""))
            except Unusable as error:
                _log.warning("unusable message: %s", error, extra={"action": "refuse"})
    except AMQPError as error:
        raise Unavailable(f"the connection ended: {_why(error)}") from error
    finally:
        if connection.is_open:
            connection.close()
