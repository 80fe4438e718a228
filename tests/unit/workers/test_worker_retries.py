"""When a message for which ``Retry`` was raised comes again."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from hub.errors import Retry
from tests.unit.doubles import Bench, message
from tests.unit.workers.test_worker import scripted


def test_retries_without_a_delay_come_ever_later() -> None:
    bench = scripted(Bench(backoff=8.0), m0=[Retry() for _ in range(9)])
    bench.offer(message(0))
    tried: list[float] = []
    bench.consumer.on_consume = lambda _: tried.append(bench.clock.seconds())
    while len(tried) < 8:
        bench.run()
        bench.clock.advance(1.0)
    assert [after - before for before, after in pairwise(tried)] == [8, 16, 32, 64, 128, 256, 300]


def test_a_retry_takes_its_delay_in_the_units_of_the_settings() -> None:
    bench = scripted(Bench(), m0=[Retry("1m"), Retry(timedelta(minutes=2))])
    bench.offer(message(0))
    tried: list[float] = []
    bench.consumer.on_consume = lambda _: tried.append(bench.clock.seconds())
    while len(tried) < 3:
        bench.run()
        bench.clock.advance(5.0)
    assert tried == [0, 60, 180]
    assert bench.queue.stats().counters.failed == 0


@pytest.mark.parametrize("delay", ["5 parsecs", "", -1, float("nan"), timedelta(days=-1), object()])
def test_a_delay_that_is_none_is_told_so(delay: Any) -> None:
    with pytest.raises(ValueError, match="expected a duration such as"):
        Retry(delay)
