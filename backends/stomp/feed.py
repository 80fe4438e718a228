"""Feeds: what deals messages to subscriptions, as these and the broker see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from hub.backends.stomp.counters import Counters
from hub.backends.stomp.credit import Credit
from hub.backends.stomp.destination import Destination
from hub.backends.stomp.frame import Version
from hub.backends.stomp.message_frame import Tails
from hub.backends.stomp.subscription import Subscription
from hub.declarations import Taken
from hub.interfaces import Clock
from hub.replays import ReplayStart


class Feed(Protocol):
    """A dealer of messages to subscriptions: those of a queue, or its dead letters, or the hub's log.

    :ivar numbered: true if the positions of its messages are their places in the log.
    """

    numbered: bool
    subscriptions: list[Subscription]

    def join(self, subscription: Subscription) -> None: ...  # noqa: D102 - see Dispatcher
    def leave(self, subscription: Subscription) -> Mapping[int, Taken]: ...  # noqa: D102
    def finish(self, taken: Sequence[Taken]) -> None: ...  # noqa: D102
    def reject(self, taken: Taken, delay: float | None, reason: str) -> None: ...  # noqa: D102
    def finish_returned(self, position: int) -> bool: ...  # noqa: D102
    def wake(self) -> None: ...  # noqa: D102


class Feeds(Protocol):
    """The feeds that all sessions share. :ivar wall: epoch seconds."""

    counters: Counters
    wall: Clock

    @property
    def credit(self) -> Credit:
        """The credit of a subscription that asks for none."""

    @property
    def most_prefetch(self) -> int:
        """Messages that a subscription may ask for."""

    def open(self, source: Source) -> Feed:
        """Open the feed of a subscription. :raises ProtocolError: it can't be had."""

    def close(self, feed: Feed, ended: bool) -> None:
        """Note that a subscription has left its feed. :param ended: by UNSUBSCRIBE: a durable one ends, too."""

    def lost(self, feed: Feed, subscription: Subscription) -> None:
        """Note that the connection of a subscription was lost, before it leaves: what it has in hand may be why."""

    def finish_returned(self, feed: Feed, position: int) -> bool:
        """Settle a message that a subscription gave back, unless somebody else has it. :returns: whether nobody has."""

    def end_durable(self, queue: str) -> bool:
        """End a durable subscription that nobody uses now. :returns: whether there was one.

        :raises ProtocolError: somebody uses it.
        """

    def tails(self, version: Version) -> Tails:
        """The tails of messages in a version."""

    def retry_delay(self, feed: Feed, taken: Taken) -> float | None:
        """Seconds until a message of a feed that failed comes again; ``None``: it failed too often."""


class Source(msgspec.Struct, frozen=True):
    """Source that a SUBSCRIBE names for its messages.

    :ivar session: key of the session. :ivar number: of the subscription.
    :ivar durable: the name of its queue, if it is a durable topic subscription.
    :ivar start: where in the log it begins; ``None``: it is not to be fed from there.
    :ivar selector: as in the SUBSCRIBE.
    """

    destination: Destination
    session: str
    number: int
    durable: str | None
    start: ReplayStart | None = None
    selector: str | None = None


class TemporaryFeeds(Protocol):
    """The temporary queues of a session."""

    def dispatcher(self, name: str) -> Feed:
        """The feed of a queue, which is made if there is none. :raises ProtocolError: there are too many."""
