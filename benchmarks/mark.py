"""Marks: the project's performance targets, and whether they are met. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.medians import Medians


@dataclass(frozen=True)
class Mark:
    """Target, measurement, and whether the target is met."""

    wanted: str
    measured: str
    met: bool


def marks(medians: Medians) -> Iterator[Mark]:
    """Marks whose systems were measured."""
    for consumers, wanted in ((1, 0.75), (4, 0.85)):
        yield from _ratio(medians, "hubbub", "memory", consumers, wanted, " of memory")
    for consumers in (1, 4, 16):
        yield from _ratio(medians, "hubbub", "moksha", consumers, 4.0, "x moksha.hub")
    if (p99 := medians.get("hubbub", 4, 475, 120.0, "p99")) is not None:
        yield Mark("hubbub: p99 at 120/s with 4 consumers under 2 ms", f"{p99:.2f} ms", p99 < 2)
    for consumers, wanted in ((1, 5.0), (4, 6.0), (16, 7.0)):
        yield from _ratio(medians, "memory", "moksha", consumers, wanted, "x moksha.hub")
    for rate in (120.0, 5000.0):
        ours = medians.get("memory", 4, 475, rate, "p99")
        theirs = medians.get("moksha", 4, 475, rate, "p99")
        if ours is not None and theirs is not None:
            text = f"memory: p99 at {rate:g}/s with 4 consumers no worse than moksha.hub's"
            text += ", and under 1 ms" if rate > 120 else ""
            met = ours <= theirs and (rate <= 120 or ours < 1)
            yield Mark(text, f"{ours:.2f} ms against {theirs:.2f} ms", met)


def _ratio(medians: Medians, ours: str, theirs: str, consumers: int, wanted: float, unit: str) -> Iterator[Mark]:
    if (ratio := medians.ratio(ours, theirs, consumers, 475)) is not None:
        text = f"{ours}: at least {wanted:g}{unit} with {consumers} consumer{'s' * (consumers > 1)}, 475 B"
        yield Mark(text, f"{ratio:.2f}{unit.split()[0] if unit[0] == 'x' else ''}", ratio >= wanted)
