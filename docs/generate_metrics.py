"""Writes docs/metrics.rst and the MIB file from the catalogue of numbers. Run by ``make docs``; tests hold both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from hub.monitoring import collectd_values, figures, opentelemetry_metrics, prometheus_families, snmp_mib
from hub.status.catalogue import CATALOGUE, StatusSection
from hub.status.metric import Metric

PLACE = Path(__file__).with_name("metrics.rst")
MIB = Path(__file__).parent.parent / "hub" / "templates" / "snmp" / "HUBBUB-MIB.txt"
HEAD = """\
Numbers
=======

All numbers of the hub, and their names in each exporter. Made from the declarations in the code; ``GET /catalogue`` on
the control socket has the same as JSON.

- A **counter** only grows. What happened to the messages of a durable queue is counted across restarts of the hub; all
  other counters, also those of its threads, begin at zero with it.
- A number that is not known is absent, never 0.
- Names of rows are those of ``hub.conf``, and of queues that clients share. Subscriptions, and other queues that belong
  to one client each, have one row together, such as ``stomp subscriptions`` for the server ``stomp``: names that come
  and go with each reconnection would fill the receiver. It has the sums, the age of the oldest message of all,
  ``queues`` and ``largest_backlog``. Its counters begin with the hub, and keep what clients have counted that are gone.
  Each queue by itself is in ``hubbub status``, in ``hubbub top`` and on the page; ``summed_in`` names its row of sums.
- The key is that of ``hubbub status --json``.
- ``C`` is the name of a consumer, ``B`` of a backend, ``E`` of an exporter, ``J`` of a database of jobs,
  ``S`` of a server. In names of collectd,
  statsd and Graphite every character of it other than letters, digits and ``_`` becomes ``_``.
- For Prometheus see also `what to do about each <prometheus.rst>`_, which has the metrics that it alone is shown.
"""
TITLES = {
    "hub": ("The hub", ""),
    "store": ("The store", ""),
    "consumers": ("Consumers", "C"),
    "backends": ("Backends", "B"),
    "exporters": ("Exporters", "E"),
    "jobs": ("Databases of jobs", "J"),
    "servers": ("Servers", "S"),
    "clusters": ("Clusters", "L"),
    "nodes": ("Nodes of a cluster", "N"),
    "queues": ("Queues of a cluster", "Q"),
}
UNITS = {"s": "seconds", "By": "bytes", "1": "share"}


def render(catalogue: Sequence[StatusSection] = CATALOGUE) -> str:
    """The whole page."""
    return "".join([HEAD, *(_section(part) for part in catalogue)])


def _section(part: StatusSection) -> str:
    title, letter = TITLES[part.name]
    place = "hub" if part.name == "hub" else f"hub.{part.name}" if not letter else f"{part.name}.{letter}"
    if part.within:
        outer = TITLES[part.within][1]
        place, letter = f"{part.within}.{outer}.{place}", f"{outer}_{letter}"
    lines = [f"\n{title}\n{'-' * len(title)}\n\nIn the status at ``{place}``.\n\n"]
    lines.append(".. list-table::\n   :header-rows: 1\n   :widths: 18 17 30 35\n\n")
    lines += _row("Key", ["Kind, unit"], ["Meaning"], ["Names"])
    for metric in part.metrics:
        lines += _row(f"``{metric.key}``", [_kind(metric)], [metric.help], list(_names(metric, letter)) or ["-"])
    return "".join(lines)


def _row(first: str, *cells: Iterable[str]) -> Iterator[str]:
    yield f"   * - {first}\n"
    for cell in cells:
        yield "     - " + "\n       ".join(cell) + "\n"


def _kind(metric: Metric) -> str:
    if metric.kind in ("flag", "states"):
        return {"flag": "true or false", "states": "state"}[metric.kind]
    kind = "percentiles" if metric.kind == "quantiles" else metric.kind
    by = f", by {metric.by}" if metric.by else ""
    return f"{kind}, {UNITS.get(metric.unit) or metric.unit.strip('{}').replace('}/s', 's a second')}{by}"


def _names(metric: Metric, letter: str) -> Iterator[str]:
    """A line for each exporter that has it."""
    if name := prometheus_families.name_of(metric):
        yield f"| Prometheus ``{name}{'_total' if metric.kind == 'counter' else ''}``"
    if name := opentelemetry_metrics.name_of(metric):
        yield f"| OpenTelemetry ``{name}``"
    row = asdict(metric)
    if type_ := collectd_values.type_of(row):
        prefix = collectd_values.prefix_of(metric.section)
        share = "_p99" if metric.kind == "quantiles" else ""
        yield f"| collectd ``{type_}-{prefix}{letter}{'_' if letter else ''}{collectd_values.name_of(row)}{share}``"
    if name := figures.name_of(metric):
        place = f"{metric.section}.{letter}" if letter else metric.section
        ending = ".p99" if metric.kind == "quantiles" else f".{metric.by.upper()}" if metric.by and metric.total else ""
        yield f"| statsd, Graphite ``{place}.{name}{ending}``"
    if metric.section in snmp_mib.PREFIXES and (name := snmp_mib.object_name(metric)):
        yield f"| SNMP ``{name}``"


if __name__ == "__main__":
    PLACE.write_text(render(), encoding="utf-8")
    MIB.write_text(snmp_mib.render(), encoding="ascii")
