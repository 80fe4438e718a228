"""What has arrived, by pattern."""

from __future__ import annotations

import pytest

from hub.consumers.watch import traffic as module
from hub.consumers.watch.traffic import Traffic


def test_silence_is_counted_from_the_last_message_and_not_from_before_the_start() -> None:
    traffic = Traffic(["a.#", "b.*"], 10.0, 100.0)
    assert traffic.silence("a.#", 105.0) == 5.0
    traffic.note("a.x.y", 103.0)
    traffic.note("b.x.y", 104.0)
    assert (traffic.silence("a.#", 105.0), traffic.silence("b.*", 105.0)) == (2.0, 5.0)
    traffic.note("a.x", 50.0)
    assert traffic.silence("a.#", 105.0) == 2.0
    assert traffic.silence("a.#", 99.0) == 0.0


def test_a_rate_is_that_of_the_last_window_only() -> None:
    traffic = Traffic(["a.#"], 10.0, 0.0)
    for second in range(100):
        traffic.note("a", second + 0.5)
        traffic.note("a.b", second + 0.5)
        traffic.note("ab", second + 0.5)
    assert traffic.rate("a.#", 99.9) == pytest.approx(2.0, abs=0.21)
    assert traffic.rate("a.#", 200.0) == 0.0


def test_topics_without_end_cost_no_memory_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TOPICS", 10)
    traffic = Traffic(["a.#"], 10.0, 0.0)
    for number in range(95):
        traffic.note(f"a.{number}", 1.0)
    assert len(traffic._known) <= 10
    assert traffic.rate("a.#", 2.0) == 9.5
