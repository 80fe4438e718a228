"""What a worker's thread logs, and the message that it is about."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from hub.queue.delivery import Delivery
from hub.workers import log_context
from tests.unit.doubles import messages


def logged(look: log_context.CurrentDelivery | None, **fields: object) -> dict[str, Any]:
    """The fields of a line that is logged in a worker's thread."""
    record = logging.LogRecord("library", logging.INFO, __file__, 1, "text", (), None)
    record.__dict__.update(fields)

    def work() -> None:
        if look is not None:
            log_context.use("archive", look)
        assert log_context.Attribute().filter(record)

    _in_a_thread(work)
    names = ("consumer", "topic", "message_id", "attempt")
    return {name: record.__dict__[name] for name in names if name in record.__dict__}


def _in_a_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)


def test_a_line_says_which_message_is_in_hand() -> None:
    taken = Delivery(messages(3), range(3), attempts=1, done=1, at=2)
    assert logged(lambda: taken) == {"consumer": "archive", "topic": "a.b", "message_id": "2", "attempt": 2}


def test_between_two_messages_only_the_consumer_is_said() -> None:
    assert logged(lambda: None) == {"consumer": "archive"}


def test_what_the_line_says_itself_stays() -> None:
    taken = Delivery(messages(1), range(1))
    assert logged(lambda: taken, topic="x.y", consumer="c") == {"consumer": "c", "topic": "x.y"}


def test_other_threads_say_nothing_of_it() -> None:
    assert logged(None) == {}


def test_what_was_repeated_is_about_what_was_logged_before() -> None:
    taken = Delivery(messages(1), range(1))
    assert logged(lambda: taken, repeated=7) == {}
