"""One trial at a time: a message that was in hand when the hub was killed is given alone, over all queues."""

from __future__ import annotations

import threading

from hub.interfaces import Clock
from hub.queue.taken import Taken

LONGEST_TRIAL = 300.0
"""Seconds. The next one begins then, though this one is not over: one that hangs must not keep all others for ever."""


class Trial:
    """Shared by all queues of a hub. When the hub is killed, whatever was in hand is suspected; only one did it.

    If all suspects were given at once again, the guilty one would have the others counted with it each time. So of
    several suspects one is in hand at a time, and what kills the hub then is it, or something nobody suspected yet.

    :param clock: monotonic seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._holder: Taken | None = None
        self._since = 0.0

    def begin(self, taken: Taken) -> bool:
        """Whether it may be given to a consumer now; then ``end`` must follow. Not under the lock of a queue."""
        with self._lock:
            now = self._clock()
            holder = self._holder
            if holder is not None and not holder.over and now - self._since <= LONGEST_TRIAL:
                return False
            self._holder, self._since = taken, now
            return True

    def end(self, taken: Taken) -> None:
        """It is in hand no more. Takes no lock, so that it may be called under that of a queue."""
        taken.over = True
