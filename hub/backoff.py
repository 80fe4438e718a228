"""Exponential backoff with full jitter: each delay is drawn evenly from 0 to a bound that doubles. Pure.

Full jitter spreads the retries of many that failed together best (M. Brooker, "Exponential Backoff And Jitter", AWS
Architecture Blog, 2015).
"""

from __future__ import annotations

from collections.abc import Callable

FIRST_DELAY = 0.5
"""Seconds: default bound of the first delay."""
LONGEST_DELAY = 30.0
"""Seconds: default limit of the bound."""

Uniform = Callable[[float, float], float]
"""Draws a number between two bounds."""


def delay_after(failures: int, uniform: Uniform, first: float = FIRST_DELAY, longest: float = LONGEST_DELAY) -> float:
    """Seconds to wait before the next attempt.

    :param failures: consecutive failures, 1 or more. :param first: seconds; the bound of the first delay.
    :param longest: seconds; no bound is larger.
    """
    return uniform(0.0, min(longest, first * 2.0 ** min(failures - 1, 64)))
