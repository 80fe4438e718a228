"""Benchmark program: measures, prints tables, and writes them into docs/performance.rst with ``--rst``."""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.brokers.catalogue import CATALOGUE
from benchmarks.document import REPORT, write_part
from benchmarks.flood import Flood, flood
from benchmarks.machine import machine, parsed_on_a_disk
from benchmarks.mark import marks
from benchmarks.measure import Result, measure
from benchmarks.medians import Medians
from benchmarks.plan import plan
from benchmarks.systems import SYSTEMS, Run
from benchmarks.table import flat_out, latency, table
from benchmarks.venv import BROKERS, ROOT

PART = "the measured part"


def report(results: list[Result], rounds: int) -> list[str]:
    """Lines of all tables."""
    medians = Medians(results)
    reached = [[mark.wanted, mark.measured, "yes" if mark.met else "**no**"] for mark in marks(medians)]
    brokers = [CATALOGUE[system] for system in medians.systems() if system in CATALOGUE]
    texts = [machine() + f" Medians of {rounds} interleaved rounds."]
    if brokers:
        rows = [[broker.name, f"{broker.package} {broker.version()}", broker.how] for broker in brokers]
        texts += ["The brokers:", table(["name", "server", "how"], rows)]
        texts += [f"Their clients: {', '.join(BROKERS.requires)}."]
    texts += ["Throughput, messages per second:", flat_out(medians, "rate", 0)]
    texts += ["Processor time per message, in us; a broker's own is in it:", flat_out(medians, "cpu", 1)]
    texts += ["Latency, from the publisher's stamp to the consumer, p50 / p99 in ms:", latency(medians)]
    if reached:
        texts += ["The marks:", table(["wanted", "measured", "met"], reached)]
    return texts


def described(flooded: Flood) -> str:
    """Sentence about a flood's result."""
    mib = 1 << 20
    return (
        f"A flood of {flooded.sent:,} messages meets a consumer that takes a minute for each: the memory goes "
        f"from {flooded.before / mib:.0f} to at most {flooded.peak / mib:.0f} MiB; {flooded.backlog:,} wait, "
        f"{flooded.dropped:,} are dropped and counted, {flooded.sent - flooded.received:,} unaccounted for."
    )


def chosen(only: list[str] | None) -> tuple[list[str], list[str]]:
    """Systems to measure, and a message for each that can't be measured here."""
    systems, skipped = [], []
    for system in only or SYSTEMS:
        reason = CATALOGUE[system].absent() if system in CATALOGUE else None
        if reason is None:
            systems.append(system)
        else:
            skipped.append(f"{system} is skipped: {reason}.")
            print(skipped[-1], flush=True)
    return systems, skipped


def measured(run: Run, place: str, problems: list[str]) -> list[Result]:
    """Result of one run, or none and one more problem: a failed run does not end the others."""
    line = f"{place}: {run.system} {run.consumers} x {run.size} B at {run.rate:g}/s"
    try:
        result = measure(run)
    except RuntimeError as error:
        print(f"{line}: {error}", flush=True)
        problems.append(f"{line} failed: {str(error).splitlines()[0]}.")
        return []
    tail = f", p99 {result.p99:.2f} ms" if result.p99 is not None else f", {result.cpu:.1f} us"
    print(f"{line}: {result.rate:,.0f}/s{tail}", flush=True)
    return [result]


def options() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (3)")
    parser.add_argument("--scale", type=float, default=1.0, help="a share of the messages, for a quick look (1.0)")
    parser.add_argument("--only", choices=SYSTEMS, nargs="+", metavar="SYSTEM", help=f"some of {', '.join(SYSTEMS)}")
    parser.add_argument("--no-flood", action="store_true", help="leave the flood out")
    parser.add_argument("--rst", action="store_true", help=f"write the tables into {REPORT.relative_to(ROOT)}")
    return parsed_on_a_disk(parser)


def main() -> int:
    """Run the program. :returns: the exit code; 1 if any run failed."""
    given = options()
    systems, skipped = chosen(given.only)
    results: list[Result] = []
    problems: list[str] = []
    for number in range(given.rounds):
        for run in plan(given.scale, systems):
            results += measured(run, f"round {number + 1}", problems)
    texts = report(results, given.rounds) + skipped + problems
    if not given.no_flood:
        texts.append(described(flood()))
    text = "\n\n".join(texts)
    print("\n" + text)
    kept = ROOT / "benchmarks" / "results"
    kept.mkdir(exist_ok=True)
    (kept / "latest.json").write_text(json.dumps([result.as_json() for result in results], indent=1))
    if given.rst:
        write_part(PART, text)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
