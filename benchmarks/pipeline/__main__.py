"""Benchmark program of the pipeline: how its workers share the messages."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.brokers.rabbitmq_server import RabbitMQ
from benchmarks.brokers.redis_server import Redis
from benchmarks.machine import machine
from benchmarks.pipeline.rig import Outcome, Rig
from benchmarks.table import table

BROKERS = {"RabbitMQ": RabbitMQ(), "Redis": Redis("everysec")}
WORKERS = {"equal": (0.005,) * 4, "one three times slower": (0.005, 0.005, 0.005, 0.015)}
"""Seconds that a message takes each worker."""


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000, help="messages of a run (20,000)")
    given = parser.parse_args()
    rows = []
    for workers, seconds in WORKERS.items():
        for broker, kind in BROKERS.items():
            for shared in (True, False):
                with tempfile.TemporaryDirectory(prefix="hubbub-pipeline-") as place:
                    directory = Path(place)
                    (directory / "broker").mkdir()
                    with kind.running(directory / "broker") as server, Rig(directory, broker, server.port) as rig:
                        outcome = rig.run(seconds, given.messages, shared=shared)
                rows.append([broker, workers, "pulling" if shared else "random", *_cells(outcome, seconds)])
                print(*rows[-1], sep="  ", flush=True)
    heading = ["broker", "workers", "dispatch", "messages of each", "most off its share", "seconds", "of the ideal"]
    print(f"\n{machine()}\n\n{table(heading, rows)}")


def _cells(outcome: Outcome, seconds: tuple[float, ...]) -> list[str]:
    """What each worker did, beside what it should have done for its speed."""
    together, total = sum(1 / one for one in seconds), sum(outcome.messages)
    shares = [total / one / together for one in seconds]
    off = max(abs(did / share - 1) for did, share in zip(outcome.messages, shares, strict=True))
    messages = " ".join(f"{one:,}" for one in outcome.messages)
    return [messages, f"{off:.1%}", f"{outcome.seconds:.1f}", f"{outcome.seconds * together / total:.2f}"]


if __name__ == "__main__":
    main()
