"""Counts of former instances: a reload replaces a part by a new instance of the same name, and counters only grow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from hub.status.catalogue import CATALOGUE


class FormerCounts:
    """The counts of instances that have ended, by the names of their parts. They end with the hub.

    :param section: of the parts, as in the status; the catalogue says which of its numbers are counters.
    """

    def __init__(self, section: str) -> None:
        (found,) = (one for one in CATALOGUE if one.name == section)
        self._keys = {metric.key for metric in found.metrics if metric.kind == "counter"}
        self._counts: dict[str, dict[str, Any]] = {}

    def keep(self, name: str, row: Mapping[str, Any]) -> None:
        """Add the counts of an instance that has ended. :param row: its last row of the status."""
        counts = self._counts.setdefault(name, {})
        counts.update({key: _sum(counts.get(key, 0), row[key]) for key in self._keys & row.keys()})

    def added(self, name: str, row: dict[str, Any]) -> dict[str, Any]:
        """The row of the present instance, with the counts of the former ones."""
        counts = self._counts.get(name, {})
        return {**row, **{key: _sum(counts[key], row[key]) for key in counts.keys() & row.keys()}}


def _sum(former: Any, count: Any) -> Any:
    """The sum of two counts, or of two mappings of causes to counts. What is neither, in the row of a plugin, stays."""
    if isinstance(count, Mapping):
        return dict(Counter(count) + Counter(former if isinstance(former, Mapping) else {}))
    if isinstance(count, int | float) and isinstance(former, int | float):
        return count + former
    return count
