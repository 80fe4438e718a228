"""Tallies: how many messages were sent to whom, for a consumer's ``status()``."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import msgspec

from hub.interfaces import Clock
from hub.text import printable

MOST_REMEMBERED = 1000
"""Destinations with numbers of their own; those of the least recently used are forgotten, but for the sums."""
MOST_SHOWN = 10
LONGEST_NAME = 80
"""Characters of a name that is shown: the hub shows 4096 bytes of a consumer's own status."""


class Count(msgspec.Struct):
    """Numbers of one destination.

    :ivar sent: messages that it accepted. :ivar temporary: attempts that failed for a reason that passes.
    :ivar for_good: messages that it refused. :ivar last: epoch seconds at which it accepted the last one.
    """

    sent: int = 0
    temporary: int = 0
    for_good: int = 0
    last: float = 0.0


class Tally:
    """Counts what was sent, by destination. Thread-safe; nothing in it waits. :param wall: epoch seconds."""

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._lock = threading.Lock()
        self._total = Count()
        self._left_out = 0
        self._counts: OrderedDict[str, Count] = OrderedDict()

    def sent(self, name: str) -> None:
        """Count a message that the destination accepted."""
        with self._lock:
            for count in (self._total, self._of(name)):
                count.sent += 1
                count.last = self._wall()

    def temporary(self, name: str) -> None:
        """Count an attempt that failed for a reason that passes."""
        with self._lock:
            for count in (self._total, self._of(name)):
                count.temporary += 1

    def for_good(self, name: str) -> None:
        """Count a message that the destination refused."""
        with self._lock:
            for count in (self._total, self._of(name)):
                count.for_good += 1

    def left_out(self) -> None:
        """Count a message that the filter does not want."""
        with self._lock:
            self._left_out += 1

    def status(self) -> dict[str, Any]:
        """The sums, and the destinations that were used last, JSON-able, at most 2 KiB."""
        with self._lock:
            shown = list(reversed(self._counts))[:MOST_SHOWN]
            return {
                **msgspec.to_builtins(self._total),
                "left_out": self._left_out,
                "destinations": {name: msgspec.to_builtins(self._counts[name]) for name in shown},
            }

    def _of(self, name: str) -> Count:
        name = printable(name)[:LONGEST_NAME]
        count = self._counts.pop(name, None) or Count()
        self._counts[name] = count
        if len(self._counts) > MOST_REMEMBERED:
            self._counts.popitem(last=False)
        return count
