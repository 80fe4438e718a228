"""What has arrived of the topics that are watched: when last, and how many in the last while."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable

from hub.topics import compile_pattern

MOST_TOPICS = 10_000
"""Topics whose patterns are remembered; beyond it all are looked up anew."""


class Traffic:
    """Counts messages by pattern. Thread-safe. Times are monotonic seconds.

    :param silent: topic patterns whose silence is asked for. :param spike: those whose rate is.
    :param window: seconds over which a rate is taken. :param start: silence is measured from then on, not from before.
    """

    def __init__(self, silent: Iterable[str], spike: Iterable[str], window: float, start: float) -> None:
        self._window = window
        self._last = dict.fromkeys(silent, start)
        self._heard: set[str] = set()
        self._counts: dict[str, dict[int, int]] = {pattern: defaultdict(int) for pattern in spike}
        self._compiled = {pattern: compile_pattern(pattern) for pattern in {**self._last, **self._counts}}
        self._known: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def note(self, topic: str, at: float) -> None:
        """Count a message. :param at: when the hub received it."""
        with self._lock:
            for pattern in self._patterns_of(topic):
                if pattern in self._last:
                    self._last[pattern] = max(self._last[pattern], at)
                    self._heard.add(pattern)
                if pattern in self._counts:
                    self._count(self._counts[pattern], at)

    def silence(self, pattern: str, now: float) -> float:
        """Seconds since the last message, or since the start."""
        with self._lock:
            return max(0.0, now - self._last[pattern])

    def is_heard(self, pattern: str) -> bool:
        """Whether there was a message since the start."""
        with self._lock:
            return pattern in self._heard

    def rate(self, pattern: str, now: float) -> float:
        """Messages a second, over the window."""
        with self._lock:
            counts = self._counts[pattern]
            self._forget(counts, now)
            return sum(counts.values()) / self._window

    def _count(self, counts: dict[int, int], at: float) -> None:
        counts[int(at)] += 1
        if len(counts) > 2 * self._window + 2:  # nobody asks for the rate; twice: so that it costs little
            self._forget(counts, max(counts))

    def _forget(self, counts: dict[int, int], now: float) -> None:
        for second in [second for second in counts if second <= now - self._window]:
            del counts[second]

    def _patterns_of(self, topic: str) -> list[str]:
        found = self._known.get(topic)
        if found is None:
            if len(self._known) >= MOST_TOPICS:
                self._known.clear()
            found = [pattern for pattern, compiled in self._compiled.items() if compiled.fullmatch(topic + ".")]
            self._known[topic] = found
        return found
