"""When a backlog stood out: since when, how high, until when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

MOST = 100
"""Spikes of a queue that are kept; the oldest goes for a new one."""
MOST_QUEUES = 256
OVER = 10
"""A spike is over at this fraction of where it began: one that wavers about one number would be a hundred spikes."""


class Spike(msgspec.Struct):
    """Times are the epoch's, in seconds. ``cleared_at``: ``None`` while it lasts."""

    started_at: float
    peak: int
    peak_at: float
    cleared_at: float | None = None


class Spikes:
    """:param begin: the backlog at which one begins."""

    def __init__(self, begin: int) -> None:
        self._begin = begin
        self._spikes: dict[str, list[Spike]] = {}

    def sample(self, time: float, consumers: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Spike]]:
        """Note what there is now. :returns: the spikes that changed, each with its queue's name."""
        changed = []
        for name, row in consumers.items():
            spike = self._sample(name, time, row["backlog"])
            if spike is not None:
                changed.append((name, spike))
        for name in self._spikes.keys() - consumers.keys():
            spike = self._lasting(name)
            if spike is not None:
                spike.cleared_at = max(time, spike.peak_at)
                changed.append((name, spike))
        return changed

    def of(self, name: str) -> list[Spike]:
        """The newest first."""
        return self._spikes.get(name, [])[::-1]

    def restore(self, spikes: Iterable[tuple[str, Spike]]) -> None:
        """What was kept, before the first sample; the oldest first."""
        for name, spike in spikes:
            self._add(name, spike)

    def _lasting(self, name: str) -> Spike | None:
        spikes = self._spikes.get(name)
        return spikes[-1] if spikes and spikes[-1].cleared_at is None else None

    def _sample(self, name: str, time: float, backlog: int) -> Spike | None:
        spike = self._lasting(name)
        if spike is None:
            if backlog < self._begin:
                return None
            spike = Spike(time, backlog, time)
            self._add(name, spike)
        elif backlog > spike.peak:
            spike.peak, spike.peak_at = backlog, max(time, spike.started_at)
        elif backlog * OVER <= self._begin:
            # A clock that was set back meanwhile would have it end before it began.
            spike.cleared_at = max(time, spike.peak_at)
        else:
            return None
        return spike

    def _add(self, name: str, spike: Spike) -> None:
        if name not in self._spikes and len(self._spikes) >= MOST_QUEUES:
            calm = [other for other in self._spikes if self._lasting(other) is None]
            if not calm:
                return
            del self._spikes[min(calm, key=lambda other: self._spikes[other][-1].started_at)]
        spikes = self._spikes.setdefault(name, [])
        spikes.append(spike)
        del spikes[:-MOST]
