"""Comparison of this build with another one, in turns: throughput, processor time, memory, and the cost of commands.

``python -m benchmarks.beside OTHER``: OTHER is the ``hubbub`` command of the other build, in a virtual environment of
its own. Each figure is a median, and its ratio that of the pairs that ran one after the other. Processor time is what
counts on a machine that others use, too. Commands and idle hubs have their bytecode, as where pip installed them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from benchmarks.machine import machine
from benchmarks.measure import Result, measure
from benchmarks.plan import COUNTS, SIZE
from benchmarks.processes import bytecode, free_port, resident_bytes
from benchmarks.systems import HUBBUB, OURS, Run
from benchmarks.table import table

CONSUMERS = (1, 4, 16)
RATE, SECONDS = 120.0, 10.0
"""Messages per second of the runs at a low rate, and their length."""
COMMANDS = (["--help"], ["status"], ["check-backlog"])
MANY = 200
KIB = 1024

Environment = dict[str, str]
Pair = tuple[float, float]
"""Figures of the other build and of this one."""


@contextmanager
def idle_hub(hubbub: Path, consumers: int, environment: Environment) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Start a hub that receives no messages. Yields it, once it is ready, and its configuration file."""
    with tempfile.TemporaryDirectory(prefix="hubbub-bench-") as directory:
        file, log = Path(directory, "hub.conf"), Path(directory, "log")
        lines = ["[hub]", f'state_dir = "{directory}/state"']
        lines += ["[backends.bus]", 'type = "zeromq"', f'connect = ["tcp://127.0.0.1:{free_port()}"]']
        for number in range(consumers):
            lines += [f"[consumers.c{number}]", 'type = "log"']
        file.write_text("\n".join(lines) + "\n")
        with log.open("wb") as output:
            hub = subprocess.Popen([hubbub, "run", "-c", file], stdout=output, stderr=output, env=environment)
        try:
            deadline = time.monotonic() + 60
            while b"is ready" not in log.read_bytes():
                if hub.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(log.read_text(errors="replace")[-2000:])
                time.sleep(0.05)
            yield hub, file
        finally:
            hub.terminate()
            hub.wait()


def idle_memory(hubbub: Path, consumers: int, environment: Environment) -> float:
    """Memory of an idle hub in KiB, two seconds after its start."""
    with idle_hub(hubbub, consumers, environment) as (hub, _):
        time.sleep(2.0)
        return resident_bytes(hub.pid) / KIB


def command_cost(command: list[str], file: Path, environment: Environment) -> tuple[float, float]:
    """Processor time of a command in milliseconds, and its peak memory in KiB."""
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere, cwd=file.parent, env=environment)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return (usage.ru_utime + usage.ru_stime) * 1000, float(usage.ru_maxrss)


def in_turns(rounds: int, measured: Callable[[int], float]) -> list[Pair]:
    """Pairs of both builds; every other round begins with this one. :param measured: by 0, the other, or 1, this."""
    found = []
    for number in range(rounds):
        first = number % 2
        one, two = measured(first), measured(1 - first)
        found.append((one, two) if first == 0 else (two, one))
    return found


def row(what: str, pairs: list[Pair], digits: int = 0) -> list[str]:
    """Row of a table."""
    sides = [median(side) for side in zip(*pairs, strict=True)]
    ratio = median(this / other for other, this in pairs)
    cells = [what, *(f"{side:,.{digits}f}" for side in sides), f"{ratio:.2f}"]
    print("  ".join(cells), flush=True)
    return cells


def runs(builds: list[Path], rounds: int, rate: float) -> Iterator[list[str]]:
    """Rows for each kind of queue and number of consumers: messages per second, or their processor time in us."""
    for system in OURS:
        for place, consumers in enumerate(CONSUMERS):
            count = int(RATE * SECONDS) if rate else COUNTS[system][place]
            results: list[tuple[Result, Result]] = []
            for number in range(rounds):
                order = (0, 1) if number % 2 == 0 else (1, 0)
                made = {one: measure(Run(system, consumers, count, SIZE, rate, hubbub=builds[one])) for one in order}
                results.append((made[0], made[1]))
            name = f"{'durable' if system == 'hubbub' else 'in memory'}, {consumers}"
            if not rate:
                yield row(f"messages per second, {name}", [(one.rate, two.rate) for one, two in results])
            yield row(f"processor time per message in us, {name}", [(one.cpu, two.cpu) for one, two in results], 1)
            if rate:
                tails = [(one.p99 or 0.0, two.p99 or 0.0) for one, two in results]
                yield row(f"p99 in ms, {name}", tails, 2)


def light(builds: list[Path], rounds: int) -> Iterator[list[str]]:
    """Rows about the cost of commands and of idle hubs."""
    with ExitStack() as stack:
        environment = bytecode(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubbub-bench-"))))
        hubs = [stack.enter_context(idle_hub(build, 1, environment)) for build in builds]
        for arguments in COMMANDS:
            costs = [
                [command_cost([str(builds[one]), *arguments], hubs[one][1], environment) for one in (0, 1)]
                for _ in range(rounds + 1)
            ][1:]  # the first round writes the bytecode
            name = f"hubbub {' '.join(arguments)}"
            yield row(f"processor time in ms, {name}", [(other[0], this[0]) for other, this in costs])
            yield row(f"memory in KiB, {name}", [(other[1], this[1]) for other, this in costs])
        for hub, _ in hubs:
            hub.terminate()
            hub.wait()
        alone = in_turns(rounds, lambda one: idle_memory(builds[one], 1, environment))
        yield row("memory in KiB, an idle hub with 1 consumer", alone)
        many = in_turns(max(1, rounds // 2), lambda one: idle_memory(builds[one], MANY + 1, environment))
    each = [
        ((other - other_alone) / MANY, (this - this_alone) / MANY)
        for (other, this), (other_alone, this_alone) in zip(many, alone, strict=False)
    ]
    yield row("memory in KiB, each of 200 more consumers", each)


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beside", description=__doc__)
    parser.add_argument("other", type=Path, help="the hubbub command of the other build")
    parser.add_argument("--rounds", type=int, default=5, help="pairs for each figure (5)")
    parser.add_argument("--only", choices=["light", "flat-out", "slow"], help="one of the three parts")
    given = parser.parse_args()
    builds = [given.other.absolute(), HUBBUB]
    rows: list[list[str]] = []
    if given.only in (None, "light"):
        rows += light(builds, given.rounds)
    if given.only in (None, "flat-out"):
        rows += runs(builds, given.rounds, 0.0)
    if given.only in (None, "slow"):
        rows += runs(builds, given.rounds, RATE)
    print(machine())
    print(table(["", "other", "this", "ratio"], rows))


if __name__ == "__main__":
    main()
