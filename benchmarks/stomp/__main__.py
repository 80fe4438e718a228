"""Benchmark program of STOMP: measures, prints tables, and writes them into docs/performance.rst with ``--rst``."""

from __future__ import annotations

import argparse
import json
import os
import sys

from benchmarks.document import REPORT, write_part
from benchmarks.machine import parsed_on_a_disk
from benchmarks.stomp.report import report
from benchmarks.stomp.results import Results
from benchmarks.stomp.round import Round
from benchmarks.stomp.scenario import AT_A_RATE, FLAT_OUT
from benchmarks.stomp.servers import SERVERS
from benchmarks.venv import ROOT

PART = "the measured part of STOMP"
SCENARIOS = {scenario.key: scenario for scenario in (*FLAT_OUT, *AT_A_RATE)}


def options() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stomp", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (5)")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each measurement (4)")
    parser.add_argument("--only", choices=SERVERS, nargs="+", metavar="SERVER", help=f"some of {', '.join(SERVERS)}")
    parser.add_argument(
        "--scenarios", choices=SCENARIOS, nargs="+", metavar="NAME", help=f"some of {', '.join(SCENARIOS)}"
    )
    parser.add_argument("--no-idle", action="store_true", help="leave the idle connections out")
    parser.add_argument("--rst", action="store_true", help=f"write the tables into {REPORT.relative_to(ROOT)}")
    return parsed_on_a_disk(parser)


def main() -> int:
    """Run the program. :returns: the exit code; 1 if a measurement failed."""
    given = options()
    absent = {name: SERVERS[name].absent() for name in given.only or SERVERS}
    servers = [name for name, reason in absent.items() if reason is None]
    problems = [f"{name} is skipped: {reason}." for name, reason in absent.items() if reason is not None]
    print("\n".join(problems), flush=True)
    skipped, results, before = len(problems), Results(), os.getloadavg()[0]
    scenarios = [SCENARIOS[key] for key in given.scenarios or SCENARIOS]
    for number in range(1, given.rounds + 1):
        Round(number, given.seconds, results, problems).run(servers, scenarios, not given.no_idle)
    load = before, os.getloadavg()[0]
    text = "\n\n".join(report(results, servers, given.rounds, given.seconds, load) + problems)
    print("\n" + text)
    kept = ROOT / "benchmarks" / "results"
    kept.mkdir(exist_ok=True)
    (kept / "stomp.json").write_text(json.dumps([*results.rows()], indent=1))
    if given.rst:
        write_part(PART, text)
    return 1 if len(problems) > skipped else 0


if __name__ == "__main__":
    sys.exit(main())
