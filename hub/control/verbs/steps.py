"""An order that takes long: carried out in short steps, so that between two of them others have their turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import cooperate, deferLater

from hub.control.verbs.verb import Hub

Step = TypeVar("Step")

MOST_PENDING = 16
"""Batches that may wait for the disk: what runs ahead of it would be held in memory."""
MOMENT = 0.01
"""Seconds."""


def breath(hub: Hub) -> Deferred[None] | None:
    """What to wait for after a step that had the store write: a moment, where the disk does not keep up."""
    return deferLater(hub.reactor, MOMENT) if hub.steering.pending() > MOST_PENDING else None


def in_steps(hub: Hub, steps: Iterator[Step]) -> Deferred[Step]:
    """Take them all. Fires with what the last one gave; with what one of them raised, after which none is taken.

    :param steps: at least one.
    """
    last: list[Step] = []

    def work() -> Iterator[Deferred[None] | None]:
        for step in steps:
            last[:] = [step]
            yield breath(hub)

    ended: Deferred[Step] = cooperate(work()).whenDone().addCallback(lambda _: last[0])
    return ended
