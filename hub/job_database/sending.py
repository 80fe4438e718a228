"""What finished jobs have published, until the bus has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hub.store import Outgoing

MOST_UNSENT = 1000
"""Messages that the bus does not have yet; beyond that no more jobs are claimed or handed out."""
FIRST_REST, LONGEST_REST = 1.0, 30.0
"""Seconds for which none are after the outbox, which others fill too, has refused messages: the first time, and at
most. The job goes back uncounted, and without a rest it would be done again and again."""


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


class UnsentJobs:
    """Finished jobs of one source whose messages are not sent, and whether it may have more. Not thread-safe.

    :ivar jobs: their number.
    """

    def __init__(self) -> None:
        self.jobs = 0
        self._messages = 0
        self._rest, self._rests_until = FIRST_REST, float("-inf")

    def add(self, jobs: int, messages: int) -> None:
        """Note jobs that are finished, and how many messages they have published."""
        self.jobs += jobs
        self._messages += messages

    def end(self, jobs: int, messages: int, safe: bool, now: float) -> None:
        """Note that their messages are sent; false: that some were refused. :param now: monotonic seconds, as below."""
        self.jobs -= jobs
        self._messages -= messages
        if safe:
            self._rest = FIRST_REST
        elif now >= self._rests_until:
            self._rests_until, self._rest = now + self._rest, min(2 * self._rest, LONGEST_REST)

    def full(self, now: float) -> bool:
        """True if no more jobs may be done now."""
        return self._messages >= MOST_UNSENT or now < self._rests_until

    def rest_ends(self, now: float) -> float | None:
        """When more jobs may be done; ``None``: no time is to be waited for."""
        return self._rests_until if now < self._rests_until else None
