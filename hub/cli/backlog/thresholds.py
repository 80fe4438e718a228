"""When a number is worth an alert, as the Monitoring Plugins' guidelines write it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

_NUMBER = r"-?\d+(?:\.\d+)?"
_RANGE = re.compile(rf"(?P<inside>@?)(?:(?P<low>~|{_NUMBER})?:)?(?P<high>{_NUMBER})?", re.ASCII)


class Level(IntEnum):
    """What a check found; its number is the exit code of the plugin."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True)
class Range:
    """The numbers from ``low`` to ``high``, both included, are good; or are bad, if ``inside``."""

    low: float
    high: float
    inside: bool = False

    @classmethod
    def parse(cls, text: str) -> Range:
        """``10``: 0 to 10. ``10:``: from 10. ``~:10``: up to 10. ``5:10``. ``@5:10``: an alert from 5 to 10.

        :raises ValueError: it is none of these.
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
        """An alert for more than that."""
        return cls(0.0, high)

    def alerts(self, number: float) -> bool:
        """Whether that number is a bad one."""
        return (self.low <= number <= self.high) == self.inside

    def __str__(self) -> str:
        """As it is written, in the shortest way."""
        high = "" if self.high == float("inf") else plain(self.high)
        low = "~:" if self.low == float("-inf") else f"{plain(self.low)}:" if self.low or not high else ""
        return f"{'@' if self.inside else ''}{low}{high}"


def plain(number: float) -> str:
    """Without an exponent, and without needless digits: ``545``, ``12.345``."""
    return f"{number:.3f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Limit:
    """When a number is a warning and when it is critical; ``None``: it never is."""

    warning: Range | None = None
    critical: Range | None = None

    def judge(self, number: float) -> tuple[Level, Range | None]:
        """How bad that number is, and which range says so."""
        if self.critical is not None and self.critical.alerts(number):
            return Level.CRITICAL, self.critical
        if self.warning is not None and self.warning.alerts(number):
            return Level.WARNING, self.warning
        return Level.OK, None
