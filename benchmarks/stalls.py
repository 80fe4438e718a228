"""Moments in which the machine computes at a fraction of its speed, as guests of a busy host do."""

from __future__ import annotations

import threading
import time
from statistics import median
from types import TracebackType

PAUSE = 0.008
"""Seconds between two computations."""
SLOW = 4.0
"""A computation that takes that many times the usual is a stall."""
BEFORE, AFTER = 0.080, 0.030
"""Seconds around a stall that is noticed in which others may have been hit by it."""


def _compute() -> int:
    """About half a millisecond of work, always the same."""
    found = 0
    for number in range(8000):
        found += number
    return found


class StallWatch:
    """Measures one computation again and again, in a thread: ``with StallWatch() as watch:``.

    Processor time is what counts: it does not tell of the waits that the measured programs cause each other, only of
    a processor that was slow while it was ours. It takes a twentieth of a processor.
    """

    def __init__(self) -> None:
        self._taken: list[tuple[float, float]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> StallWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(PAUSE):
            at, began = time.monotonic(), time.thread_time()
            _compute()
            self._taken.append((at, time.thread_time() - began))

    def stalls(self) -> list[float]:
        """Times of the stalls, by the monotonic clock."""
        usual = median(seconds for _, seconds in self._taken) if self._taken else 0.0
        return [at for at, seconds in self._taken if seconds > SLOW * usual]

    def calm(self, spans: list[tuple[float, float]]) -> list[float]:
        """Lengths of those spans, each from its begin and of its length in seconds, that no stall has touched."""
        stalls = self.stalls()
        return [
            length for begin, length in spans if not any(begin - BEFORE < at < begin + length + AFTER for at in stalls)
        ]
