"""Rates: how many messages a destination is sent in a time. Token buckets; the clock is an argument."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from typing import Annotated

from pydantic import AfterValidator

from hub.interfaces import Clock
from hub.units import parse_duration

_RATE = re.compile(r"(\d{1,9})/(\d*)([a-z]+)")
LONGEST_WAIT = 60.0
"""Seconds that anybody is told to wait, at most: by then things may have changed."""
MOST_DESTINATIONS = 10_000
"""Destinations whose buckets are remembered; beyond it the least recently used is forgotten, and begins full."""


class Bucket:
    """A token bucket. Whoever finds it empty is told when to come again, each a token's time after the one before, so
    that many who wait do not all come at once. For one thread, or under a lock.

    :param rate: tokens a second. :param burst: most tokens that it holds; it begins full.
    :param clock: monotonic seconds.
    """

    def __init__(self, rate: float, burst: int, clock: Clock) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._tokens = float(burst)
        self._counted_at = clock()
        self._promised = self._counted_at

    def take(self) -> float:
        """Take a token. :returns: 0.0: it is taken; else seconds until the caller should come again, at most
        :data:`LONGEST_WAIT`."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._counted_at) * self._rate)
        self._counted_at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        first = now + (1.0 - self._tokens) / self._rate
        promise = max(self._promised + 1.0 / self._rate, first)
        if promise > now + LONGEST_WAIT:  # no promise: who comes that late asks again
            return LONGEST_WAIT
        self._promised = promise
        return promise - now


class Rates:
    """The buckets of all destinations of one consumer. Thread-safe. :param rate: as written: ``"5/s"``; ``None``: no
    limit. :param burst: messages at once. :param clock: monotonic seconds."""

    def __init__(self, rate: str | None, burst: int, clock: Clock) -> None:
        self._rate = None if rate is None else parse_rate(rate)
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, destination: str) -> float:
        """Take a token of a destination, by its name. :returns: as :meth:`Bucket.take`."""
        if self._rate is None:
            return 0.0
        with self._lock:
            bucket = self._buckets.pop(destination, None) or Bucket(self._rate, self._burst, self._clock)
            self._buckets[destination] = bucket
            if len(self._buckets) > MOST_DESTINATIONS:
                self._buckets.popitem(last=False)
            return bucket.take()


def parse_rate(text: str) -> float:
    """Parse ``"5/s"``, ``"100/m"`` or ``"30/10s"`` into messages a second. :raises ValueError: it is none."""
    found = _RATE.fullmatch(text)
    try:
        count, period = int(found.group(1)), parse_duration((found.group(2) or "1") + found.group(3))  # type: ignore[union-attr]
        if count and period:
            return count / period
    except (AttributeError, ValueError):
        pass
    raise ValueError(f"expected a rate such as '5/s', '100/m' or '30/10s', not {text!r}")


def _checked(text: str) -> str:
    parse_rate(text)
    return text


Rate = Annotated[str, AfterValidator(_checked)]
"""Type of settings that are rates."""
