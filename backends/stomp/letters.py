"""Letters: deals the dead letters of a queue out to subscriptions of ``/queue/DLQ.NAME``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from twisted.internet.threads import deferToThreadPool

from hub.backends.stomp.destination import Destination, Kind
from hub.backends.stomp.message_frame import destination_of
from hub.backends.stomp.subscription import Subscription
from hub.deadletter import DeadLetter
from hub.declarations import DeclaredQueue, Taken
from hub.message import DEFAULT_PRIORITY, HeaderValue, Message

LOOK_EVERY = 1.0
"""Seconds between two looks for new dead letters."""
READ_AT_ONCE = 256 << 10
"""Bytes that are read from the store at a time, about."""


class Letter(msgspec.Struct, frozen=True):
    """A dead letter in the hands of a client: a :class:`hub.declarations.Taken`.

    :ivar current: its message, with what became of it in headers. :ivar position: its number.
    """

    current: Message
    position: int
    attempts: int = 0
    failures: int = 0
    priority: int = DEFAULT_PRIORITY

    @classmethod
    def of(cls, letter: DeadLetter, queue: str) -> Letter:
        """Make it of a dead letter."""
        message = letter.message
        headers: dict[str, HeaderValue] = {
            **message.headers,
            "original-destination": destination_of(message),
            "dead-letter-reason": letter.reason,
            "dead-letter-attempts": letter.attempts,
            "dead-letter-time": int(letter.buried_at * 1000),
        }
        if letter.error:
            headers["dead-letter-error"] = letter.error
        topic = str(Destination(Kind.DEAD, queue))
        found = Message(message.id, topic, message.body, headers, message.received_at, message.backend)
        return cls(found, letter.number)


class Letters:
    """Deals out the dead letters of one queue. One that is acked is removed; all others stay where they are.

    :ivar subscriptions: those that share them.
    """

    numbered = False

    def __init__(self, queue: DeclaredQueue, reactor: Any) -> None:
        self.subscriptions: list[Subscription] = []
        self.queue = queue
        self._reactor = reactor
        self._in_hand: set[int] = set()
        self._after = 0
        self._reading = False
        self._timer: Any = None

    def join(self, subscription: Subscription) -> None:
        """Deal out to one more subscription."""
        self.subscriptions.append(subscription)
        self.wake()

    def leave(self, subscription: Subscription) -> Mapping[int, Taken]:
        """Deal out to a subscription no more. Returns what was in its hand, by serial."""
        self.subscriptions.remove(subscription)
        left = subscription.in_hand.take_all()
        self._release([*left.values()])
        if not self.subscriptions:
            self._set_timer(None)
        return left

    def finish(self, taken: Sequence[Taken]) -> None:
        """Remove dead letters that their client has acked."""
        self.queue.remove_letters([one.position for one in taken])
        self._in_hand.difference_update([one.position for one in taken])

    def reject(self, taken: Taken, delay: float | None, reason: str) -> None:
        """Keep a dead letter that a NACK was for; it is dealt out again to the next subscription."""
        self._in_hand.discard(taken.position)

    def finish_returned(self, position: int) -> bool:
        """Remove a dead letter that came back, unless somebody else has it. :returns: whether nobody has."""
        if position in self._in_hand:
            return False
        self.queue.remove_letters([position])
        return True

    def wake(self) -> None:
        """Look for dead letters: there may be credit."""
        if not self._reading and any(one.room() for one in self.subscriptions):
            self._reading = True
            pool = self._reactor.getThreadPool()
            reading = deferToThreadPool(self._reactor, pool, self.queue.dead_letters, self._after, READ_AT_ONCE)
            reading.addBoth(self._read)

    def _read(self, found: Any) -> None:
        self._reading = False
        if not self.subscriptions or not isinstance(found, Sequence):  # a store that fails is reported by itself
            return
        self._set_timer(LOOK_EVERY)
        for at, letter in enumerate(found):
            takers = [one for one in self.subscriptions if one.room()]
            if not takers:
                return
            self._after = letter.number
            if letter.number not in self._in_hand:
                self._in_hand.add(letter.number)
                taker = takers[at % len(takers)]
                taken = [Letter.of(letter, self.queue.name)]
                if taker.fitting(taken):
                    taker.deliver(taken, ())
                else:
                    self._release(taken)
        if found:
            self.wake()

    def _release(self, taken: Sequence[Taken]) -> None:
        """Let others have them."""
        for one in taken:
            self._in_hand.discard(one.position)
            self._after = min(self._after, one.position - 1)

    def _set_timer(self, seconds: float | None) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None if seconds is None else self._reactor.callLater(seconds, self.wake)
