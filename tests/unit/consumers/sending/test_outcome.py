"""'Temporary' and 'for good' become the hub's verdicts."""

from __future__ import annotations

from hub import Reject, Retry
from hub.consumers.sending.outcome import LONGEST_REASON, ForGood, Temporary, verdict_of


def test_what_passes_is_tried_again_after_the_delay_that_is_known() -> None:
    verdict = verdict_of(Temporary("away", 2.5))
    assert isinstance(verdict, Retry)
    assert (verdict.delay, str(verdict)) == (2.5, "away")
    assert verdict_of(Temporary("away")).delay is None  # type: ignore[union-attr]


def test_what_does_not_is_a_dead_letter() -> None:
    verdict = verdict_of(ForGood("refused"))
    assert isinstance(verdict, Reject)
    assert verdict.reason == "refused"


def test_a_reason_is_one_bounded_line() -> None:
    reason = str(ForGood("a\nb\x1b[31m\0" + "x" * 10_000))
    assert reason.startswith("a\\nb\\x1b[31m\\x00x")
    assert len(reason) < LONGEST_REASON + 20
