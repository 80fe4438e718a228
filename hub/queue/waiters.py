"""Waiters of a queue: threads that wait for messages, and at most one listener."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Wait:
    """Deadline and linger time of one ``take``. Pure.

    :param now: monotonic seconds. :param timeout: seconds to wait for the first message; ``None``: forever.
    :param linger: seconds to wait for more messages, once there is one.
    :ivar deadline: monotonic seconds, or ``None``. :ivar until: monotonic seconds at which it stops lingering.
    :ivar lingering: whether it waits for more messages now.
    """

    def __init__(self, now: float, timeout: float | None, linger: float) -> None:
        self.deadline = None if timeout is None else now + timeout
        self.until = 0.0
        self.lingering = False
        self.linger = linger

    def lingers(self, now: float, ready: int, limit: int) -> bool:
        """Tell whether to wait for more. :param ready: messages that are ready. :param limit: messages wanted."""
        self.lingering = False
        if not self.linger or ready >= limit:
            return False
        if ready and not self.until:
            self.until = now + self.linger
        self.lingering = now < self.until
        return self.lingering

    def over(self, now: float) -> bool:
        """Tell whether the deadline has passed, unless it lingers."""
        return self.deadline is not None and now >= self.deadline and not self.lingering


NO_WAIT = Wait(0.0, None, 0.0)
"""For readers that never wait."""


class Waiters:
    """Condition variable of one queue. All methods but ``ring`` are called under its lock.

    The listener is called once, without the lock, and again only after ``arm``.

    :ivar sleeping: number of waiting threads. :ivar nudges: number of calls of ``nudge``.
    :ivar ringing: whether ``ring`` will call the listener.
    """

    def __init__(self, lock: threading.Lock) -> None:
        self.sleeping = 0
        self.nudges = 0
        self.ringing = False
        self._lock = lock
        self._condition = threading.Condition(lock)
        self._listener: Callable[[], None] | None = None
        self._armed = False

    def sleep(self, seconds: float | None) -> None:
        """Wait for a wake-up. :param seconds: most seconds; ``None``: forever."""
        self.sleeping += 1
        try:
            self._condition.wait(None if seconds is None else min(seconds, threading.TIMEOUT_MAX))
        finally:
            self.sleeping -= 1

    def wake(self, count: int) -> None:
        """Wake waiters for ``count`` new messages."""
        if self.sleeping:
            self._condition.notify(min(self.sleeping, count))
        if self._armed:
            self._armed, self.ringing = False, True

    def wake_all(self) -> None:
        """Wake all waiters: the state of the queue has changed."""
        self._condition.notify_all()
        if self._armed:
            self._armed, self.ringing = False, True

    def nudge(self) -> None:
        """Make all waiting threads return without a message."""
        self.nudges += 1
        self.wake_all()

    def listen(self, listener: Callable[[], None] | None) -> None:
        """Set the listener, which then calls ``take``. ``None``: remove it.

        :raises ValueError: there is one already.
        """
        if listener is not None and self._listener is not None:
            raise ValueError("the queue has a listener already")
        self._listener, self._armed, self.ringing = listener, False, False

    def arm(self) -> None:
        """Call the listener at the next change. It has found no message."""
        self._armed = self._listener is not None

    def ring(self) -> None:
        """Call the listener, if ``ringing``. Not under the lock."""
        with self._lock:
            listener, self.ringing = self._listener if self.ringing else None, False
        if listener is not None:
            listener()
