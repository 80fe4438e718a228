"""Replay feed: deals what the hub's log has from a place on, and what comes after it, to one subscription.

Belongs to the reactor's thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.backends.stomp.destination import Destination
from hub.backends.stomp.dispatcher import MOST_AT_ONCE, at_once
from hub.backends.stomp.lifetime import Lifetime
from hub.backends.stomp.subscription import Subscription
from hub.declarations import Taken
from hub.replays import ReplayedMessage, ReplayReader, ReplaySource, ReplayStart


class ReplayFeed:
    """Deals out a part of the log. Nothing is settled by it: an ACK or a NACK makes room for further messages.

    :ivar subscriptions: the only one.
    """

    numbered = True

    def __init__(
        self, replays: ReplaySource, destination: Destination, start: ReplayStart, reactor: Any, lifetime: Lifetime
    ) -> None:
        self.subscriptions: list[Subscription] = []
        self._replays, self._pattern, self._start = replays, destination.pattern, start
        self._reactor, self._lifetime = reactor, lifetime
        self._replay: ReplayReader | None = None
        self._waking = False

    def join(self, subscription: Subscription) -> None:
        """Begin."""
        self.subscriptions.append(subscription)
        self._replay = self._replays.open(
            self._pattern, self._start, self.wake, subscription.refuse, subscription.matches
        )
        self.wake()

    def leave(self, subscription: Subscription) -> Mapping[int, Taken]:
        """End. Nothing goes back: who reads on begins where it was."""
        self.subscriptions.remove(subscription)
        subscription.in_hand.take_all()
        replay, self._replay = self._replay, None
        if replay is not None:
            replay.close()
        return {}

    def finish(self, taken: Sequence[Taken]) -> None:
        """Does nothing: the log stays as it is."""

    def reject(self, taken: Taken, delay: float | None, reason: str) -> None:
        """Does nothing, as above: the message comes no more."""

    def finish_returned(self, position: int) -> bool:
        """Return false: nothing was given back."""
        return False

    def wake(self) -> None:
        """Deal out in the next turn of the reactor: there may be messages, or credit."""
        if not self._waking and self._replay is not None:
            self._waking = True
            self._reactor.callLater(0, self._deal)

    def _deal(self) -> None:
        self._waking = False
        left = MOST_AT_ONCE
        while (replay := self._replay) is not None and (room := self.subscriptions[0].room()):
            taken = replay.take(min(room, left))
            if not taken:
                return
            left -= len(taken)
            self._give(replay, taken)
            if left <= 0:
                self.wake()
                return

    def _give(self, replay: ReplayReader, taken: Sequence[ReplayedMessage]) -> None:
        """Give messages to the subscription, as many as it takes. The others go back."""
        subscription = self.subscriptions[0]
        fitting = subscription.fitting(taken)
        rest = taken[fitting:]
        taken = taken[:fitting]
        while taken and not subscription.blocked and self._replay is replay:
            count = at_once(taken)
            part, taken = taken[:count], taken[count:]
            if fresh := self._not_expired(part):
                subscription.deliver(fresh, ())
        replay.give_back([*taken, *rest])

    def _not_expired(self, messages: Sequence[ReplayedMessage]) -> Sequence[ReplayedMessage]:
        """Leave out what has expired. A delay is not waited for: messages come in the order of the log."""
        if not any(map(self._lifetime.concerns, messages)):
            return messages
        fresh = [one for one in messages if self._lifetime.seconds_to_wait(one.current, tried=True) is not None]
        self._lifetime.expired += len(messages) - len(fresh)
        return fresh
