"""How attempts ended lately."""

from __future__ import annotations

from hub.stats.counters import Counters
from hub.stats.outcomes import MANY, SPAN, Outcomes, Recent


def test_attempts_are_told_apart_by_how_they_ended() -> None:
    # Ten finished, four failures of which one was the last one, two asked for a retry, three were rejected.
    counters = Counters(finished=10, failed=4, retried=3 + 2, dead=1 + 3, rejected=3)
    assert Outcomes.of(counters, 0) == Outcomes(finished=10, failed=4, asked=2, rejected=3)
    assert (Outcomes.of(counters, 0).bad, Outcomes.of(counters, 0).attempts) == (9, 19)


def test_what_an_operator_ordered_is_no_loss() -> None:
    drops = Counters(
        dropped_newest=1, dropped_oldest=2, dropped_expired=3, dropped_damaged=4, dropped_purged=50, dropped_drained=60
    )
    assert Outcomes.of(drops, 5).lost == 15


def test_before_two_readings_nothing_is_known() -> None:
    recent = Recent()
    assert recent.lately() == recent.minute() == recent.since_finished() == Outcomes()
    recent.sample(0.0, Outcomes(finished=5, failed=7))
    assert recent.lately() == recent.minute() == recent.since_finished() == Outcomes()
    assert recent.last_bad is None


def test_bad_attempts_are_counted_since_a_message_was_finished_however_long_ago() -> None:
    recent = Recent()
    recent.sample(0.0, Outcomes())
    recent.sample(1.0, Outcomes(finished=1, failed=1))
    for second in range(2, 10 * SPAN):
        recent.sample(float(second), Outcomes(finished=1, failed=min(second, 4)))
    assert recent.since_finished() == Outcomes(failed=3)
    assert recent.minute() == Outcomes()
    assert recent.last_bad == 4.0
    recent.sample(600.0, Outcomes(finished=2, failed=4))
    assert recent.since_finished() == Outcomes()


def test_what_is_mended_shows_after_ten_seconds_of_work() -> None:
    recent = Recent()
    for second in range(31):
        recent.sample(float(second), Outcomes(failed=10 * second))
    for second in range(31, 42):
        recent.sample(float(second), Outcomes(failed=300, finished=second - 30))
    assert recent.lately() == Outcomes(finished=10)
    assert recent.minute().failed == 300


def test_a_minute_is_a_minute_and_no_more_is_kept() -> None:
    recent = Recent()
    for second in range(1000, 1200):
        recent.sample(float(second), Outcomes(failed=second))
    assert recent.minute() == Outcomes(failed=60)
    assert len(recent._readings) == SPAN + 1


def test_few_attempts_are_judged_over_the_whole_minute() -> None:
    recent = Recent()
    for second in range(0, SPAN + 1, 10):
        recent.sample(float(second), Outcomes(failed=second // 10))
    assert recent.lately() == Outcomes(failed=6)
    assert MANY > 6
