"""How a new consumer's ``begin`` is kept: it is given what the store has kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twisted.internet.defer import Deferred
from twisted.internet.task import cooperate
from twisted.python.failure import Failure

from hub.control.steering import ReplayOrder
from hub.control.verbs.steps import breath
from hub.control.verbs.verb import Hub
from hub.partlog import part_log


def give_kept(hub: Hub, order: ReplayOrder, goes_on: Callable[[], bool]) -> None:
    """Begin, and go on in short steps, no faster than the disk. What ends it early is logged.

    :param goes_on: whether the hub does; once it does not, no more is given.
    """

    log = part_log("hub", "steering")

    def give() -> Iterator[Deferred[None] | None]:
        for _ in hub.steering.replay(order):
            if not goes_on():
                return
            yield breath(hub)

    def tell(failure: Failure) -> None:
        text = "consumer %s was not given all that is kept: %s"
        log.error(text, order.consumer, failure.getErrorMessage(), extra={"action": "replay"})

    cooperate(give()).whenDone().addErrback(tell)
