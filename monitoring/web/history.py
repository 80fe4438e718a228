"""Backlog and rates of all queues over time, from seconds to a month. Pure: time and numbers are given to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.monitoring.web.ring import TIERS, Ring, Sums, Tier

MOST = 256
"""Queues that are kept apart; one more takes the place of the one that was gone longest, or has no history."""


@dataclass(frozen=True)
class Row:
    """A finished bucket, to be kept on the disk: each queue's :meth:`Sums.numbers`."""

    step: int
    bucket: int
    queues: Mapping[str, Sequence[float]]

    @property
    def time(self) -> int:
        """Epoch seconds at which it begins."""
        return self.bucket * self.step


@dataclass(frozen=True)
class View:
    """A part of the history, copied, so that another thread may write it out.

    :param first: the first bucket of ``step`` seconds; ``count`` of them.
    """

    step: int
    first: int
    count: int
    rings: Mapping[str, Ring]

    def document(self) -> dict[str, Any]:
        """JSON-able: ``None`` where nothing is known."""
        consumers = {name: ring.columns(self.first, self.count) for name, ring in self.rings.items()}
        return {"step": self.step, "start": self.first * self.step, "consumers": consumers}


@dataclass
class _Series:
    """A queue. ``seen``: epoch seconds."""

    rings: list[Ring]
    seen: float


@dataclass
class _Open:
    """The bucket of a tier that is being filled."""

    bucket: int = -1
    sums: dict[str, Sums] = field(default_factory=dict)


class History:
    """Rates are of the counters' growth, not smoothed. What left is what came less what is there, so the rates are the
    slopes of the backlog, whatever became of the messages.

    :ivar time: of the last sample, epoch seconds; ``None``: there was none.
    """

    def __init__(self, tiers: Sequence[Tier] = TIERS) -> None:
        self.time: float | None = None
        self._tiers = tiers
        self._series: dict[str, _Series] = {}
        self._open = [_Open() for _ in tiers]
        self._before: dict[str, tuple[float, int, int]] = {}

    def sample(self, time: float, moment: float, consumers: Mapping[str, Mapping[str, Any]]) -> list[Row]:
        """Note what there is now. Once a second.

        :param time: epoch seconds; may jump. :param moment: monotonic seconds.
        :param consumers: of the status.
        :returns: the buckets that are finished by it.
        """
        self.time = time
        finished = self._turn(time)
        points = {name: self._point(name, moment, row) for name, row in consumers.items()}
        for name, point in points.items():
            series = self._series_of(name, time)
            if series is None:
                continue
            series.seen = time
            for current, ring in zip(self._open, series.rings, strict=True):
                sums = current.sums.get(name)
                if sums is None:
                    sums = current.sums[name] = Sums()
                sums.add(point)
                ring.put(current.bucket, sums)
        self._before = {name: before for name, before in self._before.items() if name in points}
        if any(row.step == self._tiers[-1].step for row in finished):
            self._forget(time)
        return finished

    def close(self) -> list[Row]:
        """What is still open of the finest buckets; the others are made of these when they are restored."""
        current = self._open[0]
        return [self._row(0, current)] if current.sums else []

    def restore(self, rows: Iterable[Row], now: float) -> list[Row]:
        """What was kept, before the first sample. Rows of a time to come are left out: their clock was wrong.

        :param rows: in the order of their time, per step.
        :param now: epoch seconds.
        :returns: buckets that had not been finished, made of finer ones, to be kept.
        """
        self.time = now
        kept: dict[int, list[Row]] = {tier.step: [] for tier in self._tiers}
        for row in rows:
            if row.step in kept and row.time <= now:
                kept[row.step].append(row)
        made: list[Row] = []
        for number, tier in enumerate(self._tiers):
            if number:
                made += self._completed(number, kept, tier.bucket(now))
            for row in kept[tier.step][-tier.length :]:
                self._put(number, row)
        return made

    def names(self) -> list[str]:
        """Of all queues that have a history."""
        return list(self._series)

    def view(self, span: int, names: Iterable[str]) -> View:
        """The last ``span`` seconds of these queues, by the finest tier that has them."""
        number = next((n for n, tier in enumerate(self._tiers) if tier.span >= span), len(self._tiers) - 1)
        tier = self._tiers[number]
        count = max(1, min(tier.length, -(-span // tier.step)))
        last = tier.bucket(self.time or 0.0)
        rings = {name: self._series[name].rings[number].copy() for name in names}
        return View(tier.step, last - count + 1, count, rings)

    def _turn(self, time: float) -> list[Row]:
        """Begin the buckets of this moment."""
        finished = []
        for number, tier in enumerate(self._tiers):
            bucket, current = tier.bucket(time), self._open[number]
            if bucket != current.bucket:
                if current.sums:
                    finished.append(self._row(number, current))
                self._open[number] = _Open(bucket)
        return finished

    def _row(self, number: int, current: _Open) -> Row:
        queues = {name: sums.numbers() for name, sums in current.sums.items()}
        return Row(self._tiers[number].step, current.bucket, queues)

    def _point(self, name: str, moment: float, row: Mapping[str, Any]) -> Sums:
        backlog, received = row["backlog"], row["received"]
        settled = received - backlog
        before = self._before.get(name)
        self._before[name] = (moment, received, settled)
        point = Sums(1, backlog, backlog)
        # Counters that fell are another queue's of the same name.
        if before is not None and moment > before[0] and received >= before[1] and settled >= before[2]:
            point.seconds = moment - before[0]
            point.received = received - before[1]
            point.settled = settled - before[2]
        return point

    def _series_of(self, name: str, time: float) -> _Series | None:
        found = self._series.get(name)
        if found is None:
            if len(self._series) >= MOST:
                oldest = min(self._series, key=lambda other: self._series[other].seen)
                if self._series[oldest].seen > time - 2:
                    return None
                del self._series[oldest]
            found = self._series[name] = _Series([Ring(tier.length) for tier in self._tiers], time)
        return found

    def _forget(self, now: float) -> None:
        """Queues that are gone, and so long that nothing of them is left to be seen."""
        gone = [name for name, series in self._series.items() if series.seen < now - self._tiers[-1].span]
        for name in gone:
            del self._series[name]

    def _completed(self, number: int, kept: dict[int, list[Row]], current: int) -> list[Row]:
        """The buckets after the last one that was kept, of the finer ones; the one of this moment stays open."""
        finer, tier = self._tiers[number - 1], self._tiers[number]
        last = kept[tier.step][-1].bucket if kept[tier.step] else -1
        sums: dict[int, dict[str, Sums]] = {}
        for row in kept[finer.step]:
            bucket = row.time // tier.step
            if bucket > last:
                for name, numbers in row.queues.items():
                    sums.setdefault(bucket, {}).setdefault(name, Sums()).add(Sums(*numbers))
        made = [self._row(number, _Open(bucket, sums[bucket])) for bucket in sorted(sums)]
        kept[tier.step] += made
        if current in sums:
            self._open[number] = _Open(current, sums[current])
        return [row for row in made if row.bucket != current]

    def _put(self, number: int, row: Row) -> None:
        for name, numbers in row.queues.items():
            series = self._series_of(name, row.time)
            if series is not None:
                series.seen = max(series.seen, row.time)
                series.rings[number].put(row.bucket, Sums(*numbers))
