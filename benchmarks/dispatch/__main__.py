"""Simulation of dispatch: prints its tables; ``--rst`` writes them and the picture into docs/scaling.rst."""

from __future__ import annotations

import argparse
from random import Random

from benchmarks.dispatch.chart import chart
from benchmarks.dispatch.policies import POLICIES
from benchmarks.dispatch.simulation import Outcome, simulate, unevenness
from benchmarks.document import write_part
from benchmarks.table import table
from benchmarks.venv import ROOT

SCALING = ROOT / "docs" / "scaling.rst"
PICTURE = ROOT / "docs" / "images" / "dispatch.svg"
OBSERVED = (126_468, 126_908, 126_993, 126_372)
"""What four workers got over a weekend, chosen by chance, in the experiment that the simulation repeats."""
WEEKEND = 2.5 * 86400
EQUAL = (0.01,) * 4
UNEQUAL = (0.01, 0.01, 0.01, 0.03)
"""Seconds that a message takes each worker; the last of the unequal ones is three times slower."""
BURST = 100_000
LOAD = 0.8
"""Share of what all workers can do together that arrives, where a rate is simulated."""


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dispatch", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (1)")
    parser.add_argument("--rst", action="store_true", help="write the tables and the picture")
    given = parser.parse_args()
    burst = {name: simulate(policy, UNEQUAL, BURST, None, Random(given.seed)) for name, policy in POLICIES.items()}
    rate = LOAD * sum(1 / one for one in UNEQUAL)
    stream = {name: simulate(policy, UNEQUAL, BURST, rate, Random(given.seed)) for name, policy in POLICIES.items()}
    texts = [
        f"{sum(OBSERVED):,} messages, four equal workers:",
        _weekend(given.seed),
        f"{BURST:,} messages that are there at once, three workers of 10 ms a message and one of 30 ms:",
        _table(burst),
        f"The same workers, {BURST:,} messages that arrive at {rate:.0f} a second, {LOAD:.0%} of what they can do:",
        _table(stream),
    ]
    print("\n\n".join(texts))
    if given.rst:
        write_part("the simulation", "\n\n".join(texts), SCALING)
        makespans = {name: outcome.makespan for name, outcome in burst.items()}
        title = f"{BURST:,} messages, four workers, one of them three times slower"
        PICTURE.write_text(chart(title, makespans, next(iter(burst.values())).ideal))


def _weekend(seed: int) -> str:
    count = sum(OBSERVED)
    rows = [["observed", *_split(OBSERVED)]]
    for name, policy in POLICIES.items():
        rows.append([name, *_split(simulate(policy, EQUAL, count, count / WEEKEND, Random(seed)).messages)])
    return table(["", *(f"worker {number}" for number in range(len(EQUAL))), "chi-squared"], rows)


def _split(messages: list[int] | tuple[int, ...]) -> list[str]:
    return [*(f"{one:,}" for one in messages), f"{unevenness(messages):.2f}"]


def _table(outcomes: dict[str, Outcome]) -> str:
    heading = ["", "of the slow worker", "makespan", "of the ideal", "wait p50", "wait p99"]
    rows = []
    for name, outcome in outcomes.items():
        share = f"{outcome.messages[-1] / sum(outcome.messages):.1%}"
        p50, p99 = (outcome.waits[int(len(outcome.waits) * part)] for part in (0.5, 0.99))
        ratio = f"{outcome.makespan / outcome.ideal:.2f}"
        rows.append([name, share, f"{outcome.makespan:,.1f} s", ratio, f"{p50:,.3f} s", f"{p99:,.3f} s"])
    return table(heading, rows)


if __name__ == "__main__":
    main()
