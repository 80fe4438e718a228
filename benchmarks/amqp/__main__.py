"""Benchmark program of AMQP: the rate at which a queue is consumed, each message acknowledged."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.brokers.rabbitmq_server import RabbitMQ
from benchmarks.venv import BROKERS, ROOT, Venv

HERE = Path(__file__).resolve().parent
FEDORA = Venv(".venv-fedora-bench", ("fedora-messaging==3.9.1",))
PATIENCE = 300.0
CONFIGURATION = """
[hub]
state_dir = "{directory}/state"

[backends.bus]
type = "amqp"
connect = ["amqp://127.0.0.1:{port}"]
format = "{format}"
confirm = "{confirm}"

[backends.bus.queues.{queue}]

[consumers.timed]
type = "{here}/hubbub_consumer.py:Timed"
"""
Command = Callable[[Path, int, str], list[str]]


def hubbub(confirm: str, format: str) -> Command:
    """The command of a hub. :param confirm: when it acknowledges."""

    def command(directory: Path, port: int, queue: str) -> list[str]:
        settings = {"directory": directory, "port": port, "queue": queue, "here": HERE}
        file = directory / "hub.conf"
        file.write_text(CONFIGURATION.format(confirm=confirm, format=format, **settings))
        return [str(Path(sys.executable).parent / "hubbub"), "run", "-c", str(file)]

    return command


def script(venv: Venv, name: str) -> Command:
    """The command of a script, in an environment."""
    return lambda directory, port, queue: [str(venv.python()), str(HERE / name), str(port), queue]


SYSTEMS: dict[str, Command] = {
    "hubbub, after its commit": hubbub("stored", "fedora-messaging"),
    "hubbub, after the work": hubbub("settled", "fedora-messaging"),
    "hubbub, plain bodies": hubbub("stored", "plain"),
    "pika, plain loop": script(BROKERS, "plain_loop.py"),
    "fedora-messaging 3.9.1": script(FEDORA, "fedora_loop.py"),
}
SLOW = {"fedora-messaging 3.9.1": 10}
"""Systems that get a part of the messages, or a round would take minutes."""


def measured(command: Command, port: int, queue: str, count: int) -> float:
    """Messages a second, from the first to the last that a consumer handled. :raises RuntimeError: it did not."""
    with tempfile.TemporaryDirectory(prefix="hubbub-amqp-") as place:
        directory = Path(place)
        result = directory / "result.json"
        environment = {**os.environ, "BENCH_COUNT": str(count), "BENCH_RESULT": str(result)}
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(command(directory, port, queue), env=environment, stdout=log, stderr=log)
            try:
                deadline = time.monotonic() + PATIENCE
                while not result.exists() and process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.05)
            finally:
                process.terminate()
                process.wait(60)
        if not result.exists():
            raise RuntimeError((directory / "log").read_text(errors="replace")[-2000:])
        return float(json.loads(result.read_text())["rate"])


def main() -> int:
    """Run the program. :returns: the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.amqp", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (5)")
    parser.add_argument("--messages", type=int, default=50_000, help="messages of a measurement (50,000)")
    parser.add_argument("--size", type=int, default=600, help="bytes of a body (600)")
    given = parser.parse_args()
    rates: dict[str, list[float]] = {name: [] for name in SYSTEMS}
    with tempfile.TemporaryDirectory(prefix="hubbub-amqp-") as place, RabbitMQ().running(Path(place)) as server:
        for number in range(given.rounds):
            for name, command in SYSTEMS.items():
                queue, count = f"q{number}-{len(rates[name])}-{list(SYSTEMS).index(name)}", given.messages
                count //= SLOW.get(name, 1)
                fill = [str(BROKERS.python()), str(HERE / "fill.py"), str(server.port), queue, str(count)]
                subprocess.run([*fill, str(given.size)], check=True)
                rates[name].append(measured(command, server.port, queue, count))
                print(f"round {number + 1}: {name}: {rates[name][-1]:,.0f} msg/s", flush=True)
    show(rates)
    return 0


def show(rates: dict[str, list[float]]) -> None:
    """Print the medians, and the ratios to the two others."""
    loop, fedora = (median(rates[name]) for name in list(SYSTEMS)[-2:])
    print(f"\nload {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, {ROOT.name}")
    print(f"{'consumer':28} {'msg/s':>8} {'least':>8} {'most':>8} {'/ loop':>7} {'/ fedora':>8}")
    for name, found in rates.items():
        middle = median(found)
        numbers = f"{middle:8,.0f} {min(found):8,.0f} {max(found):8,.0f}"
        print(f"{name:28} {numbers} {middle / loop:7.2f} {middle / fedora:8.1f}")


if __name__ == "__main__":
    sys.exit(main())
