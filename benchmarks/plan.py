"""Plan of the measurements in one round."""

from __future__ import annotations

from collections.abc import Container, Iterator

from benchmarks.brokers.catalogue import CATALOGUE
from benchmarks.systems import SYSTEMS, Run

COUNTS = {
    "bare": (250_000, 100_000, 30_000),
    "moksha": (100_000, 30_000, 10_000),
    "memory": (400_000, 200_000, 60_000),
    "hubbub": (400_000, 200_000, 60_000),
    "nats": (100_000, 45_000, 12_000),
    "redis-everysec": (180_000, 60_000, 15_000),
    "redis-always": (90_000, 50_000, 12_000),
    "rabbitmq": (50_000, 16_000, 4_000),
}
"""Messages in a throughput run with 1, 4 and 16 consumers: about two seconds' worth of each."""
CONSUMERS = (1, 4, 16)
SIZE, LARGE = 475, 2000
LATENCY = ((120.0, 5.0), (5000.0, 5.0))
"""Messages per second, and duration in seconds, of latency runs."""


def plan(scale: float, systems: Container[str] = SYSTEMS) -> Iterator[Run]:
    """Runs of one round. The systems take turns, so that changes of the machine's speed affect all alike."""
    chosen = [system for system in SYSTEMS if system in systems]
    ours = [system for system in chosen if system not in CATALOGUE]
    for consumers, place in zip(CONSUMERS, range(3), strict=True):
        for system in chosen:
            yield Run(system, consumers, int(COUNTS[system][place] * scale), SIZE)
        for system in ours:
            yield Run(system, consumers, int(COUNTS[system][place] * scale) // 2, LARGE)
    for rate, seconds in LATENCY:
        for consumers in CONSUMERS:
            brokers = rate < 1000 and consumers < 16
            for system in chosen if brokers else ours:
                if system != "bare":
                    yield Run(system, consumers, int(rate * seconds * max(scale, 0.2)), SIZE, rate)
