"""Measures, prints the tables, and writes them into docs/performance.rst with ``--rst``."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from benchmarks.flood import Flood, flood
from benchmarks.measure import Result, measure
from benchmarks.systems import ROOT, Run
from benchmarks.table import Medians, latency, marks, table, throughput

COUNTS = {
    ("bare", 1): 250_000,
    ("bare", 4): 100_000,
    ("bare", 16): 30_000,
    ("moksha", 1): 100_000,
    ("moksha", 4): 30_000,
    ("moksha", 16): 10_000,
    ("hubbub", 1): 400_000,
    ("hubbub", 4): 200_000,
    ("hubbub", 16): 60_000,
}
"""Messages in a throughput run: some two seconds' worth of each."""
SIZES = (475, 2000)
LATENCY = ((120.0, 5.0), (5000.0, 5.0))
"""Messages per second, and for how many seconds."""
REPORT = ROOT / "docs" / "performance.rst"
BEGIN, END = ".. begin of the measured part", ".. end of the measured part"


def plan(scale: float) -> Iterator[Run]:
    """One round. The systems take turns, so that all meet the machine in the same mood."""
    for size in SIZES:
        for consumers in (1, 4, 16):
            for system in ("bare", "moksha", "hubbub"):
                count = int(COUNTS[system, consumers] * scale)
                yield Run(system, consumers, count // 2 if size > 1000 else count, size)
    for rate, seconds in LATENCY:
        for consumers in (1, 4, 16):
            for system in ("moksha", "hubbub"):
                yield Run(system, consumers, int(rate * seconds * max(scale, 0.2)), 475, rate)


def machine() -> str:
    """Where, and with what, this was measured."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    cores = sum(line.startswith("processor") for line in Path("/proc/cpuinfo").read_text().splitlines())
    parts = ", ".join(f"{name} {version(name)}" for name in ("Twisted", "pyzmq", "msgspec"))
    return f"{cores} cores of {model}, Linux {platform.release()}, Python {platform.python_version()}, {parts}."


def report(results: list[Result], flooded: Flood | None, rounds: int) -> str:
    """All tables."""
    medians, runs = Medians(results), [result.run for result in results]
    reached = [[mark.wanted, mark.measured, "yes" if mark.met else "**no**"] for mark in marks(medians)]
    texts = [
        machine() + f" Medians of {rounds} interleaved rounds.",
        "Throughput, and processor time per message:",
        throughput(medians, runs),
        "Latency, from the publisher's stamp to ``consume``:",
        latency(medians, runs),
        "The marks:",
        table(["wanted", "measured", "met"], reached),
    ]
    if flooded is not None:
        mib = 1 << 20
        texts.append(
            f"A flood of {flooded.sent:,} messages meets a consumer that takes a minute for each: the memory goes "
            f"from {flooded.before / mib:.0f} to at most {flooded.peak / mib:.0f} MiB; {flooded.backlog:,} wait, "
            f"{flooded.dropped:,} are dropped and counted, {flooded.sent - flooded.received:,} unaccounted for."
        )
    return "\n\n".join(texts)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (3)")
    parser.add_argument("--scale", type=float, default=1.0, help="a share of the messages, for a quick look (1.0)")
    parser.add_argument("--only", choices=("bare", "moksha", "hubbub"), help="one system only")
    parser.add_argument("--no-flood", action="store_true", help="leave the flood out")
    parser.add_argument("--rst", action="store_true", help=f"write the tables into {REPORT.relative_to(ROOT)}")
    options = parser.parse_args()
    results: list[Result] = []
    for number in range(options.rounds):
        for run in plan(options.scale):
            if options.only in (None, run.system):
                result = measure(run)
                results.append(result)
                tail = f", p99 {result.p99:.2f} ms" if result.p99 is not None else f", {result.cpu:.1f} us"
                place = f"round {number + 1}: {run.system} {run.consumers} x {run.size} B at {run.rate:g}/s"
                print(f"{place}: {result.rate:,.0f}/s{tail}", flush=True)
    text = report(results, None if options.no_flood else flood(), options.rounds)
    print("\n" + text)
    kept = ROOT / "benchmarks" / "results"
    kept.mkdir(exist_ok=True)
    (kept / "latest.json").write_text(json.dumps([result.as_json() for result in results], indent=1))
    if options.rst:
        before, _, rest = REPORT.read_text().partition(BEGIN)
        REPORT.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
