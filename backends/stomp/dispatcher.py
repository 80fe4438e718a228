"""Dispatcher: deals the messages of one queue out to its subscriptions. Belongs to the reactor's thread."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, groupby
from typing import Any

from hub.backends.stomp.destination import shown
from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.lifetime import Lifetime
from hub.backends.stomp.lookahead import Lookahead
from hub.backends.stomp.subscription import Subscription
from hub.declarations import DeclaredQueue, Taken

MOST_AT_ONCE = 1000
"""Messages that one queue deals out before the reactor does its other work."""
WRITE_AT_ONCE = 256 << 10
"""Bytes of bodies that are written to a client before it is looked whether it is slow: so much memory a client that
does not read takes, whatever its prefetch."""
ROUND = 16
"""Messages that one subscription gets before the others do, where there are selectors."""
LOOK_EVERY = 1.0
"""Seconds until it is looked whether messages that nobody wants have gone, when no more can be looked at."""


class Dispatcher:
    """Deals out one queue: in turn, and as much as each subscription has credit for.

    A subscription of a queue with a selector leaves what it does not want to others; see
    :mod:`hub.backends.stomp.lookahead`. A topic's has messages of its own, and drops them.

    :ivar queue: the queue. :ivar subscriptions: those that share it.
    """

    numbered = False

    def __init__(self, queue: DeclaredQueue, reactor: Any, lifetime: Lifetime) -> None:
        self.queue = queue
        self.subscriptions: list[Subscription] = []
        self._reactor = reactor
        self._lifetime = lifetime
        self._turn = 0
        self._size = 1024.0
        """Bytes of a body, on average of the last ones: what is taken and can't be written goes back."""
        self._waking = False
        self._open = True
        self._reader = queue.reader(self.wake)
        self._ahead = Lookahead(self._reader)
        self._selector: str | None = None
        """Of the clients that share a durable subscription to a topic."""
        self._selecting = False
        """True if some messages are not wanted by some subscription."""
        self._timer: Any = None

    # -- subscriptions

    def join(self, subscription: Subscription) -> None:
        """Deal out to one more subscription."""
        self.subscriptions.append(subscription)
        self._serve()
        self.wake()

    def leave(self, subscription: Subscription) -> dict[int, Taken]:
        """Deal out to a subscription no more. The messages in its hand come back, in order. Returns them by serial."""
        self.subscriptions.remove(subscription)
        if not self._open:  # an operator has deleted the queue
            return {}
        left = subscription.in_hand.take_all()
        if left and self._selecting:  # the queue's front may be out of reach
            self._ahead.add_returned([*left.values()])
        elif left:
            self._reader.give_back([*left.values()], delivered=True)
        self._serve()
        self.wake()
        return left

    def selecting(self, selector: str | None) -> Dispatcher:
        """Itself, for one more client of a durable subscription: what one of them does not want, all leave out.

        :raises ProtocolError: those that share it now have another selector.
        """
        if self.subscriptions and selector != self._selector:
            theirs = "none" if self._selector is None else shown(self._selector)
            raise ProtocolError(f"the durable subscription is in use with another selector: {theirs}")
        self._selector = selector
        return self

    def _serve(self) -> None:
        """Look for what the present subscriptions want."""
        self._reader.serve(len(self.subscriptions))
        if self._selecting or any(one.selects for one in self.subscriptions):
            self._selecting = True
            self._ahead.serve(one.matches for one in self.subscriptions)

    def close(self) -> None:
        """Stop reading. The queue keeps what is left."""
        if self._open:
            self._open = False
            self._set_timer(None)
            self._ahead.give_back()
            self._reader.close()

    def wake(self) -> None:
        """Deal out in the next turn of the reactor: there may be messages, or credit."""
        if not self._waking and self._open:
            self._waking = True
            self._reactor.callLater(0, self._dispatch)

    # -- settling

    def finish(self, taken: Sequence[Taken]) -> None:
        """Settle messages as finished."""
        self._reader.finish(taken)

    def reject(self, taken: Taken, delay: float | None, reason: str) -> None:
        """Settle a message that its client could not handle.

        :param delay: seconds until it comes again; ``None``: it becomes a dead letter.
        """
        if delay is None:
            self._reader.bury(taken, reason)
        else:
            self._reader.retry(taken, delay, reason)

    def finish_returned(self, position: int) -> bool:
        """Settle a message that came back, unless somebody has it. :returns: false: so it is, or it is settled."""
        if held := self._ahead.take_one(position):
            self._reader.finish(held)
            self.wake()
            return True
        return self._reader.finish_waiting(position)

    # -- dealing out

    def _dispatch(self) -> None:
        self._waking = False
        if self._selecting:
            self._dispatch_selected()
            return
        left = MOST_AT_ONCE
        while self._open:
            ready = self._ready()
            if not ready:
                return
            taken = self._take(left, ready)
            if not taken:
                return
            left -= len(taken)
            self._deal(taken, ready)
            if left <= 0:
                self.wake()
                return

    def _ready(self) -> list[Subscription]:
        return [one for one in self.subscriptions if one.room()]

    def _take(self, most: int, ready: Sequence[Subscription]) -> Sequence[Taken]:
        """Take what these subscriptions have room for."""
        fitting = max(1, int(WRITE_AT_ONCE * len(ready) / self._size))
        taken = self._reader.take(min(most, fitting, sum([one.room() for one in ready])))
        if taken:
            self._size = max(1.0, sum([len(one.current.body) for one in taken]) / len(taken))
        return taken

    def _dispatch_selected(self) -> None:
        """Deal out where some subscriptions have selectors: what is not wanted now is set aside."""
        left = MOST_AT_ONCE
        while self._open and left > 0 and (ready := self._ready()):
            if self._reader.paused:
                self._reader.take(1)  # nothing, and a call when it is resumed
                break
            taken = () if self._ahead.full else self._take(left, ready)
            self._ahead.add(taken)
            given = 0
            while given < left and (more := self._deal_round()):
                given += more
            left -= max(given, len(taken))
            if not taken and not given:
                break
        if not self._open:
            return
        self._ahead.settle_down()
        if left <= 0:
            self.wake()
        self._set_timer(LOOK_EVERY if self._ahead.full else None)
        self._selecting = len(self._ahead) > 0 or any(one.selects for one in self.subscriptions)
        if not self._selecting:
            self.wake()

    def _deal_round(self) -> int:
        """Give each subscription some of what it wants. Another one is the first each time. Returns their number."""
        self._turn += 1
        given = 0
        ready = self._ready()
        first = self._turn % max(1, len(ready))
        for subscription in ready[first:] + ready[:first]:
            if not self._open or subscription not in self.subscriptions:  # it was lost meanwhile
                continue
            taken = self._ahead.take(subscription.matches, min(subscription.room(), ROUND))
            if taken:
                self._give(taken, subscription)
                given += len(taken)
        return given

    def _look_over(self) -> None:
        """Forget messages that were purged or have expired, so that others can be looked at."""
        for one in self._ahead.look_over():
            if self._lifetime.concerns(one) and self._lifetime.seconds_to_wait(one.current, tried=True) is None:
                self._lifetime.expired += 1
                self._reader.expire(self._ahead.take_one(one.position))
        self._ahead.settle_down()
        self._timer = None
        self._dispatch()

    def _set_timer(self, seconds: float | None) -> None:
        if self._timer is not None and seconds is None:
            self._timer.cancel()
            self._timer = None
        elif self._timer is None and seconds is not None:
            self._timer = self._reactor.callLater(seconds, self._look_over)

    def _deal(self, taken: Sequence[Taken], ready: list[Subscription]) -> None:
        """Deal messages out in parts as even as the credits allow. Another subscription is the first each time."""
        if len(ready) == 1:
            self._give(taken, ready[0])
            return
        self._turn += 1
        first = self._turn % len(ready)
        ready = ready[first:] + ready[:first]
        at = 0
        for subscription, share in zip(ready, even_shares(len(taken), [one.room() for one in ready]), strict=True):
            if share:
                self._give(taken[at : at + share], subscription)
                at += share

    def _give(self, taken: Sequence[Taken], subscription: Subscription) -> None:
        if (matches := subscription.matches) is not None and not subscription.selects:
            matching: list[Taken] = []
            others: list[Taken] = []
            for one in taken:  # what has expired is sorted out later, and counted so, whether it is wanted or not
                (matching if matches(one.current) or self._has_expired(one) else others).append(one)
            self._reader.finish(others)
            taken = matching
        fitting = subscription.fitting(taken)
        if fitting < len(taken):
            self._return(taken[fitting:])
            taken = taken[:fitting]
        while taken and not subscription.blocked:
            count = at_once(taken)
            part, taken = taken[:count], taken[count:]
            if any(map(self._lifetime.concerns, part)):
                self._sort_out(part, subscription)
            else:
                self._send(part, subscription)
        if taken:
            self._return(taken)

    def _has_expired(self, taken: Taken) -> bool:
        lifetime = self._lifetime
        return lifetime.concerns(taken) and lifetime.seconds_to_wait(taken.current, taken.attempts > 0) is None

    def _return(self, taken: Sequence[Taken]) -> None:
        """Return messages that a subscription could not be given."""
        if self._selecting and self._open:
            self._ahead.add(taken)
        else:
            self._reader.give_back(taken, delivered=False)

    def _sort_out(self, taken: Sequence[Taken], subscription: Subscription) -> None:
        """Send messages without those that have expired, or that are to come later."""
        for wait, run in groupby(taken, lambda one: self._lifetime.seconds_to_wait(one.current, one.attempts > 0)):
            part = [*run]
            if wait is None:
                self._lifetime.expired += len(part)
                self._reader.expire(part)
            elif wait > 0:
                for one in part:
                    self._reader.retry(one, wait, "scheduled", failed=False)
            else:
                self._send(part, subscription)

    def _send(self, taken: Sequence[Taken], subscription: Subscription) -> None:
        earlier: Sequence[int] = [one.attempts for one in taken]
        if any(earlier):
            earlier = [*map(self._lifetime.deliveries, taken)]
        subscription.deliver(taken, earlier if any(earlier) else ())


def at_once(taken: Sequence[Taken]) -> int:
    """Number of messages, from the first one on, to be written together; at least one."""
    sizes = [len(one.current.body) for one in taken]
    if sum(sizes) <= WRITE_AT_ONCE:
        return len(taken)
    return max(1, bisect_right([*accumulate(sizes)], WRITE_AT_ONCE))


def even_shares(count: int, rooms: Sequence[int]) -> list[int]:
    """Shares of ``count`` messages for takers with so much room each, as even as possible.

    :param rooms: together at least ``count``.
    """
    shares = [0] * len(rooms)
    while count:
        takers = [index for index, room in enumerate(rooms) if shares[index] < room]
        each, more = divmod(count, len(takers))
        for place, index in enumerate(takers):
            given = min(each + (place < more), rooms[index] - shares[index])
            shares[index] += given
            count -= given
    return shares
