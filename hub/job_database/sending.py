"""What finished jobs have published, until the bus has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hub.store import Outgoing


class Sending:
    """Outgoing messages of finished jobs, each of which tells it that it was sent.

    :param ended: called once all were sent, or given up; false: some were lost with the end of the hub.
    """

    def __init__(self, outbox: Sequence[Outgoing], ended: Callable[[bool], object]) -> None:
        self._left = len(outbox)
        self._safe = True
        self._ended = ended
        for outgoing in outbox:
            outgoing.sent = self._sent

    def _sent(self, safe: bool) -> None:
        self._safe = self._safe and safe
        self._left -= 1
        if not self._left:
            self._ended(self._safe)
