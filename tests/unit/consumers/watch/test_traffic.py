"""What has arrived, by pattern."""

from __future__ import annotations

import pytest

from hub.consumers.watch import traffic as module
from hub.consumers.watch.traffic import Traffic


def test_silence_is_counted_from_the_last_message_and_not_from_before_the_start() -> None:
    traffic = Traffic(["a.#", "b.*"], [], 10.0, 100.0)
    assert traffic.silence("a.#", 105.0) == 5.0
    traffic.note("a.x.y", 103.0)
    traffic.note("b.x.y", 104.0)
    assert (traffic.silence("a.#", 105.0), traffic.silence("b.*", 105.0)) == (2.0, 5.0)
    traffic.note("a.x", 50.0)
    assert traffic.silence("a.#", 105.0) == 2.0
    assert traffic.silence("a.#", 99.0) == 0.0


def test_what_was_heard_since_the_start_is_known() -> None:
    traffic = Traffic(["a.#", "b.*"], ["c"], 10.0, 100.0)
    for topic in ("a.x", "c", "d"):
        traffic.note(topic, 50.0)
    assert [traffic.is_heard(pattern) for pattern in ("a.#", "b.*", "c")] == [True, False, False]


def test_a_rate_is_that_of_the_last_window_only() -> None:
    traffic = Traffic([], ["a.#"], 10.0, 0.0)
    for second in range(100):
        traffic.note("a", second + 0.5)
        traffic.note("a.b", second + 0.5)
        traffic.note("ab", second + 0.5)
    assert traffic.rate("a.#", 99.9) == pytest.approx(2.0, abs=0.21)
    assert traffic.rate("a.#", 200.0) == 0.0


def test_topics_without_end_cost_no_memory_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TOPICS", 10)
    traffic = Traffic([], ["a.#"], 10.0, 0.0)
    for number in range(95):
        traffic.note(f"a.{number}", 1.0)
    assert len(traffic._known) <= 10
    assert traffic.rate("a.#", 2.0) == 9.5


def test_time_without_end_costs_no_memory_without_end() -> None:
    traffic = Traffic(["a", "b"], ["b"], 10.0, 0.0)
    for second in range(1000):
        for topic in "ab":
            traffic.note(topic, float(second))
        assert sum(len(counts) for counts in traffic._counts.values()) <= 22
    for late in range(900):
        traffic.note("b", float(late))
    assert [*traffic._counts] == ["b"]
    assert len(traffic._counts["b"]) <= 22
    assert traffic.rate("b", 999.0) == 1.0, "what is late is not of this window"
