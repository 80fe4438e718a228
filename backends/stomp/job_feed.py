"""Job feed: deals the jobs of a queue in a database out to its subscriptions. Belongs to the reactor's thread.

An ACK finishes a job. A NACK has it tried again, with the backoff of the database, and with ``requeue:false`` it is a
dead letter. What is in hand when a subscription ends goes back at once, and counts no attempt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hub.backends.stomp.dispatcher import MOST_AT_ONCE, at_once, even_shares
from hub.backends.stomp.job_headers import message_of
from hub.backends.stomp.subscription import Subscription
from hub.declarations import Taken
from hub.job_queues import JobQueue
from hub.message import Message

LOST = "the connection of its client was lost"


class DealtJob(NamedTuple):
    """A job in the hands of a client: a :class:`hub.declarations.Taken`."""

    current: Message
    attempts: int
    failures: int
    position: int
    priority: int


class JobFeed:
    """Deals out one queue: in turn, and as much as each subscription has credit for; so much is claimed.

    :ivar subscriptions: those that share it.
    """

    numbered = False

    def __init__(self, queue: JobQueue, reactor: Any) -> None:
        self.subscriptions: list[Subscription] = []
        self._name = queue.name
        self._reactor = reactor
        self._waking = False
        self._turn = 0
        self._reader = queue.reader(self.wake)

    def join(self, subscription: Subscription) -> None:
        """Deal out to one more subscription."""
        self.subscriptions.append(subscription)
        self.wake()

    def leave(self, subscription: Subscription) -> Mapping[int, Taken]:
        """Deal out to a subscription no more. What was in its hand goes back. Returns it, by serial."""
        self.subscriptions.remove(subscription)
        left = subscription.in_hand.take_all()
        if left:
            self._reader.give_back([*left.values()])
        self.wake()
        return left

    def lost(self, subscription: Subscription) -> None:
        """Count a failed attempt of the first job that a lost client had in hand: it may be what ends its clients. The
        others may be innocent; if not, each will be the first one."""
        first = subscription.in_hand.first
        if first is not None:
            subscription.in_hand.take(first[0], False)
            self._reader.retry(first[1], 0.0, LOST)

    def finish(self, taken: Sequence[Taken]) -> None:
        """Settle jobs as finished."""
        self._reader.finish(taken)

    def reject(self, taken: Taken, delay: float | None, reason: str) -> None:
        """Settle a job that its client could not do. :param delay: seconds; ``None``: it is a dead letter."""
        if delay is None:
            self._reader.bury(taken, reason)
        else:
            self._reader.retry(taken, delay, reason)

    def retry_delay(self, taken: Taken) -> float:
        """Seconds until a job that failed comes again, if that was not its last attempt."""
        return self._reader.retry_delay(taken)

    def finish_returned(self, position: int) -> bool:
        """Return false: what went back may be anybody's, in any program."""
        return False

    def wake(self) -> None:
        """Deal out in the next turn of the reactor: there may be jobs, or credit."""
        if not self._waking:
            self._waking = True
            self._reactor.callLater(0, self._deal)

    def _deal(self) -> None:
        self._waking = False
        left = MOST_AT_ONCE
        while left > 0 and (ready := [one for one in self.subscriptions if one.room()]):
            taken = self._reader.take(min(left, sum([one.room() for one in ready])))
            if not taken:
                break
            left -= len(taken)
            self._share_out(taken, ready)
        if left <= 0:
            self.wake()
        self._reader.want(sum([one.room() for one in self.subscriptions]))

    def _share_out(self, taken: Sequence[Taken], ready: list[Subscription]) -> None:
        """Share jobs out as evenly as the credits allow. Another subscription is the first each time."""
        self._turn += 1
        first = self._turn % len(ready)
        ready = ready[first:] + ready[:first]
        dealt = [
            DealtJob(message_of(one.current, self._name), one.attempts, one.failures, one.position, one.priority)
            for one in taken
        ]
        at = 0
        for subscription, share in zip(ready, even_shares(len(dealt), [one.room() for one in ready]), strict=True):
            self._give(dealt[at : at + share], subscription)
            at += share

    def _give(self, jobs: Sequence[DealtJob], subscription: Subscription) -> None:
        """Give jobs to a subscription, as many as it takes. The others are taken back."""
        fitting = subscription.fitting(jobs)
        rest, jobs = jobs[fitting:], jobs[:fitting]
        while jobs and not subscription.blocked and subscription in self.subscriptions:
            count = at_once(jobs)
            part, jobs = jobs[:count], jobs[count:]
            earlier = [one.attempts for one in part]
            subscription.deliver(part, earlier if any(earlier) else ())
        if back := [*jobs, *rest]:
            self._reader.put_back(back)
