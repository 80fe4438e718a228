"""Retry policies: the delay of a retry, or the verdict that a message is a dead letter. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import msgspec

from hub.backoff import Uniform, delay_after
from hub.errors import Reject, Retry
from hub.interfaces import Bury
from hub.message import Message

SOONEST = 0.01
"""Shortest delay in seconds: a consumer that always raises ``Retry(0)`` must not block its other messages."""


class Again(msgspec.Struct, frozen=True):
    """Verdict: deliver the message again after ``delay`` seconds.

    :ivar failure: whether the attempt counts towards ``max_attempts``.
    """

    delay: float
    failure: bool


Verdict = Again | Bury


class RetryPolicy(Protocol):
    """Policy for messages whose ``consume`` raised, and for the retries of ``start``. Thread-safe."""

    def delay(self, failures: int, uniform: Uniform) -> float:
        """Seconds to wait after that many failures or attempts, at least 1."""

    def judge(self, error: BaseException, message: Message, attempts: int, failures: int, uniform: Uniform) -> Verdict:
        """The verdict on a message.

        :param error: the exception of ``consume``. :param attempts: earlier deliveries of the message.
        :param failures: those that count towards ``max_attempts``.
        """


@dataclass(frozen=True)
class Backoff:
    """The default: exponential backoff with full jitter; see :mod:`hub.backoff`.

    :ivar backoff: seconds; the bound of the first delay. :ivar backoff_limit: seconds; no bound is larger.
    """

    max_attempts: int
    backoff: float
    backoff_limit: float

    def delay(self, failures: int, uniform: Uniform) -> float:
        """Seconds to wait after that many failures, or attempts (1 or more)."""
        return delay_after(failures, uniform, self.backoff, self.backoff_limit)

    def judge(self, error: BaseException, message: Message, attempts: int, failures: int, uniform: Uniform) -> Verdict:
        """The verdict on a message. ``Retry`` is no failure; without a delay, the backoff grows with ``attempts``."""
        if isinstance(error, Retry):
            delay = self.delay(attempts + 1, uniform) if error.delay is None else error.delay
            return Again(max(delay, SOONEST), failure=False)
        if isinstance(error, Reject):
            return Bury(error.reason)
        if failures + 1 >= self.max_attempts:
            often = "once" if not failures else f"{failures + 1} times, last"
            return Bury(f"failed {often} with {type(error).__name__}")
        return Again(self.delay(failures + 1, uniform), failure=True)


class JobBackoff(msgspec.Struct, frozen=True):
    """The default for jobs, each of which brings its own ``max_retries``.

    :ivar backoff: for the delays. :ivar max_attempts: of the consumer; ``None``: each job's own alone.
    """

    backoff: Backoff
    max_attempts: int | None = None

    def delay(self, failures: int, uniform: Uniform) -> float:
        """Seconds to wait after that many failures, or attempts (1 or more)."""
        return self.backoff.delay(failures, uniform)

    def judge(self, error: BaseException, message: Message, attempts: int, failures: int, uniform: Uniform) -> Verdict:
        """The verdict on a job's message."""
        own = int(message.headers.get("max_retries", self.backoff.max_attempts - 1)) + 1
        most = own if self.max_attempts is None else min(own, self.max_attempts)
        return replace(self.backoff, max_attempts=most).judge(error, message, attempts, failures, uniform)
