"""When a broker's refusal is told, and when it is of the past."""

from __future__ import annotations

from twisted.internet.task import Clock

from hub.backends.recent_refusal import FORGET, RecentRefusal


def test_the_last_one_is_told_until_nobody_has_met_one_for_long() -> None:
    clock = Clock()
    refusal = RecentRefusal(clock.seconds)
    assert refusal.reason == ""
    refusal.note("full")
    clock.advance(FORGET)
    assert refusal.reason == "full"
    refusal.note("still full")
    clock.advance(FORGET)
    assert refusal.reason == "still full"
    clock.advance(1)
    assert refusal.reason == ""


def test_it_is_over_at_once_when_a_message_is_taken() -> None:
    refusal = RecentRefusal(lambda: 0.0)
    refusal.note("full")
    refusal.clear()
    assert refusal.reason == ""
