"""Runtime of workers: the clocks, randomness and tracing that all workers of a hub share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.interfaces import Clock
from hub.tracing import Tracing


@dataclass(frozen=True)
class Runtime:
    """The runtime of the workers, and of whatever else needs a clock. Tests pass their own.

    :ivar monotonic: for durations and delays.
    :ivar wall: epoch seconds, for ages.
    :ivar uniform: draws the jitter of retries.
    :ivar tracing: propagates traces from consumed to published messages.
    """

    monotonic: Clock
    wall: Clock
    uniform: Callable[[float, float], float]
    tracing: Tracing = field(default_factory=Tracing)
