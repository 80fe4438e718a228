"""One round of measurements."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.brokers.broker import Server
from benchmarks.measure import percentile
from benchmarks.stomp.idle import CONNECTIONS, first_message, memory
from benchmarks.stomp.load import deliver
from benchmarks.stomp.results import Results
from benchmarks.stomp.scenario import Scenario
from benchmarks.stomp.servers import SERVERS

KIB, MIB = 1 << 10, 1 << 20


class Round:
    """One round: all servers run, and take turns in each scenario, so that the machine's speed is the same for all.

    :param seconds: of each scenario. As much again comes before it, unmeasured, for compilers at run time.
    :param problems: gets a sentence for each measurement that failed.
    """

    def __init__(self, number: int, seconds: float, results: Results, problems: list[str]) -> None:
        self._number, self._seconds = number, seconds
        self._results, self._problems = results, problems
        self._running: dict[str, Server] = {}

    def run(self, servers: Sequence[str], scenarios: Sequence[Scenario], idle: bool) -> None:
        """Start the servers, one after the other, and measure. :param idle: whether idle connections are measured."""
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubbub-bench-")))
            for name in servers:
                with self._attempt(name, "start"):
                    self._start(name, directory, stack)
            for name in self._running if idle else ():
                with self._attempt(name, "idle connections"):
                    self._idle(name)
            for scenario in scenarios:
                for name in self._running:
                    with self._attempt(name, scenario.name):
                        self._deliver(name, scenario)

    @contextmanager
    def _attempt(self, server: str, what: str) -> Iterator[None]:
        """Context of one measurement: if it fails, the others are made all the same."""
        try:
            yield
        except (RuntimeError, OSError) as error:
            place, reason = f"Round {self._number}, {server}, {what}", str(error) or type(error).__name__
            print(f"{place}: {reason}", flush=True)
            self._problems.append(f"{place} failed: {reason.splitlines()[0]}.")

    def _add(self, server: str, scenario: str, **fields: float) -> None:
        self._results.add(server, scenario, **fields)
        told = ", ".join(f"{field} {value:,.2f}" for field, value in fields.items())
        print(f"round {self._number}: {server}, {scenario}: {told}", flush=True)

    def _start(self, name: str, directory: Path, stack: ExitStack) -> None:
        began = time.monotonic()
        server = stack.enter_context(SERVERS[name].running(directory / name))
        first_message(server.port)
        self._running[name] = server
        self._add(name, "idle", first=time.monotonic() - began)

    def _idle(self, name: str) -> None:
        server = self._running[name]
        found = memory(server.port, server.pids)
        sizes = {field: size / MIB for field, size in vars(found).items()}
        each, subscribed = ((size - found.alone) / CONNECTIONS / KIB for size in (found.connected, found.subscribed))
        self._add(name, "idle", each=each, each_subscribed=subscribed, **sizes)

    def _deliver(self, name: str, scenario: Scenario) -> None:
        server, place = self._running[name], f"/{scenario.kind}/bench.{scenario.key}"
        if not scenario.rate:
            deliver(server.port, scenario, f"{place}.before", self._seconds, server.pids)
        found = deliver(server.port, scenario, place, self._seconds, server.pids)
        fields = {"rate": found.rate, "cpu": found.cpu, "load": found.load}
        if found.latencies:
            fields["p50"], fields["p99"] = (percentile([*found.latencies], part) / 1e6 for part in (0.50, 0.99))
        self._add(name, scenario.name, **fields)
