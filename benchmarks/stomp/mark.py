"""Marks of the STOMP server beside RabbitMQ's. Pure.

Rates depend on what else the machine does, and on how many threads a server has to compete with that; processor time
does much less. So each mark of a rate has one of processor time beside it.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.mark import Mark
from benchmarks.stomp.results import Results
from benchmarks.stomp.scenario import FAN_OUT, PERSISTENT, QUEUE, TOPIC

FASTER = 1.5
LIGHTER = 0.1


def marks(results: Results) -> Iterator[Mark]:
    """Marks whose servers were measured."""
    for scenario in (TOPIC, QUEUE, PERSISTENT, FAN_OUT):
        ours, theirs = (results.get(server, scenario.name, "rate") for server in ("hubbub", "rabbitmq"))
        if ours and theirs:
            wanted = f"{scenario.name}: at least {FASTER:g}x RabbitMQ"
            yield Mark(wanted, f"{ours / theirs:.2f}x", ours >= FASTER * theirs)
        ours, theirs = (results.get(server, scenario.name, "cpu") for server in ("hubbub", "rabbitmq"))
        if ours and theirs:
            wanted = f"{scenario.name}: {FASTER:g}x RabbitMQ in a second of processor time"
            yield Mark(wanted, f"{theirs / ours:.2f}x", theirs >= FASTER * ours)
    for field, what in (("each", "what an idle connection adds"), ("connected", "all memory with 1,000 of them")):
        ours, theirs = (results.get(server, "idle", field) for server in ("hubbub", "rabbitmq"))
        if ours and theirs:
            wanted = f"{what}: at most {LIGHTER:g} of RabbitMQ's"
            yield Mark(wanted, f"{ours / theirs:.2f}", ours <= LIGHTER * theirs)
