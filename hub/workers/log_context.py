"""Log context: adds the consumer and its current message to log lines of worker threads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hub.queue.delivery import Delivery

CurrentDelivery = Callable[[], Delivery | None]
FIELDS = ("topic", "message_id", "attempt")


class _Here(threading.local):
    look: CurrentDelivery | None = None
    consumer: str = ""


_here = _Here()


def use(consumer: str, look: CurrentDelivery) -> None:
    """Set the context of this thread. :param look: returns the current delivery. Called once for each worker."""
    _here.consumer, _here.look = consumer, look


class Attribute(logging.Filter):
    """Filter that adds the consumer, and topic, id and attempt of the current message, to a worker thread's log lines
    that lack them: those of the consumer's code and of its libraries.

    While a whole batch is consumed, only the consumer is added: the message is not known.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields. Always returns true."""
        if _here.look is None or hasattr(record, "repeated"):  # the latter summarises earlier lines of any thread
            return True
        if not hasattr(record, "consumer"):
            record.consumer = _here.consumer
        delivery = _here.look()
        if delivery is not None and not any(hasattr(record, name) for name in FIELDS):
            message = delivery.current
            record.topic, record.message_id, record.attempt = message.topic, message.id, delivery.attempts + 1
        return True
