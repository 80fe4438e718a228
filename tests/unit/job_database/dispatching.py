"""What tests of the dispatcher share."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from hub.errors import Unavailable
from hub.queue.delivery import Delivery
from tests.contracts.job_sources import QUEUE, JobRig


def claim(rig: JobRig, count: int) -> Delivery:
    """What a worker gets that waits for so many."""
    rig.source._wanted += count
    rig.dispatcher.round()
    rig.source._wanted -= count
    delivery = rig.source.take(count, timeout=0)
    assert delivery is not None
    return delivery


def counts(rig: JobRig) -> tuple[int, int]:
    found = rig.jobs.counts().get(QUEUE)
    return (found.waiting, found.running) if found else (0, 0)


def failing(count: int, call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, which fails so many times before."""
    left = [Unavailable("the jobs' database: it restarts")] * count

    def fail(*given: Any) -> Any:
        if left:
            raise left.pop()
        return call(*given)

    return fail


def failing_at(number: int, call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, of which the one of that number fails."""
    numbers = itertools.count(1)

    def fail(*given: Any) -> Any:
        if next(numbers) == number:
            raise Unavailable("the jobs' database: it restarts")
        return call(*given)

    return fail
