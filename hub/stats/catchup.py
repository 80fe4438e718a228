"""When a backlog will be gone, and whether it grows: the rule. Pure.

What comes in is ``rate_in``, what the consumer *could* settle is its capacity; it catches up after ``backlog /
(capacity - rate_in)`` seconds. The backlog is the present one; all else is drawn from the samples of the last minute:

**Capacity.** A consumer with nothing to do settles no faster than messages come, so that is no measure of it. While
messages wait for a thread (the *run*: the last samples, at all of which some did) it does what it can: its capacity is
what it settled between the first and the last sample of the run at which something had been settled, so that what is
half done counts neither as work nor as time. Where there is no such run, it is the threads times the messages that they
settled for each second in which one was busy: an estimate.

**rate_in** is taken over the run, without the burst with which it began. Where the last five seconds differ from that
by more than chance, it is taken over these, so that the end of a spike shows; or over twice the longest gap between
two arrivals, for a silence that is no longer than those before it says nothing.

**Noise.** How unevenly messages came and were settled from one sample to the next says how well the difference is
known. What is less than twice its standard error, or 2 % of the rate, is no gain: a quotient of it would be a number
made up.

**Falling behind** is an alarm, so it takes more: messages have waited at every sample for some ten seconds and have
become more, by 2.5 of the standard errors of a whole minute, for they are looked at anew each second and hardly one
look may be wrong; and still more comes than is settled. A consumer with a free thread never falls behind. What there is
would be gone after ``backlog / capacity`` seconds if nothing more came; that is told beside the alarm.

**Drops and purges** are neither work nor arrivals: what was refused on arrival never came, and what was dropped later
says nothing of how fast the consumer is.

**Not known** is what a consumer will do that has settled nothing for ten seconds, or twice as long as it ever took
lately. If more comes meanwhile, it falls behind; one that has settled nothing at all is given a minute. What only waits
for its retry has no time either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Literal

from hub.stats.counters import QueueStats
from hub.stats.samples import Flow, Sample, flow, grown, longest

SPAN = 60
"""Seconds of samples that are kept."""
RECENT = 5.0
"""Seconds over which a rate is taken: long enough to be calm, short enough that the end of a spike shows."""
ENOUGH = 5
"""Intervals from one sample with something settled to the next, below which a time is marked as an estimate."""
STEADY = 0.02
"""A gain below this share of the rate is no gain to reckon with: rates are not that constant."""
CLEAR = 2.0
"""Standard errors above which a gain is one."""
ALARM = 2.5
"""Standard errors of a whole minute above which a backlog that has grown is no chance."""
LASTING = 8.0
"""Seconds that it must have grown. With the samples before and after, that is told after some ten."""
QUIET = 10.0
"""Seconds without anything settled after which nobody knows when there will be, where it never took that long."""

Trend = Literal["idle", "catching_up", "falling_behind", "steady", "unknown"]


@dataclass(frozen=True)
class CatchUp:
    """When the backlog will be gone.

    :ivar seconds: ``None``: not at this rate, or not known yet. ``0.0``: there is none.
    :ivar estimated: drawn from too few samples to rely on.
    :ivar alone: seconds in which the present backlog would be gone if nothing more came; told while it falls behind.
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
    """See the module. :param present: what is told together with it: the backlog may have come or gone since the last
    sample. :param threads: of the consumer."""
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
    """The last ones, at all of which something waited."""
    start = len(samples)
    while start and samples[start - 1].waits:
        start -= 1
    return samples[start:]


def _retries(samples: Sequence[Sample]) -> bool:
    """Whether a retry was all that waited, a moment ago: then it may be what is in hand."""
    return any(sample.stalled for sample in samples if sample.time > samples[-1].time - QUIET)


def _coming(samples: Sequence[Sample]) -> Flow | None:
    """All of it, unless the latest differs from it by more than chance."""
    whole = flow(samples, "entered")
    gap = longest([sample.time for sample in grown(samples, "entered")])
    latest = flow([sample for sample in samples if sample.time >= samples[-1].time - max(RECENT, 2 * gap)], "entered")
    if whole is None or latest is None:
        return whole
    error = sqrt(max(latest.variance, whole.rate * latest.seconds)) / latest.seconds
    return latest if abs(latest.rate - whole.rate) > CLEAR * error else whole


def _quiet(samples: Sequence[Sample]) -> bool:
    """Whether nothing was settled for so long that what was before says nothing any more."""
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
    """Messages a second by which the backlog shrinks, 0 for none, and whether that is drawn from enough."""
    out, came = flow(grown(run, "worked"), "worked"), _coming(run)
    if out is None or came is None:
        return None
    enough = out.intervals >= ENOUGH
    error = sqrt(out.variance / out.seconds**2 + came.variance / came.seconds**2) if enough else 0.0
    gain = out.rate - came.rate
    return (gain if gain > max(STEADY * out.rate, CLEAR * error) else 0.0), enough


def _gain_by_work(samples: Sequence[Sample], run: Sequence[Sample], threads: int) -> float:
    """The same, by how long the threads have worked."""
    came = _coming(run) or _coming(samples[: len(samples) - len(run)])
    busy = samples[-1].busy - samples[0].busy
    if came is None or busy <= 0:
        return 0.0
    begun, left = (min(sample.in_flight, threads) for sample in (samples[0], samples[-1]))
    done = samples[-1].worked - samples[0].worked + (left - begun) / 2  # what is in hand is half done, on average
    capacity = threads * max(0.0, done) / busy
    gain = capacity - came.rate
    return gain if gain > STEADY * capacity else 0.0
