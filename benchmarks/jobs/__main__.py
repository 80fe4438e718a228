"""Benchmark program of the job queue beside procrastinate and TheSchwartz: measures, prints tables, and writes them
into docs/performance.rst with ``--rst``."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.document import REPORT, write_part
from benchmarks.jobs.results import Rounds, Values, marks, percentile, spread
from benchmarks.jobs.server import PostgreSQLServer
from benchmarks.jobs.systems import JobQueue, queues, versions
from benchmarks.machine import machine, parsed_on_a_disk
from benchmarks.stalls import StallWatch
from benchmarks.table import table
from benchmarks.venv import ROOT

PART = "the measured part of jobs"
RATE = 100.0
"""Jobs per second while latencies are measured."""
MEASURES = ("insert", "bulk", "work", "work-singly", "wait")


def options() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (5)")
    parser.add_argument("--scale", type=float, default=1.0, help="a share of the jobs, for a quick look (1.0)")
    parser.add_argument("--only", choices=queues(1.0), nargs="+", metavar="QUEUE", help="some of the queues")
    parser.add_argument("--measures", choices=MEASURES, nargs="+", default=MEASURES, help="some of the measures")
    parser.add_argument("--server", default="", help="options of PostgreSQL, such as '-c fsync=off'; they are told")
    parser.add_argument("--rst", action="store_true", help=f"write the tables into {REPORT.relative_to(ROOT)}")
    return parsed_on_a_disk(parser)


def measured(queue: JobQueue, measure: str, dsn: str) -> Values:
    """Values of one measurement, on an empty database."""
    count = queue.jobs[measure]
    if measure in ("work", "work-singly"):
        queue.run("bulk", dsn, count)
    if measure != "wait":
        return {"rate": float(queue.run(measure, dsn, count)["rate"])}
    worker = queue.begin("wait", dsn, count)
    try:
        assert worker.stdout is not None
        if worker.stdout.readline() != "ready\n":
            raise RuntimeError(f"{queue.name}: its worker did not start: {worker.communicate()[1][-500:]}")
        with StallWatch() as watch:
            queue.run("feed", dsn, count, RATE)
            found = queue.ended(worker)["latencies"]
    finally:
        if worker.poll() is None:
            worker.kill()
            worker.communicate()
    late = sorted(seconds for _, seconds in found)
    calm = sorted(watch.calm(found))
    values = {"p50": percentile(late, 50), "p99": percentile(late, 99), "calm": len(calm) / len(late)}
    return values | ({"calm p99": percentile(calm, 99)} if calm else {})


def run(
    given: argparse.Namespace, chosen: Sequence[JobQueue], server: PostgreSQLServer, directory: Path
) -> tuple[Rounds, list[str]]:
    """Measure all rounds: each measure of all queues, one after the other, before the next measure."""
    rounds, problems = Rounds(), list[str]()
    for number in range(1, given.rounds + 1):
        for measure in given.measures:
            for queue in [queue for queue in chosen if measure in queue.jobs]:
                place = Path(tempfile.mkdtemp(dir=directory))
                dsn = queue.make(server, place)
                try:
                    values = measured(queue, measure, dsn)
                except RuntimeError as error:
                    problems.append(f"round {number}: {measure}: {error}")
                    print(problems[-1], flush=True)
                    continue
                finally:
                    if dsn.startswith("postgresql"):
                        server.drop(dsn)
                    shutil.rmtree(place)
                rounds.add(number, queue.name, measure, values)
                text = ", ".join(f"{name} {value:,.4g}" for name, value in values.items())
                print(f"round {number}: {measure}: {queue.name}: {text}", flush=True)
    return rounds, problems


def report(rounds: Rounds, chosen: Sequence[JobQueue], given: argparse.Namespace, load: Sequence[float]) -> list[str]:
    """Paragraphs and tables."""
    rows = []
    for queue in chosen:
        worked = rounds.values(queue.name, "work", "rate") or rounds.values(queue.name, "work-singly", "rate")
        late = [
            spread([value * 1000 for value in rounds.values(queue.name, "wait", name)], 1)
            for name in ("p50", "p99", "calm p99")
        ]
        inserted = [spread(rounds.values(queue.name, measure, "rate")) for measure in ("insert", "bulk")]
        rows.append([queue.name, queue.how, *inserted, spread(worked), *late])
    heading = ["queue", "how", "inserted/s", "in bulk/s", "worked/s", "p50 in ms", "p99 in ms", "calm p99"]
    reached = [[mark.wanted, mark.measured, "yes" if mark.met else "**no**"] for mark in marks(rounds)]
    return [
        f"{machine()} The load average was {load[0]:.1f} before and {load[1]:.1f} after.",
        f"Medians of {given.rounds} interleaved rounds, and the least and the most; one process inserts, one works, "
        f"the jobs do nothing. The latency is from before the insert to the start, at {RATE:g} jobs a second. "
        "Calm: without the jobs that came while the machine computed at less than a quarter of its usual speed, by a "
        "fixed computation's processor time:",
        table(heading, rows),
        "The marks; a ratio is the median of the rounds' ratios:",
        table(["wanted", "measured", "met"], reached),
    ]


def main() -> int:
    """Run the program. :returns: the exit code; 1 if a measurement failed."""
    given = options()
    found = queues(given.scale)
    absent = {name: found[name].absent() for name in given.only or found}
    skipped = [f"{name} is skipped: {reason}." for name, reason in absent.items() if reason is not None]
    print("\n".join(skipped), flush=True)
    chosen = [found[name] for name, reason in absent.items() if reason is None]
    before = os.getloadavg()[0]
    directory = Path(tempfile.mkdtemp(prefix="jobs-"))
    directory.chmod(0o755)
    server = PostgreSQLServer(directory / "pg", given.server)
    server.start()
    try:
        rounds, problems = run(given, chosen, server, directory)
        notes = [f"PostgreSQL had the options {given.server}."] * bool(given.server) + skipped + problems
        texts = [*report(rounds, chosen, given, (before, os.getloadavg()[0])), versions(server), *notes]
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
    text = "\n\n".join(texts)
    print("\n" + text)
    kept = ROOT / "benchmarks" / "results"
    kept.mkdir(exist_ok=True)
    (kept / "jobs.json").write_text(json.dumps(rounds.rows(), indent=1))
    if given.rst:
        write_part(PART, text)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
