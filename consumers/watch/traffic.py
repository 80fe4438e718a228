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

    :param patterns: topic patterns. :param window: seconds over which a rate is taken.
    :param start: silence is measured from then on, not from before.
    """

    def __init__(self, patterns: Iterable[str], window: float, start: float) -> None:
        self._compiled = {pattern: compile_pattern(pattern) for pattern in patterns}
        self._window = window
        self._last = dict.fromkeys(self._compiled, start)
        self._counts: dict[str, dict[int, int]] = {pattern: defaultdict(int) for pattern in self._compiled}
        self._known: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def note(self, topic: str, at: float) -> None:
        """Count a message. :param at: when the hub received it."""
        with self._lock:
            for pattern in self._patterns_of(topic):
                self._last[pattern] = max(self._last[pattern], at)
                self._counts[pattern][int(at)] += 1

    def silence(self, pattern: str, now: float) -> float:
        """Seconds since the last message."""
        with self._lock:
            return max(0.0, now - self._last[pattern])

    def rate(self, pattern: str, now: float) -> float:
        """Messages a second, over the window."""
        with self._lock:
            counts = self._counts[pattern]
            for second in [second for second in counts if second <= now - self._window]:
                del counts[second]
            return sum(counts.values()) / self._window

    def _patterns_of(self, topic: str) -> list[str]:
        found = self._known.get(topic)
        if found is None:
            if len(self._known) >= MOST_TOPICS:
                self._known.clear()
            found = [pattern for pattern, compiled in self._compiled.items() if compiled.fullmatch(topic + ".")]
            self._known[topic] = found
        return found
