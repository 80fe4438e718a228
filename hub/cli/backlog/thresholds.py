"""Alert thresholds in the notation of the Monitoring Plugins' guidelines. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

_NUMBER = r"-?\d+(?:\.\d+)?"
_RANGE = re.compile(rf"(?P<inside>@?)(?:(?P<low>~|{_NUMBER})?:)?(?P<high>{_NUMBER})?", re.ASCII)


class Level(IntEnum):
    """The result of a check; its number is the exit code of the plugin."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True)
class Range:
    """Range of numbers from ``low`` to ``high``, both included. Numbers outside alert; if ``inside``, those within."""

    low: float
    high: float
    inside: bool = False

    @classmethod
    def parse(cls, text: str) -> Range:
        """Parse ``10`` (0 to 10), ``10:`` (from 10), ``~:10`` (up to 10), ``5:10``, or ``@5:10`` (alert from 5 to 10).

        :raises ValueError: the text is none of these.
        """
        match = _RANGE.fullmatch(text)
        if match is None or text in ("", "@", ":", "@:"):
            raise ValueError(f"expected a range such as 1000, 10:, ~:10 or @5:10, not {text!r}")
        low, high = match["low"], match["high"]
        found = cls(
            float("-inf") if low == "~" else float(low or 0),
            float("inf") if high is None else float(high),
            bool(match["inside"]),
        )
        if found.low > found.high:
            raise ValueError(f"expected a range from a lower to a higher number, not {text!r}")
        return found

    @classmethod
    def above(cls, high: float) -> Range:
        """A range that alerts above ``high``."""
        return cls(0.0, high)

    def alerts(self, number: float) -> bool:
        """Tell whether ``number`` is an alert."""
        return (self.low <= number <= self.high) == self.inside

    def __str__(self) -> str:
        """The shortest notation of the range."""
        high = "" if self.high == float("inf") else plain(self.high)
        low = "~:" if self.low == float("-inf") else f"{plain(self.low)}:" if self.low or not high else ""
        return f"{'@' if self.inside else ''}{low}{high}"


def plain(number: float) -> str:
    """Format a number without exponent and trailing zeros: ``545``, ``12.345``."""
    return f"{number:.3f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Limit:
    """Ranges for warning and critical alerts; ``None``: no alert."""

    warning: Range | None = None
    critical: Range | None = None

    def judge(self, number: float) -> tuple[Level, Range | None]:
        """The level of ``number``, and the range that it violates."""
        if self.critical is not None and self.critical.alerts(number):
            return Level.CRITICAL, self.critical
        if self.warning is not None and self.warning.alerts(number):
            return Level.WARNING, self.warning
        return Level.OK, None
