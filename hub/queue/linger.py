"""How long a worker waits for messages. Pure."""

from __future__ import annotations


class Linger:
    """Until when, in monotonic seconds.

    :param timeout: seconds to wait for the first message; ``None``: for ever.
    :param linger: seconds to wait for more, once there is one.
    """

    def __init__(self, now: float, timeout: float | None, linger: float) -> None:
        self.deadline = None if timeout is None else now + timeout
        self.until = 0.0
        self._linger = linger

    def goes_on(self, now: float, ready: int, limit: int) -> bool:
        """Whether to wait for more than the ``ready`` ones, of the ``limit`` that are wanted."""
        if not self._linger or ready >= limit:
            return False
        if ready and not self.until:
            self.until = now + self._linger
        return now < self.until
