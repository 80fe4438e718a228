"""Runs long orders in short steps, between which the reactor does other work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import cooperate, deferLater

from hub.control.hub import Hub

Step = TypeVar("Step")

MOST_PENDING = 16
"""Batches that may wait for the disk; more would fill the memory."""
MOMENT = 0.01
"""Seconds of one wait for the disk."""


def backpressure(hub: Hub) -> Deferred[None] | None:
    """The wait after a step that wrote to the store: a moment if the disk does not keep up."""
    return deferLater(hub.reactor, MOMENT) if hub.store.pending() > MOST_PENDING else None


def in_steps(hub: Hub, steps: Iterator[Step]) -> Deferred[Step]:
    """Run all steps. Fires with the result of the last one, or fails with the first error, which ends the run.

    :param steps: at least one.
    """
    last: list[Step] = []

    def work() -> Iterator[Deferred[None] | None]:
        for step in steps:
            last[:] = [step]
            yield backpressure(hub)

    ended: Deferred[Step] = cooperate(work()).whenDone().addCallback(lambda _: last[0])
    return ended
