"""Wrong tokens in the log."""

from __future__ import annotations

from twisted.internet.task import Clock

from hub.monitoring.web.wrong_tokens import EVERY, MOST, WrongTokens
from tests.unit.doubles import RecordingLog


def test_one_line_a_minute_for_each_address() -> None:
    clock, log = Clock(), RecordingLog()
    wrong = WrongTokens(clock.seconds, log)
    for _ in range(1000):
        wrong.note("192.0.2.1")
    wrong.note("192.0.2.2")
    assert log.lines() == ["a wrong token from 192.0.2.1", "a wrong token from 192.0.2.2"]
    clock.advance(EVERY)
    wrong.note("192.0.2.1")
    assert log.lines()[2:] == ["a wrong token from 192.0.2.1, and 999 times before"]
    assert wrong.count == 1002


def test_many_addresses_are_not_all_remembered() -> None:
    wrong = WrongTokens(Clock().seconds, RecordingLog())
    for number in range(10 * MOST):
        wrong.note(str(number))
    assert len(wrong._told) == MOST
