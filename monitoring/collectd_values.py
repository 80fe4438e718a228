"""Values for collectd: the hub's numbers under collectd's types and names, for the push and the plugin.

Standard library only, without any import of the hub: collectd's own Python imports it too. All types are in collectd's
stock ``types.db``, with one data source each. The catalogue of numbers comes from
:func:`hub.status.catalogue.described` in the hub, and from ``/catalogue`` outside.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

Kind = Literal["gauge", "derive"]
Row = tuple[str, str, Kind, float]
"""Type, type instance, kind, number."""
Metric = Mapping[str, Any]
"""Metric of the catalogue: ``section``, ``key``, ``kind``, ``unit``, ``name``, ``by``, ``total``."""

TYPES = {
    ("consumers", "backlog"): "queue_length",
    ("consumers", "in_flight"): "queue_length",
    ("consumers", "delayed"): "queue_length",
    ("consumers", "dead_letters"): "queue_length",
    ("consumers", "oldest_age"): "delay",
    ("consumers", "catch_up_seconds"): "timeleft",
    ("consumers", "threads"): "threads",
    ("consumers", "consume_time"): "response_time",
    ("consumers", "age_at_finish"): "latency",
    ("store", "commit_seconds"): "response_time",
    ("hub", "uptime"): "uptime",
    ("hub", "resident_bytes"): "memory",
    ("hub", "unaccounted_bytes"): "memory",
}
"""Types of gauges; all others are of type ``gauge``. An operator sets thresholds per type."""
NAMES = {
    "oldest_age": "oldest",
    "catch_up_seconds": "catch_up",
    "resident_bytes": "resident",
    "unaccounted_bytes": "unaccounted",
    "commit_seconds": "commit",
    "consume_time": "consume",
    "age_at_finish": "age",
}
"""Names in type instances that differ from the key."""
SINGLE = ("hub", "store")
"""Sections of a single row."""
NO_PREFIX = "consumers"
"""The section whose rows go by their names alone."""


def prefix_of(section: str) -> str:
    """What stands before the names of a section's rows in type instances: ``backend_`` for ``backends``."""
    return "" if section == NO_PREFIX else section.removesuffix("s") + "_"


def identifier(name: str) -> str:
    """Identifier that collectd accepts: ``-`` and ``/`` are separators in its identifiers."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def identifiers(names: Iterable[str]) -> dict[str, str]:
    """Identifiers by name; of two that would be equal, the second gets a number."""
    found: dict[str, str] = {}
    for name in names:
        base = candidate = identifier(name)
        number = 2
        while candidate in found.values():
            candidate, number = f"{base}_{number}", number + 1
        found[name] = candidate
    return found


def name_of(metric: Metric) -> str:
    """Last part of a type instance."""
    return NAMES.get(metric["key"]) or str(metric["name"] or metric["key"])


def type_of(metric: Metric) -> str:
    """collectd's type of a metric. Empty: it is not exported, or collectd derives it from another one."""
    if metric["by"] and metric["total"]:
        return ""  # a number by label is exported as its sum, under its own key if the status has it
    if metric["kind"] == "counter":
        return "derive"
    if metric["kind"] in ("histogram", "states") or metric["unit"].endswith("/s"):
        return ""
    return TYPES.get((metric["section"], metric["key"]), "gauge")


def rows(status: Mapping[str, Any], catalogue: Iterable[Metric]) -> Iterator[Row]:
    """Rows of all numbers of a status. An unknown gauge is NaN, which draws as a gap; an unknown count is left out."""
    prefixes: dict[str, dict[str, str]] = {}
    for metric in catalogue:
        type_, section, key = type_of(metric), metric["section"], metric["key"]
        if not type_:
            continue
        found = _rows(status, section)
        if section not in prefixes:
            prefixes[section] = _prefixes(section, found)
        for name, row in found.items():
            if key in row or metric["by"]:
                yield from _values(type_, f"{prefixes[section][name]}_{name_of(metric)}", metric, row.get(key))


def _rows(status: Mapping[str, Any], section: str) -> Mapping[str, Mapping[str, Any]]:
    if section in SINGLE:
        hub = status.get("hub") or {}
        return {"": hub if section == "hub" else hub.get(section) or {}}
    found: Mapping[str, Mapping[str, Any]] = status.get(section) or {}
    # As hub.status.catalogue.stable does, which collectd's own Python has not got.
    return {name: row for name, row in found.items() if row.get("summed_in") is None}


def _prefixes(section: str, names: Iterable[str]) -> dict[str, str]:
    if section in SINGLE:
        return {"": section}
    # A consumer may have the name of a section.
    reserved = SINGLE if section == NO_PREFIX else ()
    prefix = prefix_of(section)
    return {name: prefix + found for name, found in identifiers((*reserved, *names)).items()}


def _values(type_: str, instance: str, metric: Metric, value: Any) -> Iterator[Row]:
    if metric["kind"] == "quantiles":
        for share, seconds in (value or {}).items():
            # The unit of response_time, and of latency, is the millisecond.
            yield type_, f"{instance}_{share}", "gauge", _number(seconds) * 1000
    elif metric["kind"] != "counter":
        yield type_, instance, "gauge", _number(value)
    elif metric["by"]:
        yield type_, instance, "derive", float(sum((value or {}).values()))
    elif not math.isnan(number := _number(value)):
        yield type_, instance, "derive", number


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan
