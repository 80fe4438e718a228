"""Policies of dispatch: which worker a message goes to, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heapify, heapreplace
from itertools import cycle
from random import Random

from benchmarks.dispatch.worker import Worker

Policy = Callable[[float], float]
"""Gives one message, which arrives at that second, to a worker, and returns when its work starts."""


def at_random(workers: Sequence[Worker], random: Random) -> Policy:
    """Any worker, by chance, as soon as the message arrives."""

    def give(now: float) -> float:
        return workers[random.randrange(len(workers))].give(now)

    return give


def round_robin(workers: Sequence[Worker], random: Random) -> Policy:
    """One worker after the other, as soon as the message arrives."""
    turns = cycle(workers)

    def give(now: float) -> float:
        return next(turns).give(now)

    return give


def pulling(prefetch: int) -> Callable[[Sequence[Worker], Random], Policy]:
    """One queue that all workers read. Each has at most ``prefetch`` messages in hand, and the one that has waited
    longest for one gets the next."""

    def policy(workers: Sequence[Worker], random: Random) -> Policy:
        # When each place in a worker's hand becomes free; all are free at first, in turn.
        places = [(0.0, turn, worker) for turn in range(prefetch) for worker in range(len(workers))]
        heapify(places)

        def give(now: float) -> float:
            free, turn, number = places[0]
            started = workers[number].give(max(now, free))
            heapreplace(places, (workers[number].busy_until, turn + prefetch, number))
            return started

        return give

    return policy


POLICIES: dict[str, Callable[[Sequence[Worker], Random], Policy]] = {
    "random": at_random,
    "round robin": round_robin,
    "pulling, prefetch 50": pulling(50),
    "pulling": pulling(1),
}
"""Policies by the names that the tables show; ``pulling`` has a prefetch of one."""
