"""Figures for statsd and Graphite: the hub's numbers as a flat list under dotted names."""

from __future__ import annotations

import math
import socket
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar, get_args

from hub.monitoring.collectd_values import identifier, identifiers
from hub.settings import setting
from hub.status.catalogue import CATALOGUE, StatusSection, metrics
from hub.status.metric import Metric
from hub.status.states import ThreadState

PREFIX = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$"
"""Pattern of a prefix of names, of at most :data:`LONGEST_PREFIX` characters, so that every name fits a datagram."""
LONGEST_PREFIX = 200
IN_MILLISECONDS = {
    ("hub", "lag"): "lag_ms",
    ("store", "commit_seconds"): "commit_ms",
    ("consumers", "consume_time"): "consume_ms",
    ("consumers", "age_at_finish"): "age_ms",
}
"""Names of times in milliseconds; ages and remaining times are in seconds."""

Key = TypeVar("Key")
Kind = Literal["gauge", "count"]
Path = tuple[str, ...]
"""Parts of a name, each of letters, digits and ``_``."""


@dataclass(frozen=True)
class Figure:
    """Finite number with its name. A ``count`` only grows while the hub runs."""

    path: Path
    kind: Kind
    number: float

    def name(self, prefix: str) -> str:
        """Dotted name."""
        return ".".join((prefix, *self.path))


@cache
def name_of(metric: Metric) -> str:
    """Last part of a metric's name, without its label. Empty: it is not exported."""
    if metric.kind in ("histogram", "states"):
        return ""
    return IN_MILLISECONDS.get((metric.section, metric.key), metric.key)


def figures(snapshot: Mapping[str, Any], catalogue: Sequence[StatusSection] = CATALOGUE) -> Iterator[Figure]:
    """Figures of all numbers of a status. Unknown ones are left out."""
    parts = {part.name: identifiers(part.rows(snapshot)) for part in catalogue if part.label}
    for metric, row, value in metrics(snapshot, catalogue):
        if name := name_of(metric):
            path = (metric.section, parts[metric.section][row]) if row else (metric.section,)
            yield from _figures((*path, name), metric, value)
    for name in parts["consumers"]:
        row = snapshot["consumers"][name]
        if row.get("workers") is not None:
            states = Counter(worker["state"] for worker in row["workers"])
            for state in get_args(ThreadState):
                yield Figure(("consumers", parts["consumers"][name], "workers", state), "gauge", states[state])


def _figures(path: Path, metric: Metric, value: Any) -> Iterator[Figure]:
    kind: Kind = "count" if metric.kind == "counter" else "gauge"
    factor = 1000 if (metric.section, metric.key) in IN_MILLISECONDS else 1
    if metric.summed:
        value = sum((value or {}).values())
    numbers = value if isinstance(value, Mapping) else {"": value}
    names = identifiers(numbers) if metric.by else {}  # a stream's name may have dots
    for key, each in numbers.items():
        key = names.get(key, key)
        if (number := known(each)) is not None:
            yield Figure((*path, key) if key else path, kind, number * factor)


def known(value: Any) -> float | None:
    """Finite number of a value, or ``None``. True is 1."""
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None


def totals(found: Iterable[Figure]) -> dict[Path, float]:
    """Counts by path, for the next :func:`growth`."""
    return {figure.path: figure.number for figure in found if figure.kind == "count"}


def growth(now: Mapping[Key, float], before: Mapping[Key, float]) -> dict[Key, float]:
    """Growth of each count.

    A count that is new, or was higher before, starts again and is left out once: how much of it is old is unknown, and
    a false spike would be worse than a missing interval.
    """
    return {key: number - before[key] for key, number in now.items() if key in before and number >= before[key]}


def text(number: float) -> str:
    """Decimal text of a number, to a millionth, without an exponent, which not every receiver can read."""
    return str(number + 0) if isinstance(number, int) else f"{number:.6f}".rstrip("0").rstrip(".")


def prefix_setting() -> Any:
    """Declare the setting of the prefix in an exporter's settings."""
    return setting(
        None,
        "Prefix of all names; it must differ between hubs. Unset: hubbub.HOSTNAME.",
        example="hubbub.myhost",
        pattern=PREFIX,
        max_length=LONGEST_PREFIX,
    )


def default_prefix() -> str:
    """Default prefix ``hubbub.HOSTNAME``: gauges of two machines under one name would overwrite each other."""
    return f"hubbub.{identifier(socket.gethostname())}"[:LONGEST_PREFIX]
