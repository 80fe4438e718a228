"""The slow consumer takes the time that it was told to."""

from __future__ import annotations

import pytest

from hub.consumers.slow import Slow
from tests.unit.doubles import context, message


def test_it_sleeps_as_long_as_it_was_told_for_each_message(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("hub.consumers.slow.time.sleep", slept.append)
    consumer = Slow(context("slow", Slow.Config.model_validate({"delay": "250ms"})))
    consumer.consume(message(1))
    consumer.consume(message(2))
    assert slept == [0.25, 0.25]


def test_the_default_makes_a_backlog_at_ten_a_second() -> None:
    assert Slow.Config().delay == 0.1  # type: ignore[attr-defined]
