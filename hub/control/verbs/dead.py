"""Verbs on dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated

import msgspec
from twisted.internet.defer import Deferred

from hub.control import job_orders
from hub.control.canary import Retried, retry, retry_with_canary
from hub.control.cooperative import in_steps
from hub.control.dead_letters import PIECE, delete_letters
from hub.control.hub import HubVerb, when_stored
from hub.deadletter import DeadLetter
from hub.http.verb import Call, Stream
from hub.message import HeaderValue

HIGHEST = (1 << 63) - 1
PATIENCE = 60.0
MOST_PATIENCE = 86400.0
"""Seconds that a canary may take, by default and at most."""
Number = Annotated[int, msgspec.Meta(ge=0, le=HIGHEST)]


class LettersOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Numbers of dead letters of a consumer."""

    consumer: str
    numbers: list[Number]


class DeadOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Consumer, and optionally the number of one dead letter."""

    consumer: str
    number: Number | None = None


class ShownLetter(msgspec.Struct):
    """Dead letter. Times are epoch seconds; the body is shown as text. ``backend``: the bus it came from."""

    number: int
    id: str
    topic: str
    headers: dict[str, HeaderValue]
    body: str
    received_at: float
    buried_at: float
    attempts: int
    reason: str
    error: str
    traceback: str
    backend: str


class Letters(msgspec.Struct):
    """Dead letters, the oldest first."""

    dead_letters: list[ShownLetter]


class Dead(HubVerb):
    """List the dead letters of a consumer, or show one of them.

    Of a consumer of jobs, they are in its database, and the oldest 1000 are listed.
    """

    path, about, access, order, result = "dead", "consumer", "contents", DeadOrder, Letters

    def carry_out(self, order: DeadOrder) -> Letters | Stream | Deferred[Letters]:
        """Return one letter, or a stream of all: they may be many, each with a traceback."""
        if (member := self.hub.queues.jobs.get(order.consumer)) is not None:
            found = job_orders.letters(self.hub, member, order.number)
            return found.addCallback(lambda letters: Letters([shown(letter) for letter in letters]))
        stored = self.hub.queues.stored(order.consumer)
        if order.number is None:
            return Stream(self._pieces(order.consumer))
        letter = stored.dead_letter(order.number)
        return Letters([] if letter is None else [shown(letter)])

    def _pieces(self, consumer: str) -> Iterator[bytes]:
        after, begin = 0, b'{"dead_letters":['
        while letters := self.hub.queues.stored(consumer).dead_letters(after, PIECE):
            yield begin + b",".join([msgspec.json.encode(shown(letter)) for letter in letters])
            after, begin = letters[-1].number, b","
        yield b"]}\n" if after else begin + b"]}\n"


class RetryOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Numbers of dead letters of a consumer. ``canary``: how many of the oldest ones to try first; the rest follow
    only if all of these succeed within ``timeout`` seconds."""

    consumer: str
    numbers: list[Number]
    canary: Annotated[int, msgspec.Meta(ge=1)] | None = None
    timeout: Annotated[float, msgspec.Meta(ge=0, le=MOST_PATIENCE)] | None = None


class RetryDead(HubVerb):
    """Retry dead letters: their consumer receives them again, as if they had just arrived.

    A drained consumer takes none: it must be resumed first. With a canary the answer comes when the first ones have
    succeeded, one of them has failed again, or the time is over. In the last two cases the rest stay dead letters, and
    ``problem`` gives the reason; likewise if the client hangs up meanwhile.
    """

    path, method, access, order, result = "retry-dead", "POST", "actions", RetryOrder, Retried

    def handle(self, call: Call) -> Deferred[Retried]:
        """Retry the letters in steps."""
        order: RetryOrder = call.order
        if (member := self.hub.queues.jobs.get(order.consumer)) is not None:
            return job_orders.retry_dead(self.hub, member, order.numbers, order.canary)
        if order.canary is None:
            return retry(self.hub, order.consumer, order.numbers)
        gone: list[object] = []
        call.request.notifyFinish().addErrback(gone.append)
        timeout = PATIENCE if order.timeout is None else order.timeout
        return retry_with_canary(self.hub, order.consumer, order.numbers, order.canary, timeout, lambda: bool(gone))


class Deleted(msgspec.Struct, omit_defaults=True):
    """Number of dead letters that were deleted. ``stored``: false while that is not on disk."""

    deleted: int
    stored: bool = True


class DeleteDead(HubVerb):
    """Delete dead letters of a consumer."""

    path, method, access, order, result = "delete-dead", "POST", "actions", LettersOrder, Deleted

    def carry_out(self, order: LettersOrder) -> Deferred[Deleted]:
        """Delete the letters in steps."""
        if (member := self.hub.queues.jobs.get(order.consumer)) is not None:
            return job_orders.delete_dead(self.hub, member, order.numbers).addCallback(Deleted)
        steps = delete_letters(self.hub, order.consumer, order.numbers)
        deleted = in_steps(self.hub, (Deleted(step) for step in steps))
        return deleted.addCallback(partial(when_stored, self.hub))


def shown(letter: DeadLetter) -> ShownLetter:
    """A dead letter with the fields of its message."""
    message = letter.message
    return ShownLetter(
        letter.number,
        message.id,
        message.topic,
        dict(message.headers),
        message.body.decode("utf-8", "replace"),
        message.received_at,
        letter.buried_at,
        letter.attempts,
        letter.reason,
        letter.error,
        letter.traceback,
        message.backend,
    )
