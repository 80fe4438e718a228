"""Settled positions of a queue in memory that are tied to outgoing messages. Pure: no lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hub.store import Outgoing, Range


class Tied:
    """Positions that count as settled for a watcher when the bus has all outgoing messages of the consumer.

    A durable queue needs none: the store commits both together.

    :param outbox: the messages. :param ended: called with this object when all have been sent, or given up.
    :ivar ranges: the positions. :ivar safe: whether no message was lost with the end of the hub.
    """

    def __init__(self, outbox: Sequence[Outgoing], ended: Callable[[Tied], object]) -> None:
        self.ranges: list[Range] = []
        self.safe = True
        self._left = len(outbox)
        self._ended = ended
        for outgoing in outbox:
            outgoing.sent = self._sent

    def _sent(self, safe: bool) -> None:
        self.safe = self.safe and safe
        self._left -= 1
        if not self._left:
            self._ended(self)
