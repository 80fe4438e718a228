"""How a new consumer's ``begin`` is kept: it is given what the store has kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twisted.internet.defer import Deferred
from twisted.internet.task import cooperate, deferLater
from twisted.python.failure import Failure

from hub.control.steering import ReplayOrder
from hub.control.verbs.steps import breath
from hub.control.verbs.verb import Hub
from hub.partlog import part_log

ROOM_EVERY = 0.2
"""Seconds between two looks whether a full queue has room again."""


def give_kept(hub: Hub, order: ReplayOrder, goes_on: Callable[[], bool]) -> None:
    """Begin, and go on in short steps, no faster than the disk, and than its queue has room. What ends it early is
    logged.

    :param goes_on: whether the hub does; once it does not, no more is given.
    """

    log = part_log("hub", "steering")

    def give() -> Iterator[Deferred[None] | None]:
        for step in hub.steering.replay(order, waits=True):
            if not goes_on():
                return
            yield deferLater(hub.reactor, ROOM_EVERY) if step.not_taken else breath(hub)

    def tell(failure: Failure) -> None:
        text = "consumer %s was not given all that is kept: %s"
        log.error(text, order.consumer, failure.getErrorMessage(), extra={"action": "replay"})

    cooperate(give()).whenDone().addErrback(tell)
