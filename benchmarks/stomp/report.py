"""Report of the STOMP measurements, in reStructuredText."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.machine import machine
from benchmarks.stomp.mark import marks
from benchmarks.stomp.results import Results
from benchmarks.stomp.scenario import AT_A_RATE, FLAT_OUT, Scenario
from benchmarks.stomp.servers import SERVERS
from benchmarks.table import table


def report(
    results: Results, servers: Sequence[str], rounds: int, seconds: float, load: tuple[float, float]
) -> list[str]:
    """Paragraphs and tables.

    :param seconds: length of a measurement. :param load: load averages of the machine, before and after.
    """
    texts = [
        f"{machine()} Medians of {rounds} interleaved rounds, {seconds:g} s for each measurement. The load average of "
        f"the machine was {load[0]:.1f} before and {load[1]:.1f} after."
    ]
    rows = [[name, f"{SERVERS[name].package} {SERVERS[name].version()}", SERVERS[name].how] for name in servers]
    texts += ["The servers:", table(["name", "server", "how"], rows)]
    texts += ["Delivered messages per second, and the least and the most of all rounds:", _rates(results, servers)]
    texts += ["Processor time of the server for each of them, in us:", _flat_out(results, servers, "cpu", 1)]
    share = "Processor time of the load generator, as a share of one core; near 1.00 it is what limits the rate:"
    texts += [share, _flat_out(results, servers, "load", 2)]
    texts += ["Latency, from the publisher's stamp to the subscriber, p50 / p99 in ms:", _latencies(results, servers)]
    texts += ["Start and memory:", _idle(results, servers)]
    if reached := [[mark.wanted, mark.measured, "yes" if mark.met else "**no**"] for mark in marks(results)]:
        texts += ["The marks:", table(["wanted", "measured", "met"], reached)]
    return texts


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _flat_out(results: Results, servers: Sequence[str], field: str, digits: int) -> str:
    rows = [
        [scenario.name, *(_number(results.get(server, scenario.name, field), digits) for server in servers)]
        for scenario in FLAT_OUT
    ]
    return table(["", *servers], rows)


def _rates(results: Results, servers: Sequence[str]) -> str:
    rows = [[scenario.name, *(_rate(results, server, scenario) for server in servers)] for scenario in FLAT_OUT]
    return table(["", *servers], rows)


def _rate(results: Results, server: str, scenario: Scenario) -> str:
    spread = results.spread(server, scenario.name, "rate")
    middle = _number(results.get(server, scenario.name, "rate"), 0)
    return middle if spread is None else f"{middle} ({spread[0]:,.0f} to {spread[1]:,.0f})"


def _latencies(results: Results, servers: Sequence[str]) -> str:
    rows = []
    for scenario in AT_A_RATE:
        pairs = [[results.get(server, scenario.name, field) for field in ("p50", "p99")] for server in servers]
        rows.append([scenario.name, *(" / ".join(_number(value, 2) for value in pair) for pair in pairs)])
    return table(["", *servers], rows)


def _idle(results: Results, servers: Sequence[str]) -> str:
    """Table of what does not depend on messages."""
    fields = (
        ("from the start to the first message, in s", "first", 2),
        ("memory before the first connection, in MiB", "alone", 0),
        ("with 1,000 idle connections, in MiB", "connected", 0),
        ("the same, each subscribed to a topic of its own, in MiB", "subscribed", 0),
        ("what an idle connection adds, in KiB", "each", 1),
        ("what one with a subscription adds, in KiB", "each_subscribed", 1),
    )
    rows = [
        [what, *(_number(results.get(server, "idle", field), digits) for server in servers)]
        for what, field, digits in fields
    ]
    return table(["", *servers], rows)
