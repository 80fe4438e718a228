"""How workers get messages out of a queue, waiting for them if need be."""

from __future__ import annotations

import threading

from hub.queue.chores import Chores
from hub.queue.linger import Linger
from hub.queue.taken import Taken


class Taking(Chores):
    """The part of a :class:`~hub.queue.queue.Queue` that hands out.

    A worker that finds a chore (to read from the store, to sort into lanes) does it without the lock, and looks again.
    """

    def take(self, limit: int, timeout: float | None = None, linger: float = 0.0) -> Taken | None:
        """The next messages, waiting for one if need be; each that is taken must be settled or given back.

        :param timeout: seconds to wait at most; ``None``: until there is one.
        :param linger: seconds to wait for more, once there is one and as long as there are fewer than ``limit``.
        :returns: ``None``: nothing came in time, or the queue is closed, or ``nudge`` was called.
        """
        now = self._clock()
        patience = Linger(now, timeout, linger)
        nudges = self._nudges
        while True:
            with self._lock:
                if self._closed or nudges != self._nudges:
                    return None
                halted = self.paused or now < self._halted_until
                policy, chore = self._overflow.policy, None if halted else self._filling_up()
                if halted:
                    if patience.deadline is not None and now >= patience.deadline:
                        return None
                    self._sleep(self._until_resumed(now, patience.deadline))
                elif chore is None:
                    if patience.goes_on(now, len(self._waiting.ready), limit):
                        self._sleep(patience.until - now)
                    elif (taken := self._waiting.take(limit, now, policy.lane_of is not None)) is not None:
                        self._in_flight[taken] = None
                        if taken.attempts or policy.max_age is not None:
                            chore = self._before(taken, policy)
                        if chore is None:
                            return taken
                    elif (chore := self._looking()) is None:
                        if patience.deadline is not None and now >= patience.deadline:
                            return None
                        self._sleep(self._until_due(now, patience.deadline))
            if chore is not None and (whole := chore()) is not None:
                return whole
            now = self._clock()

    def _until_due(self, now: float, deadline: float | None) -> float | None:
        times = [time for time in (deadline, self._waiting.next_due) if time is not None]
        return max(0.0, min(times) - now) if times else None

    def _until_resumed(self, now: float, deadline: float | None) -> float | None:
        """Seconds; ``None``: until somebody wakes it."""
        halt = None if self.paused else self._halted_until
        times = [time for time in (deadline, halt) if time is not None]
        return min(times) - now if times else None

    def _sleep(self, seconds: float | None) -> None:
        self._sleepers += 1
        try:
            self._changed.wait(None if seconds is None else min(seconds, threading.TIMEOUT_MAX))
        finally:
            self._sleepers -= 1
