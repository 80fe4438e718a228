"""Benchmark program of the pipeline: how its workers share the messages, and how busy one of them is."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.brokers.rabbitmq_server import RabbitMQ
from benchmarks.brokers.redis_server import Redis
from benchmarks.dispatch.__main__ import OBSERVED, SCALING
from benchmarks.document import write_part
from benchmarks.machine import machine
from benchmarks.pipeline.rig import Outcome, Rig
from benchmarks.table import table

BROKERS = {"RabbitMQ": RabbitMQ(), "Redis": Redis("everysec")}
WORK = 10.0
"""Milliseconds that a message takes each worker. With half of that two cores are too busy with eight hubs and a broker
for the work to decide."""
WORKERS = {"equal": (1, 1, 1, 1), "one three times slower": (1, 1, 1, 3)}
"""How many times that."""
SHORT = 0.005
ALONE = 2000
"""Seconds that a message takes one worker alone, and messages of its run."""
ENDS = {"nothing more": (False, True), "publishes": (True, True), "publishes, durable = false": (True, False)}
"""What a message's work ends with: whether it is passed on, whether the queue is on the disk."""


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000, help="messages of a run (20,000)")
    parser.add_argument("--work", type=float, default=WORK, help="milliseconds that a message takes a worker (10)")
    parser.add_argument("--only", choices=[*WORKERS], help="pulling with these workers alone; not for --rst")
    parser.add_argument("--broker", choices=[*BROKERS], help="over this broker alone")
    parser.add_argument("--part", choices=["pipeline", "worker"], help="all hubs, or one worker, alone")
    parser.add_argument("--rst", action="store_true", help="write the tables into docs/scaling.rst")
    given = parser.parse_args()
    if given.rst and (given.only or given.work != WORK):
        parser.error("--rst writes the whole tables")
    for broker in [given.broker] if given.broker else BROKERS:
        for part in [given.part] if given.part else ("pipeline", "worker"):
            rows = (
                _pipeline(broker, given.messages, given.work / 1000, given.only)
                if part == "pipeline"
                else _alone(broker)
            )
            text = f"{machine()}\n\n{rows}"
            print(f"\n{text}\n")
            if given.rst:
                write_part(f"the {part} over {broker}", text, SCALING)


def _run(broker: str, run: Callable[[Rig], Outcome]) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="hubbub-pipeline-") as place:
        directory = Path(place)
        (directory / "broker").mkdir()
        with BROKERS[broker].running(directory / "broker") as server, Rig(directory, broker, server.port) as rig:
            return run(rig)


def _pipeline(broker: str, count: int, work: float, only: str | None) -> str:
    """Table of all hubs: 1 matcher, 4 workers, 3 senders."""
    rows = []
    for workers in [only] if only else WORKERS:
        seconds = tuple(work * times for times in WORKERS[workers])
        for dispatch in ("pulling",) if only else ("pulling", "random"):
            outcome = _run(broker, lambda rig: rig.run(seconds, count, shared=dispatch == "pulling"))  # noqa: B023
            rows.append([workers, dispatch, *_shares(outcome.messages, seconds), *_times(outcome, seconds)])
            print(*rows[-1], sep="  ", flush=True)
    if not only:
        rows.insert(2, ["equal", "random, observed", *_shares([*OBSERVED], (1, 1, 1, 1)), "-", "-", "-"])
    return table(["workers", "dispatch", "messages of each", "most off its share", *TIMES], rows)


def _alone(broker: str) -> str:
    """Table of one worker with prefetch = 2 and one thread."""
    rows = []
    for end, (publishes, durable) in ENDS.items():
        outcome = _run(broker, lambda rig: rig.alone(SHORT, ALONE, publishes=publishes, durable=durable))  # noqa: B023
        rows.append([end, *_times(outcome, (SHORT,))])
        print(*rows[-1], sep="  ", flush=True)
    return table(["a message ends with", *TIMES], rows)


TIMES = ["seconds", "of the ideal", "processor time of the hubs, a message"]


def _times(outcome: Outcome, seconds: tuple[float, ...]) -> list[str]:
    """Cells of the times: an ideal worker is never idle."""
    together, total = sum(1 / one for one in seconds), sum(outcome.messages)
    ideal = outcome.seconds * together / total
    return [f"{outcome.seconds:.1f}", f"{ideal:.2f}", f"{outcome.cpu / total * 1000:.2f} ms"]


def _shares(messages: list[int], seconds: Sequence[float]) -> list[str]:
    """Cells of what each worker did, beside what it should have done for its speed."""
    together, total = sum(1 / one for one in seconds), sum(messages)
    shares = [total / one / together for one in seconds]
    off = max(abs(did / share - 1) for did, share in zip(messages, shares, strict=True))
    return [" ".join(f"{one:,}" for one in messages), f"{off:.1%}"]


if __name__ == "__main__":
    main()
