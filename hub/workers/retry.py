"""When a message that failed is tried again. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.errors import Reject, Retry

SOONEST = 0.01
"""Seconds. A consumer that answers each message with ``Retry(0)`` must not keep it from all others."""


@dataclass(frozen=True, slots=True)
class Again:
    """Verdict: deliver it again after ``delay`` seconds."""

    delay: float
    failure: bool
    """Whether it counts towards ``max_attempts``."""


@dataclass(frozen=True, slots=True)
class Bury:
    """Verdict: to the dead letters."""

    reason: str


Verdict = Again | Bury


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter: each delay is drawn evenly from 0 to a bound that doubles.

    Full jitter spreads the retries of many messages that failed together best (M. Brooker, "Exponential Backoff And
    Jitter", AWS Architecture Blog, 2015).
    """

    max_attempts: int
    backoff: float
    """Seconds; the bound of the first delay."""
    backoff_limit: float
    """Seconds; no bound is larger."""

    def delay(self, failures: int, uniform: Callable[[float, float], float]) -> float:
        """Seconds to wait after that many failures, or attempts (1 or more)."""
        bound = min(self.backoff_limit, self.backoff * 2.0 ** min(failures - 1, 64))
        return uniform(0.0, bound)

    def judge(
        self, error: BaseException, attempts: int, failures: int, uniform: Callable[[float, float], float]
    ) -> Verdict:
        """What becomes of a message whose ``consume`` raised.

        :param attempts: how often it was given before; a ``Retry`` without a delay backs off by it.
        :param failures: how many of these failed; a ``Retry`` is no failure.
        """
        if isinstance(error, Retry):
            delay = self.delay(attempts + 1, uniform) if error.delay is None else error.delay
            return Again(max(delay, SOONEST), failure=False)
        if isinstance(error, Reject):
            return Bury(error.reason)
        if failures + 1 >= self.max_attempts:
            often = "once" if not failures else f"{failures + 1} times, last"
            return Bury(f"failed {often} with {type(error).__name__}")
        return Again(self.delay(failures + 1, uniform), failure=True)
