"""Tables of results in reStructuredText. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.medians import Medians


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines of a simple table."""
    lines = [list(heading), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heading))]
    rule = "  ".join("=" * width for width in widths)
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([rule, texts[0], rule, *texts[1:], rule])


def flat_out(medians: Medians, field: str, digits: int) -> str:
    """Table of one field of the throughput runs, with a column for each system."""
    systems = medians.systems()
    rows = []
    for size, rate, consumers in medians.shapes():
        if not rate:
            cells = [_rounded(medians.get(system, consumers, size, 0, field), digits) for system in systems]
            rows.append([f"{size} B", str(consumers), *cells])
    return table(["body", "consumers", *systems], rows)


def latency(medians: Medians) -> str:
    """Table of latencies in milliseconds, from the publisher's stamp to the consumer, with a column for each system."""
    systems = [system for system in medians.systems() if system != "bare"]
    rows = []
    for size, rate, consumers in medians.shapes():
        if rate:
            pairs = [
                [medians.get(system, consumers, size, rate, field) for field in ("p50", "p99")] for system in systems
            ]
            cells = ["-" if None in pair else " / ".join(_rounded(value, 2) for value in pair) for pair in pairs]
            rows.append([f"{rate:g}/s", str(consumers), *cells])
    return table(["rate", "consumers", *systems], rows)


def _rounded(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
