"""The counters' sums."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.stats.counters import Counters


@given(*[st.integers(0, 1000)] * 5)
def test_what_was_received_is_settled_or_backlog(finished: int, dead: int, newest: int, oldest: int, left: int) -> None:
    counters = Counters(
        received=finished + dead + newest + oldest + left,
        finished=finished,
        dead=dead,
        dropped_newest=newest,
        dropped_oldest=oldest,
    )
    assert counters.dropped == newest + oldest
    assert counters.settled == finished + dead + counters.dropped
    assert counters.backlog == left


def test_failures_and_retries_settle_nothing() -> None:
    assert Counters(received=1, failed=3, retried=2).backlog == 1
