"""Spikes of backlogs: their start, peak and end. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

OVER = 10
"""Divisor of the starting backlog at which a spike ends: with equal limits a wavering backlog would be a hundred
spikes."""


class Spike(msgspec.Struct, frozen=True):
    """Spike of a backlog. Times are epoch seconds; ``cleared_at`` is ``None`` while it lasts."""

    started_at: float
    peak: int
    peak_at: float
    cleared_at: float | None = None


class Spikes:
    """Lasting spikes. :param begin: the backlog at which a spike begins."""

    def __init__(self, begin: int) -> None:
        self._begin = begin
        self._lasting: dict[str, Spike] = {}

    def restore(self, lasting: Mapping[str, Spike]) -> None:
        """Continue lasting spikes after a restart. Call it before the first sample."""
        self._lasting.update(lasting)

    def sample(self, time: float, consumers: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Spike]]:
        """Add the current backlogs. :returns: the spikes that changed, each with its queue's name."""
        backlogs = {**dict.fromkeys(self._lasting, 0), **{name: row["backlog"] for name, row in consumers.items()}}
        return list(self._changed(time, backlogs))

    def _changed(self, time: float, backlogs: Mapping[str, int]) -> Iterator[tuple[str, Spike]]:
        for name, backlog in backlogs.items():
            spike = self._lasting.get(name)
            if spike is None and backlog >= self._begin:
                spike = Spike(time, backlog, time)
            elif spike is not None and backlog > spike.peak:
                spike = msgspec.structs.replace(spike, peak=backlog, peak_at=max(time, spike.started_at))
            elif spike is not None and backlog * OVER <= self._begin:
                # A clock that was set back meanwhile would have it end before it began.
                del self._lasting[name]
                yield name, msgspec.structs.replace(spike, cleared_at=max(time, spike.peak_at))
                continue
            else:
                continue
            self._lasting[name] = spike
            yield name, spike
