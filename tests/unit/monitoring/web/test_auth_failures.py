"""Wrong tokens in the log."""

from __future__ import annotations

from twisted.internet.task import Clock

from hub.monitoring.web.auth_failures import EVERY, MOST, AuthFailures
from tests.unit.doubles import RecordingLog


def test_one_line_a_minute_for_each_address() -> None:
    clock, log = Clock(), RecordingLog()
    wrong = AuthFailures(clock.seconds, log)
    for _ in range(1000):
        wrong.note("192.0.2.1")
    wrong.note("192.0.2.2")
    assert log.lines() == ["a wrong token from 192.0.2.1", "a wrong token from 192.0.2.2"]
    clock.advance(EVERY)
    wrong.note("192.0.2.1")
    assert log.lines()[2:] == ["a wrong token from 192.0.2.1, and 999 times before"]
    assert wrong.count == 1002


def test_one_that_ceases_is_told_of_when_its_minute_is_over() -> None:
    clock, log = Clock(), RecordingLog()
    wrong = AuthFailures(clock.seconds, log)
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        wrong.note(address)
    clock.advance(EVERY - 1)
    wrong.flush()
    assert len(log.lines()) == 2
    clock.advance(1)
    wrong.flush()
    wrong.flush()
    assert log.lines()[2:] == ["a wrong token from 192.0.2.1, 1 times more"]


def test_many_addresses_are_not_all_remembered() -> None:
    wrong = AuthFailures(Clock().seconds, RecordingLog())
    for number in range(10 * MOST):
        wrong.note(str(number))
    assert len(wrong._throttle) == MOST
