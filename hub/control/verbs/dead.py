"""Verbs on dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated

import msgspec
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from hub.control.verbs.pieces import Pieces
from hub.control.verbs.steps import in_steps
from hub.control.verbs.verb import Verb, answer, code_of, when_stored
from hub.deadletter import DeadLetter
from hub.errors import HubError

PIECE = 256 << 10
"""Bytes of dead letters that are read and written at once: some 2 ms of the reactor."""
HIGHEST = (1 << 63) - 1
Number = Annotated[int, msgspec.Meta(ge=0, le=HIGHEST)]


class LettersOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Some dead letters of a consumer, by number."""

    consumer: str
    numbers: list[Number]


class DeadOrder(msgspec.Struct, forbid_unknown_fields=True):
    """A consumer. ``number``: only the dead letter of that number."""

    consumer: str
    number: Number | None = None


class ShownLetter(msgspec.Struct):
    """A dead letter. Times are epoch seconds; the body is text, whatever it was. ``backend``: the bus it came from."""

    number: int
    id: str
    topic: str
    headers: dict[str, str]
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


class Dead(Verb):
    """The dead letters of a consumer, or one of them."""

    path, about, access, order, result = "dead", "consumer", "contents", DeadOrder, Letters

    def respond(self, request: Request, order: DeadOrder, who: str) -> None:
        """Answer with all, in pieces: they may be many, each with a traceback."""
        try:
            store = self.hub.steering.store_of(order.consumer)
        except HubError as error:
            answer(request, {"problems": [str(error)]}, code_of(error))
            return
        if order.number is not None:
            letter = store.letter(order.consumer, order.number)
            answer(request, Letters([] if letter is None else [shown(letter)]))
            return
        request.setHeader(b"Content-Type", self.media.encode())
        Pieces(request, self._pieces(order.consumer)).start()

    def _pieces(self, consumer: str) -> Iterator[bytes]:
        after, begin = 0, b'{"dead_letters":['
        while letters := self.hub.steering.dead_letters(consumer, after, PIECE):
            yield begin + b",".join([msgspec.json.encode(shown(letter)) for letter in letters])
            after, begin = letters[-1].number, b","
        yield b"]}\n" if after else begin + b"]}\n"


class Retried(msgspec.Struct, omit_defaults=True):
    """Which positions they have in their queue now: from ``start`` up to, not including, ``stop``; where they are many,
    others that came meanwhile may lie between. ``count`` is how many they are. ``not_taken`` is how many a full queue
    did not take: they are dead letters as before. ``stored``: false where that is not on the disk yet."""

    start: int
    stop: int
    count: int
    not_taken: int = 0
    stored: bool = True


class RetryDead(Verb):
    """Give dead letters to their consumer again, as if they had come now.

    A consumer that is drained takes none: it is to be resumed first. Many are given in pieces.
    """

    path, method, access, order, result = "retry-dead", "POST", "actions", LettersOrder, Retried
    stores = True

    def carry_out(self, order: LettersOrder) -> Deferred[Retried]:
        """See the class."""
        steps = self.hub.steering.retry_letters(order.consumer, order.numbers, PIECE)
        return in_steps(self.hub, (Retried(*step) for step in steps))


class Deleted(msgspec.Struct, omit_defaults=True):
    """How many there were. ``stored``: false where that is not on the disk yet."""

    deleted: int
    stored: bool = True


class DeleteDead(Verb):
    """Delete dead letters, many of them in pieces."""

    path, method, access, order, result = "delete-dead", "POST", "actions", LettersOrder, Deleted
    stores = True

    def carry_out(self, order: LettersOrder) -> Deferred[Deleted]:
        """See the class."""
        steps = self.hub.steering.delete_letters(order.consumer, order.numbers, PIECE)
        return in_steps(self.hub, (Deleted(step) for step in steps))


class PositionsOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Positions of a consumer's queue: from ``start`` up to, not including, ``stop``."""

    consumer: str
    start: int = 0
    stop: int = 0


class UnsettledCount(msgspec.Struct):
    """The number of them that need more work, or had it, which is not on the disk yet."""

    unsettled: int
    stored: bool = True


class Unsettled(Verb):
    """How many of these positions of a consumer's queue need more work. None: what became of them is counted, and
    listed where it is a dead letter."""

    path, about, order, result = "unsettled", "consumer", PositionsOrder, UnsettledCount

    def carry_out(self, order: PositionsOrder) -> UnsettledCount | Deferred[UnsettledCount]:
        """See the class."""
        count = UnsettledCount(self.hub.steering.queue(order.consumer).unsettled(order.start, order.stop))
        if count.unsettled:
            return count
        # Counters and dead letters are shown as they were committed.
        return when_stored(self.hub, count).addCallback(partial(_with_unstored, max(0, order.stop - order.start)))


def _with_unstored(positions: int, count: UnsettledCount) -> UnsettledCount:
    return count if count.stored else UnsettledCount(positions, stored=False)


def shown(letter: DeadLetter) -> ShownLetter:
    """With its message's fields beside its own."""
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
