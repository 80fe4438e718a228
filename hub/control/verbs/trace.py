"""The verb that tells what became of one message."""

from __future__ import annotations

from math import isfinite
from typing import Annotated

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.task import cooperate

from hub.control.verbs.verb import Verb
from hub.control.whereabouts import Sighting, Whereabouts

LONGEST_ID = 1024
MOST = 1000


class TraceOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Which message. ``since`` (epoch seconds): what was received before is not looked for in the store. The search
    ends after ``within`` seconds, or ``most`` messages; of more than that the newest are told."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ID)]
    since: float = 0.0
    most: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 100
    within: Annotated[float, msgspec.Meta(gt=0, le=55)] = 30.0


class Traced(msgspec.Struct):
    """What was found, the newest first.

    ``complete``: nothing was left out. Else there was no time for all of it, or it was too much: the store was looked
    at back to ``reached`` (epoch seconds) only; what is told as settled may be a dead letter; a message of which some
    was left out is ``cut``. ``keep`` is for how many seconds the hub keeps what all queues are done with.
    """

    id: str
    messages: list[Sighting]
    complete: bool
    reached: float | None
    keep: float


class Trace(Verb):
    """What became of the messages of one id, in each queue.

    What all queues are done with is found as long as it is kept (``keep`` in ``[hub]``).
    """

    path, about, access, order, result = "trace", "id", "contents", TraceOrder, Traced

    def carry_out(self, order: TraceOrder) -> Deferred[Traced]:
        """Search in short steps; between two others have their turn."""
        whereabouts = self.hub.steering.whereabouts(order.id)
        seconds = self.hub.reactor.seconds
        began = seconds()
        search = cooperate(whereabouts.search(order.since, order.most, lambda: (seconds() - began) / order.within))
        answered: Deferred[Traced] = search.whenDone().addCallback(lambda _: self._answer(whereabouts, order))
        return answered

    def _answer(self, whereabouts: Whereabouts, order: TraceOrder) -> Traced:
        reached = whereabouts.reached if isfinite(whereabouts.reached) else None
        keep = self.hub.configuration.hub.keep
        return Traced(order.id, whereabouts.sightings(), whereabouts.complete, reached, keep)
