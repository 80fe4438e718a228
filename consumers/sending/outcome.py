"""The two ways in which a sending can fail, as errors that become the hub's verdicts."""

from __future__ import annotations

from hub import Reject, Retry
from hub.text import printable

LONGEST_REASON = 500
"""Characters of a reason. A peer's words are part of it."""


class SendingFailed(Exception):
    """A message was not sent. Its text is shown to operators: one line, bounded, and without secrets."""

    def __init__(self, reason: str) -> None:
        super().__init__(printable(reason[:LONGEST_REASON]))


class Temporary(SendingFailed):
    """A message was not sent for a reason that passes: it is tried again, and no failure is counted.

    :ivar delay: seconds until the next attempt; ``None``: the consumer's own backoff.
    """

    def __init__(self, reason: str, delay: float | None = None) -> None:
        super().__init__(reason)
        self.delay = delay


class Waiting(Temporary):
    """The turn of a message has not come, or its answer has not: nothing has failed."""


class ForGood(SendingFailed):
    """A message can never be sent as it is: it becomes a dead letter."""


def verdict_of(failed: SendingFailed) -> Retry | Reject:
    """The verdict for the hub, to be raised by ``consume``."""
    if isinstance(failed, Temporary):
        return Retry(failed.delay, str(failed))
    return Reject(str(failed))
