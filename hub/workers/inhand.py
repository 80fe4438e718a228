"""Which message the thread that logs has in hand: so that a line of the consumer's own says what it is about."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hub.queue.taken import Taken

InHand = Callable[[], Taken | None]
FIELDS = ("topic", "message_id", "attempt")


class _Here(threading.local):
    look: InHand | None = None
    consumer: str = ""


_here = _Here()


def use(consumer: str, look: InHand) -> None:
    """From now on lines that this thread logs are about what ``look`` gives. Once for each thread of a worker."""
    _here.consumer, _here.look = consumer, look


class Attribute(logging.Filter):
    """Adds the consumer, and the topic, id and attempt of the message in hand, to what a worker's thread logs without
    them: the consumer's own lines, and those of the libraries that it uses.

    While a whole batch is in hand, only the consumer: nobody knows which of the messages it is about.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Always shown."""
        if _here.look is None or hasattr(record, "repeated"):  # the latter is about what was logged before, by anybody
            return True
        if not hasattr(record, "consumer"):
            record.consumer = _here.consumer
        taken = _here.look()
        if taken is not None and not any(hasattr(record, name) for name in FIELDS):
            message = taken.current
            record.topic, record.message_id, record.attempt = message.topic, message.id, taken.attempts + 1
        return True
