"""Requests that are under way, and answers that nobody has fetched yet."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

import msgspec

from hub.consumers.webhook.answer import Answer
from hub.interfaces import Clock

MOST_ANSWERS = 10_000
"""Answers that are kept until their message comes again. Beyond it the oldest is forgotten: its message is sent again,
under the same id."""


class Sending(msgspec.Struct):
    """A request under way. :ivar since: monotonic seconds."""

    future: Future[Answer]
    since: float


class UnderWay:
    """The sendings of one consumer by their ids. A message whose answer takes long goes back to its queue, so that no
    thread waits for it, and finds its sending here when it comes again. Thread-safe.

    :param clock: monotonic seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sendings: OrderedDict[str, Sending] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, id: str) -> Sending | None:
        """The sending of that id; ``None``: there is none."""
        with self._lock:
            return self._sendings.get(id)

    def begin(self, id: str, send: Callable[[], Future[Answer]]) -> Sending:
        """Begin a sending, unless another thread just did; ``send`` must not wait, and may raise."""
        with self._lock:
            sending = self._sendings.get(id)
            if sending is None:
                sending = self._sendings[id] = Sending(send(), self._clock())
                self._forget_oldest()
            return sending

    def fetched(self, id: str, sending: Sending) -> None:
        """Forget a sending whose answer was used."""
        with self._lock:
            if self._sendings.get(id) is sending:
                del self._sendings[id]

    def _forget_oldest(self) -> None:
        if len(self._sendings) > MOST_ANSWERS:
            old = next((id for id, each in self._sendings.items() if each.future.done()), None)
            if old is not None:
                del self._sendings[old]
