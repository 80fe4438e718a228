"""When a message for which ``Retry`` was raised comes again."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from hub.backoff import Uniform
from hub.errors import Reject, Retry
from hub.interfaces import Bury
from hub.message import Message
from hub.workers.retry import Again, Verdict
from hub.workers.worker import WorkerPolicy
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


class Stubborn:
    """A retry policy of another kind: by topic, whatever was raised."""

    def delay(self, failures: int, uniform: Uniform) -> float:
        return 1.0

    def judge(self, error: BaseException, message: Message, attempts: int, failures: int, uniform: Uniform) -> Verdict:
        return Again(7.0 * (attempts + 1), failure=False) if message.topic == "again" else Bury(f"not {message.topic}")


def test_a_worker_goes_by_any_policy_that_it_is_given() -> None:
    bench = Bench()
    bench.policy = WorkerPolicy(Stubborn())
    worker = bench.another()
    bench.consumer.script = {"0": [KeyError("x"), Reject("y")], "1": [KeyError("z")]}
    bench.offer(message(0, "again"), message(1, "other"))
    for _ in range(3):
        while worker.step(0):
            pass
        bench.clock.advance(7.0)
    assert bench.consumer.seen == ["0", "1", "0"]
    assert [letter.reason for letter in bench.queue.stored.dead_letters()] == ["not other"]
    counters = bench.queue.stats().counters
    assert (counters.retried, counters.failed) == (2, 1)
    bench.clock.advance(7.0)
    while worker.step(0):
        pass
    assert bench.consumer.seen == ["0", "1", "0", "0"]


def test_the_last_failure_says_which_attempt_it_was() -> None:
    bench = scripted(Bench(), m0=[KeyError("x"), Retry(5), KeyError("y")])
    bench.offer(message(0))
    attempts = []
    for _ in range(3):
        bench.run()
        assert bench.worker.last_failure is not None
        attempts.append(bench.worker.last_failure.attempt)
        bench.clock.advance(10.0)
    assert attempts == [1, 2, 3]
