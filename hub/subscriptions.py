"""Subscriptions to messages as they arrive, without a queue: for clients of server backends, and ``hubbub tail``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from hub.interfaces import Sink
from hub.message import Message
from hub.partlog import part_log
from hub.router import Router

Follow = Callable[[Collection[str], Collection[str]], None]


class SinkSubscription:
    """Subscription of one sink; see :class:`hub.interfaces.Subscription`. Made by :class:`Subscriptions`."""

    def __init__(self, router: Router[SinkSubscription], follow: Follow, sink: Sink) -> None:
        self._router = router
        self._follow = follow
        self._patterns: set[str] = set()
        self.sink = sink

    def add(self, pattern: str) -> None:
        """Add a topic pattern."""
        if pattern not in self._patterns:
            self._patterns.add(pattern)
            self._router.add(pattern, self)
            self._follow([pattern], [])

    def remove(self, pattern: str) -> None:
        """Remove a topic pattern. Messages that another pattern matches are still shown."""
        if pattern in self._patterns:
            self._patterns.remove(pattern)
            self._router.remove(pattern, self)
            self._follow([], [pattern])

    def cancel(self) -> None:
        """End the subscription."""
        for pattern in [*self._patterns]:
            self.remove(pattern)


class Subscriptions:
    """All subscriptions of the hub. Belongs to the reactor's thread.

    :ivar follow: called with patterns added and patterns removed, to update the subscriptions on the buses.
    """

    def __init__(self) -> None:
        self.follow: Follow = lambda added, removed: None
        self._router: Router[SinkSubscription] = Router()
        self._log = part_log("hub", "subscriptions")

    def __len__(self) -> int:
        """Number of subscriptions that have a pattern."""
        return len(self._router)

    def add(self, patterns: Iterable[str], sink: Sink, *, asks_buses: bool = True) -> SinkSubscription:
        """Subscribe a sink to topic patterns.

        :param asks_buses: ``False``: do not subscribe on the buses; only messages that arrive anyway are shown.
        """
        follow: Follow = (lambda added, removed: self.follow(added, removed)) if asks_buses else (lambda *_: None)
        subscription = SinkSubscription(self._router, follow, sink)
        for pattern in patterns:
            subscription.add(pattern)
        return subscription

    def show(self, messages: Sequence[Message]) -> None:
        """Show a batch: each sink is called with its share. A sink that fails does not affect others."""
        cache = self._router.cache
        wanted: dict[SinkSubscription, list[Message]] = {}
        for message in messages:
            for subscription in cache[message.topic]:
                wanted.setdefault(subscription, []).append(message)
        for subscription, mine in wanted.items():
            try:
                subscription.sink(mine)
            except Exception as error:  # noqa: BLE001 - a plugin's code
                self._log.error("a subscriber failed", exc_info=error, extra={"action": "bug"})
