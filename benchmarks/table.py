"""Results as tables of reStructuredText, and whether they reach their marks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.measure import Result
from benchmarks.systems import Run

SYSTEMS = ("bare", "moksha", "hubbub")


@dataclass(frozen=True)
class Mark:
    """What is wanted, what was measured, and whether that reaches it."""

    wanted: str
    measured: str
    met: bool


class Medians:
    """The medians of several rounds, by run."""

    def __init__(self, results: Iterable[Result]) -> None:
        self._results: dict[tuple[str, int, int, float], list[Result]] = {}
        for result in results:
            run = result.run
            self._results.setdefault((run.system, run.consumers, run.size, run.rate), []).append(result)

    def get(self, system: str, consumers: int, size: int, rate: float, field: str) -> float | None:
        """The median of a field of :class:`~benchmarks.measure.Result`; ``None`` where it was not measured."""
        results = self._results.get((system, consumers, size, rate), [])
        values = [value for result in results if (value := getattr(result, field)) is not None]
        return median(values) if values else None

    def ratio(self, consumers: int, size: int) -> float | None:
        """hubbub's throughput over moksha's."""
        ours = self.get("hubbub", consumers, size, 0, "rate")
        theirs = self.get("moksha", consumers, size, 0, "rate")
        return ours / theirs if ours and theirs else None


def marks(medians: Medians) -> list[Mark]:
    """The marks that the project sets itself."""
    found = []
    for consumers, wanted in ((1, 5.0), (4, 6.0), (16, 7.0)):
        if (ratio := medians.ratio(consumers, 475)) is not None:
            text = f"{wanted:g}x moksha.hub with {consumers} consumer{'s' * (consumers > 1)}, 475 B"
            found.append(Mark(text, f"{ratio:.1f}x", ratio >= wanted))
    for rate in (120.0, 5000.0):
        ours = medians.get("hubbub", 4, 475, rate, "p99")
        theirs = medians.get("moksha", 4, 475, rate, "p99")
        if ours is not None and theirs is not None:
            text = f"p99 at {rate:g}/s with 4 consumers no worse than moksha.hub's"
            text += ", and under 1 ms" if rate > 120 else ""
            met = ours <= theirs and (rate <= 120 or ours < 1)
            found.append(Mark(text, f"{ours:.2f} ms against {theirs:.2f} ms", met))
    return found


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A simple table."""
    lines = [list(heading), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heading))]
    rule = "  ".join("=" * width for width in widths)
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([rule, texts[0], rule, *texts[1:], rule])


def throughput(medians: Medians, runs: Iterable[Run]) -> str:
    """Messages per second and processor time per message."""
    shapes = sorted({(run.size, run.consumers) for run in runs if not run.latency})
    rows = []
    for size, consumers in shapes:
        cells = [f"{size} B", str(consumers)]
        cells += [_rounded(medians.get(system, consumers, size, 0, "rate")) for system in SYSTEMS]
        ratio = medians.ratio(consumers, size)
        cells.append("-" if ratio is None else f"{ratio:.1f}")
        cells += [_rounded(medians.get(system, consumers, size, 0, "cpu"), 1) for system in SYSTEMS]
        rows.append(cells)
    heading = ["body", "consumers", "bare /s", "moksha /s", "hubbub /s", "hubbub : moksha"]
    return table([*heading, "bare us", "moksha us", "hubbub us"], rows)


def latency(medians: Medians, runs: Iterable[Run]) -> str:
    """Milliseconds from the publisher's stamp to the consumer."""
    shapes = sorted({(run.rate, run.consumers) for run in runs if run.latency})
    rows = []
    for rate, consumers in shapes:
        cells = [f"{rate:g}/s", str(consumers)]
        for system in ("moksha", "hubbub"):
            cells += [_rounded(medians.get(system, consumers, 475, rate, field), 2) for field in ("p50", "p99")]
        rows.append(cells)
    return table(["rate", "consumers", "moksha p50 ms", "moksha p99 ms", "hubbub p50 ms", "hubbub p99 ms"], rows)


def _rounded(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
