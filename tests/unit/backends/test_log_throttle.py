import logging

from twisted.internet.task import Clock

from hub.backends.log_throttle import LogThrottle
from tests.unit.backends.support import Lines


def notices() -> tuple[LogThrottle, Clock, list[str]]:
    lines, clock, logger = Lines(), Clock(), logging.Logger("test")
    logger.addHandler(lines)
    return LogThrottle(logging.LoggerAdapter(logger, {}), clock, 60), clock, lines.texts


def test_the_first_is_written_and_the_next_minute_is_one_line() -> None:
    notice, clock, texts = notices()
    for number in range(1000):
        notice.say("kind", logging.WARNING, f"fault {number}")
    assert texts == ["fault 0"]
    clock.advance(60)
    assert texts == ["fault 0", "fault 999 (and 998 more like it in the last 60 s)"]
    clock.advance(60)
    assert clock.getDelayedCalls() == []


def test_kinds_are_apart() -> None:
    notice, _, texts = notices()
    notice.say("one", logging.WARNING, "one")
    notice.say("other", logging.WARNING, "other")
    assert texts == ["one", "other"]


def test_one_that_was_held_back_is_written_as_it_is() -> None:
    notice, clock, texts = notices()
    notice.say("kind", logging.WARNING, "a")
    notice.say("kind", logging.WARNING, "b")
    clock.advance(60)
    assert texts == ["a", "b"]


def test_a_stop_writes_what_was_held_back_and_leaves_no_timer() -> None:
    notice, clock, texts = notices()
    for text in ("a", "b", "c"):
        notice.say("kind", logging.WARNING, text)
    notice.stop()
    assert texts == ["a", "c (and 1 more like it in the last 60 s)"]
    assert clock.getDelayedCalls() == []
