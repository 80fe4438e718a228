"""Time to catch up: the forecast of a backlog, and the rule for it. Pure.

``rate_in`` is the rate of arrivals, the capacity is the rate that the consumer *could* settle; it catches up after
``backlog / (capacity - rate_in)`` seconds. The backlog is the present one; all else comes from the samples of the last
minute:

**Capacity.** An idle consumer settles no faster than messages arrive, so its rate does not measure the capacity. While
messages wait for a thread (the *run*: the last samples, all with waiting messages), the consumer works at capacity: the
number settled between the first and the last sample of the run at which something had been settled, so that unfinished
work counts neither as work nor as time. Without such a run the capacity is estimated: the number of threads times the
messages settled per busy second.

**rate_in** is taken over the run, without the burst at its beginning. If the last five seconds differ from that by more
than chance, it is taken over these, so that the end of a spike shows; or over twice the longest gap between two
arrivals, because a silence no longer than earlier ones means nothing.

**Noise.** The variation of arrivals and settlements between samples tells how well the difference is known. Below twice
its standard error, or below 2 % of the rate, a gain counts as none: dividing by it would give a meaningless number.

**Falling behind** is an alarm, so it needs more: messages have waited at every sample for some ten seconds, and their
number has grown by 2.5 standard errors of a whole minute (it is tested every second, so false alarms must be rare), and
arrivals still exceed settlements. A consumer with a free thread never falls behind. With the alarm goes the time that
the present backlog would take if nothing more arrived, ``backlog / capacity``.

**Drops and purges** are neither work nor arrivals: messages dropped on arrival never entered the queue, and
later drops say nothing about the speed of the consumer.

**Not known**: the consumer has settled nothing for ten seconds, or for twice its longest recent gap. If messages arrive
meanwhile, it falls behind; a consumer that has settled nothing at all gets a minute. A backlog that only waits for
retries has no forecast either.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

import msgspec

from hub.stats.counters import QueueStats
from hub.stats.samples import Flow, Sample, flow, grown, longest
from hub.status.states import Trend

SPAN = 60
"""Seconds of samples that are kept."""
RECENT = 5.0
"""Seconds over which a rate is taken: long enough to be steady, short enough to show the end of a spike."""
ENOUGH = 5
"""Number of intervals between samples with settlements, below which a forecast is marked as an estimate."""
STEADY = 0.02
"""Share of the rate below which a gain counts as none: rates vary more than that."""
CLEAR = 2.0
"""Standard errors above which a gain counts."""
ALARM = 2.5
"""Standard errors of a whole minute above which the growth of a backlog is not chance."""
LASTING = 8.0
"""Seconds that a backlog must have grown. With the samples before and after, the alarm takes some ten."""
QUIET = 10.0
"""Seconds without a settlement after which the forecast is not known, if gaps were never that long."""


class CatchUp(msgspec.Struct, frozen=True):
    """The forecast of a backlog.

    :ivar seconds: time to catch up; ``None``: never at this rate, or not known. ``0.0``: there is no backlog.
    :ivar estimated: whether there were few samples.
    :ivar alone: seconds that the present backlog would take if nothing more arrived, while the consumer falls behind;
        ``None``: not known.
    """

    seconds: float | None
    estimated: bool
    trend: Trend
    alone: float | None = None


IDLE = CatchUp(0.0, False, "idle")
STEADILY = CatchUp(None, False, "steady")
UNKNOWN = CatchUp(None, False, "unknown")


def catch_up(samples: Sequence[Sample], present: QueueStats, threads: int) -> CatchUp:
    """The forecast, by the rule of this module.

    :param present: current numbers; the backlog may have changed since the last sample.
    :param threads: number of the consumer's threads.
    """
    backlog = present.counters.backlog
    waiting = backlog - present.in_flight
    if not backlog:
        return IDLE
    run, quiet = _run(samples), _quiet(samples)
    if waiting and _falls_behind(run, quiet):
        out = flow(grown(run, "worked"), "worked")
        return CatchUp(None, False, "falling_behind", backlog / out.rate if out is not None and out.count else None)
    if quiet or not grown(samples, "worked"):
        return UNKNOWN
    if waiting == present.delayed and (waiting or _retries(samples)):
        return STEADILY
    known = _gain(run)
    if known is None:
        gain = _gain_by_work(samples, run, threads)
        if gain:
            return CatchUp(backlog / gain, True, "catching_up")
        return UNKNOWN if waiting else STEADILY
    gain, enough = known
    if gain:
        return CatchUp(backlog / gain, not enough or 2 * present.delayed > backlog, "catching_up")
    return STEADILY if enough else UNKNOWN


def _run(samples: Sequence[Sample]) -> Sequence[Sample]:
    """The last samples, as far back as all have waiting messages."""
    start = len(samples)
    while start and samples[start - 1].waits:
        start -= 1
    return samples[start:]


def _retries(samples: Sequence[Sample]) -> bool:
    """Tell whether only retries waited a moment ago: then a retry may be in flight now."""
    return any(sample.stalled for sample in samples if sample.time > samples[-1].time - QUIET)


def _coming(samples: Sequence[Sample]) -> Flow | None:
    """The arrivals of all samples, or of the latest if these differ by more than chance."""
    whole = flow(samples, "entered")
    gap = longest([sample.time for sample in grown(samples, "entered")])
    latest = flow([sample for sample in samples if sample.time >= samples[-1].time - max(RECENT, 2 * gap)], "entered")
    if whole is None or latest is None:
        return whole
    error = sqrt(max(latest.variance, whole.rate * latest.seconds)) / latest.seconds
    return latest if abs(latest.rate - whole.rate) > CLEAR * error else whole


def _quiet(samples: Sequence[Sample]) -> bool:
    """Tell whether nothing was settled for so long that earlier samples no longer count."""
    if not samples:
        return False
    marks = [samples[0].time]
    for before, after in pairwise(samples):
        if after.worked > before.worked or not before.backlog:
            marks.append(after.time)
    limit = max(QUIET, 2 * longest(marks)) if grown(samples, "worked") else SPAN - 1
    return samples[-1].time - marks[-1] >= limit


def _falls_behind(run: Sequence[Sample], quiet: bool) -> bool:
    marks = run if quiet else grown(run, "worked")
    out = flow(marks, "worked")
    if out is None or out.intervals < 2 or out.seconds < LASTING:
        return False
    came = flow(run[run.index(marks[0]) : run.index(marks[-1]) + 1], "entered")
    assert came is not None
    chance = (came.variance + out.variance) * max(1.0, SPAN / out.seconds)
    if came.count - out.count <= ALARM * sqrt(chance):
        return False
    lately = _coming(run)
    assert lately is not None
    return lately.rate > (0.0 if quiet else out.rate)


def _gain(run: Sequence[Sample]) -> tuple[float, bool] | None:
    """Messages per second by which the backlog shrinks, or 0; and whether there were enough samples."""
    out, came = flow(grown(run, "worked"), "worked"), _coming(run)
    if out is None or came is None:
        return None
    enough = out.intervals >= ENOUGH
    error = sqrt(out.variance / out.seconds**2 + came.variance / came.seconds**2) if enough else 0.0
    gain = out.rate - came.rate
    return (gain if gain > max(STEADY * out.rate, CLEAR * error) else 0.0), enough


def _gain_by_work(samples: Sequence[Sample], run: Sequence[Sample], threads: int) -> float:
    """Messages per second by which the backlog shrinks, estimated from the busy time of the threads."""
    came = _coming(run) or _coming(samples[: len(samples) - len(run)])
    busy = samples[-1].busy - samples[0].busy
    if came is None or busy <= 0:
        return 0.0
    begun, left = (min(sample.in_flight, threads) for sample in (samples[0], samples[-1]))
    done = samples[-1].worked - samples[0].worked + (left - begun) / 2  # messages in flight are half done, on average
    capacity = threads * max(0.0, done) / busy
    gain = capacity - came.rate
    return gain if gain > STEADY * capacity else 0.0
